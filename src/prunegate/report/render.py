"""Render: a decision record as ``report.html``, the one file that a client opens and signs.

One file, no script, no request: the styles, the charts and the pictures are inside, and a content
security policy says so to the browser. The page is a view; the record is the authority. The page
carries it (``embedded_record.py``), so that whoever has the page can have it made again and
compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib import resources

from jinja2 import ChoiceLoader, Environment, FunctionLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.record import DecisionRecord
from prunegate.errors import InternalError
from prunegate.io.beside import work_beside
from prunegate.io.worker_process import WorkerError
from prunegate.report.drawing import drawn_svg
from prunegate.report.embedded_record import embedded
from prunegate.report.page_one.answer import SignOffShown
from prunegate.report.sections import SECTIONS
from prunegate.report.svg import Chart, drawn_chart, undrawn_chart
from prunegate.report.told_answers import carried_answers
from prunegate.report.view import ReportView, charts_of, view

_STYLES, _PAGE = "report.css", "report.html.j2"
_DIGEST = re.compile("[0-9a-f]{64}")


def render(
    record: DecisionRecord,
    *,
    digest: str,
    pictures: Mapping[str, bytes],
    content: bytes | None = None,
    state: SignOffShown | None = None,
    charts: bool | None = None,
) -> str:
    """The whole report as one HTML document.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal; the short code and the
            provenance show it.
        pictures: PNG or JPEG bytes by the id of a flipped row; may be empty.
        content: the record's bytes as they are stored, where an earlier version wrote them; else
            its canonical bytes.
        state: what the audit trail holds, of a copy made later; the page that is signed has none.
        charts: whether they are drawn; None: where they can be. A page without them says so in
            their places, with what they show, and in its head.

    Raises:
        InternalError: the digest is not a sha256 in hexadecimal, or charts have to be drawn and
            cannot be.
    """
    if not _DIGEST.fullmatch(digest):
        raise InternalError(
            "a report needs its record's sha256 as 64 lower-case hexadecimal digits"
        )
    shown = view(record, digest=digest, pictures=pictures, state=state)
    carried = embedded(canonical_bytes(record) if content is None else content)
    answers = carried_answers(state) if state is not None else ""
    return _told(shown, carried, answers, charts)


@contextmanager
def begun(
    record: DecisionRecord, *, digest: str, pictures: Mapping[str, bytes], content: bytes
) -> Iterator[Callable[[], str]]:
    """A report whose charts are drawn while the block is at something else.

    Gives what gives the page, as ``render`` does with the same arguments, after the block.
    """
    shown = view(record, digest=digest, pictures=pictures)
    carried = embedded(content)
    with work_beside(partial(_draw, charts_of(shown))):
        yield partial(_told, shown, carried, "", None)


def _draw(charts: Iterable[Chart]) -> None:
    """Have them drawn, so that they are at hand; what is wrong with one is told where it stands."""
    with suppress(WorkerError):
        for chart in charts:
            drawn_svg(chart.specification)


def _told(shown: ReportView, carried: Markup, answers: str, charts: bool | None) -> str:
    try:
        return _page(shown, carried, answers, charts=charts is not False)
    except WorkerError:
        if charts is not None:
            raise
        return _page(shown, carried, answers, charts=False)


def _page(shown: ReportView, carried: Markup, answers: str, *, charts: bool) -> str:
    return (
        environment()
        .get_template(_PAGE)
        .render(
            report=shown,
            say=shown.speech.say,
            count=shown.speech.count,
            whole=shown.speech.whole,
            recorded_words=shown.speech.recorded,
            lang=shown.speech.language,
            styles=styles(),
            carried=carried,
            answers=answers,
            charts=charts,
            draw=drawn_chart if charts else partial(undrawn_chart, said=shown.speech),
        )
    )


def draw_ahead(record: DecisionRecord) -> None:
    """Draw a record's charts now, so that ``render`` finds them drawn.

    Args:
        record: the decision, all but what its page says in words.
    """
    render(record, digest="0" * 64, pictures={}, content=b"")


def begin_page() -> None:
    """Compile what every page is made from, while something else is waited for."""
    styles()
    for template in (_PAGE, *(section.key for section in SECTIONS.values() if section.every_page)):
        environment().get_template(template)


@cache
def environment() -> Environment:
    """Everything is escaped, whatever the template is called, and an undefined name is an error."""
    return Environment(
        loader=ChoiceLoader([PackageLoader("prunegate.report"), FunctionLoader(_added)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _added(key: str) -> str | None:
    """The template of a section that was added from outside; None: there is no such."""
    section = SECTIONS.get(key.partition(":")[0])
    if section is None or section.folder is None or section.key != key:
        return None
    return (section.folder / section.template).read_text(encoding="utf-8")


@cache
def styles() -> Markup:
    """Our own style sheet, placed in the page as it is."""
    folder = resources.files("prunegate.report") / "templates"
    return Markup((folder / _STYLES).read_text(encoding="utf-8"))  # noqa: S704  # our own file
