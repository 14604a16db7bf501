"""Render a comparison: several records as one offline page, in the look of the report.

It is a view: it carries no record and proves nothing by itself, so it names each by its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from markupsafe import Markup

from prunegate.audit.read import StoredRecord
from prunegate.report.comparison.compared_records import compared_records
from prunegate.report.comparison.comparison_view import comparison_view
from prunegate.report.render import environment, styles

_STYLES = "comparison.css"
MOST_RECORDS = 100
"""Records that one page can hold and still be read."""


def render_comparison(found: Sequence[StoredRecord]) -> str:
    """The whole page as one HTML document; the same records give the same bytes.

    Args:
        found: at least two records, each with a digest of its own.

    Raises:
        InternalError: they are fewer, or one is there twice.
    """
    compared = compared_records(found)
    folder = resources.files("prunegate.report") / "templates"
    own = Markup((folder / _STYLES).read_text(encoding="utf-8"))  # noqa: S704  # our own file
    page = environment().get_template("comparison.html.j2")
    return page.render(
        shown=comparison_view(compared),
        say=compared.speech.say,
        lang=compared.speech.language,
        recorded_words=compared.speech.recorded,
        styles=styles() + own,
    )
