"""Room: about how much of a sheet page one takes, so that nothing on it is cut off on paper.

A browser lays it out, in letters that are not known here. What is reckoned with is a wide font, in
CSS pixels of an A4 sheet with the page's margins; the style sheet has the sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prunegate.report.page_one.page import PageOne

SHEET = 985
"""Height of a sheet between its margins."""
GAPS = 6


@dataclass(frozen=True, kw_only=True)
class Sizes:
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


USUAL = Sizes(
    title=29, title_line=46, purpose=17, verdict=53, notice=15, table=50, row=25, figure=36,
    note=15.5, picture=50, text=115, paragraph=17, signature=163, gap=12,
)  # fmt: skip
CROWDED = Sizes(
    title=24, title_line=56, purpose=0, verdict=46, notice=15, table=40, row=20, figure=31,
    note=15, picture=0, text=0, paragraph=15.5, signature=154, gap=8,
)  # fmt: skip


def height(page: PageOne, sizes: Sizes) -> float:
    """About how high the page is, in CSS pixels."""
    parts = (
        37,
        sizes.title * _lines(page.question, sizes.title_line),
        sizes.purpose if page.purpose else 0,
        sizes.verdict + 18 * _lines(page.sentence + page.word, 88),
        _notices(page, sizes),
        _table(page, sizes),
        _examples(page, sizes),
        22 + sizes.paragraph * max(_lines(page.money, 46), _lines(" ".join(page.steps), 44)),
        _signature(page, sizes),
    )
    return sum(parts) + GAPS * sizes.gap


def _lines(text: str, letters: int) -> int:
    return math.ceil(len(text) / letters)


def _notices(page: PageOne, sizes: Sizes) -> float:
    if not page.notices:
        return 0
    return 30 + sizes.notice * sum(_lines(one.text, 112) for one in page.notices)


def _table(page: PageOne, sizes: Sizes) -> float:
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


def _examples(page: PageOne, sizes: Sizes) -> float:
    if page.examples is None:
        return 0
    shown = page.examples.examples
    picture = sizes.picture if any(one.picture for one in shown) else 0
    return 62 + picture + (sizes.text if any(one.text for one in shown) else 0)


def _signature(page: PageOne, sizes: Sizes) -> float:
    answer = page.answer
    small = "".join(part.text for part in (*answer.asked, *answer.how, *answer.proof))
    choices = _lines("".join(answer.choices), 80)
    given = _lines(answer.given, 105)
    return sizes.signature + 18 * (choices - 1) + 16 * given + 13 * _lines(small, 125)
