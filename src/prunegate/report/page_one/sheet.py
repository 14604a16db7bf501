"""The first sheet: what stands on it, and about how much room it takes, so that paper cuts nothing.

A browser lays it out, in letters that are not known here. What is reckoned with is a wide font, in
CSS pixels of an A4 sheet with the page's margins; the style sheet has the sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from prunegate.report.page_one.answer import AnswerView
from prunegate.report.page_one.content_table import ContentTable
from prunegate.report.page_one.notices import Notice
from prunegate.report.page_one.savings import SavingsView
from prunegate.report.page_one.shown_examples import ShownExamples

SHEET = 985
"""Height of a sheet between its margins."""
GAPS = 6


@dataclass(frozen=True, kw_only=True)
class PaperSizes:
    """Heights of what stands on the page, and how many letters a line holds."""

    title: int
    title_line: int
    purpose: int
    verdict: int
    notice: float
    table: int
    row: int
    figure: int
    note: float
    picture: int
    """Of an example's picture, beside what it says."""
    text: int
    """Of its text."""
    paragraph: float
    signature: int
    gap: int


USUAL = PaperSizes(
    title=29, title_line=46, purpose=17, verdict=53, notice=15, table=50, row=25, figure=36,
    note=15.5, picture=50, text=115, paragraph=17, signature=163, gap=12,
)  # fmt: skip
CROWDED = PaperSizes(
    title=24, title_line=56, purpose=0, verdict=46, notice=15, table=40, row=20, figure=31,
    note=15, picture=0, text=0, paragraph=15.5, signature=154, gap=8,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PageOne:
    """The whole decision, as finished text."""

    eyebrow: str
    code: str
    question: str
    purpose: str
    tone: str
    """approve, reject or inconclusive: how the answer looks."""
    answer_word: str
    """YES, NO or NOT YET, with what it means."""
    word: str
    """The machine's word for it, shown small."""
    sentence: str
    threshold: str
    """From which score on the candidate flags; empty where that is as before."""
    table: ContentTable
    proven: str
    """What "proven" means; empty where nothing was tested."""
    notices: tuple[Notice, ...]
    examples: ShownExamples | None
    savings: SavingsView
    steps: tuple[str, ...]
    answer: AnswerView

    @property
    def crowded(self) -> bool:
        """Whether paper has to be used sparingly."""
        return height(self, USUAL) > SHEET

    @property
    def fits(self) -> bool:
        """Whether a sheet of paper holds it."""
        return height(self, CROWDED if self.crowded else USUAL) <= SHEET

    @property
    def money(self) -> str:
        """The whole paragraph on money."""
        return " ".join((self.savings.text, self.savings.not_realised, self.savings.unsure))


def height(page: PageOne, sizes: PaperSizes) -> float:
    """About how high the page is, in CSS pixels."""
    parts = (
        37,
        sizes.title * _lines(page.question, sizes.title_line),
        sizes.purpose if page.purpose else 0,
        sizes.verdict + 18 * _lines(page.sentence + page.word, 88),
        18 * _lines(page.threshold, 88),
        _notices(page, sizes),
        _table(page, sizes),
        _examples(page, sizes),
        22 + sizes.paragraph * max(_lines(page.money, 46), _lines(" ".join(page.steps), 44)),
        _signature(page, sizes),
    )
    return sum(parts) + GAPS * sizes.gap


def _lines(text: str, letters: int) -> int:
    return math.ceil(len(text) / letters)


def _notices(page: PageOne, sizes: PaperSizes) -> float:
    if not page.notices:
        return 0
    return 30 + sizes.notice * sum(_lines(one.text, 112) for one in page.notices)


def _table(page: PageOne, sizes: PaperSizes) -> float:
    table = page.table
    rows = sum(1 + row.long for row in table.rows)
    below = " ".join((table.more, *table.notes, page.proven))
    heads = (_lines(one.heading, 26) + _lines(one.agreed, 28) for one in table.columns)
    return (
        sizes.table
        + 13 * (max(heads, default=2) - 2)
        + sizes.row * rows
        + sizes.figure * len(table.figures)
        + sizes.note * _lines(below, 108)
    )


def _examples(page: PageOne, sizes: PaperSizes) -> float:
    if page.examples is None:
        return 0
    shown = page.examples.examples
    picture = sizes.picture if any(one.picture for one in shown) else 0
    below = sizes.note * _lines(page.examples.thresholds, 112)
    return 62 + below + picture + (sizes.text if any(one.text for one in shown) else 0)


def _signature(page: PageOne, sizes: PaperSizes) -> float:
    answer = page.answer
    small = "".join(part.text for part in (*answer.asked, *answer.how, *answer.proof))
    choices = _lines("".join(answer.choices), 80)
    given = _lines(answer.given, 105)
    return sizes.signature + 18 * (choices - 1) + 16 * given + 13 * _lines(small, 125)
