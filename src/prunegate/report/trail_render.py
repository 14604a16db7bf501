"""Trail page: the history of decisions for a person to read, one offline file without a script.

A view of the audit folder at one checkpoint. It proves nothing by itself: it says at which
checkpoint it was made, so that whoever has the folder can have it made again and compare.
"""

from __future__ import annotations

from importlib import resources

from markupsafe import Markup

from prunegate.audit.history_read import ReadHistory
from prunegate.report.render import environment, styles
from prunegate.report.trail_view import trail_view

_STYLES = "trail.css"


def render_trail(read: ReadHistory) -> str:
    """The whole page as one HTML document."""
    folder = resources.files("prunegate.report") / "templates"
    own = Markup((folder / _STYLES).read_text(encoding="utf-8"))  # noqa: S704  # our own file
    page = environment().get_template("trail.html.j2")
    return page.render(trail=trail_view(read), styles=styles() + own)
