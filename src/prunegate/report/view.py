"""View: the whole report as one frozen value of finished text; the templates only place it.

All formatting has happened here or below, and every word that came from data has gone through
``inert``. A section that has nothing to show of the record does not appear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.report.page_one.answer import SignOffShown
from prunegate.report.page_one.people import People
from prunegate.report.sections import SECTIONS, PageSource, in_reading_order
from prunegate.report.speech import Speech
from prunegate.report.svg import Chart
from prunegate.text.escape import visible
from prunegate.text.languages import ENGLISH
from prunegate.text.time import short_code


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """One section that appears."""

    name: str
    template: str
    shown: Any
    """What its template places."""
    language: str
    """The page's, or English where it speaks no other."""


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Everything that the page says: what every section may repeat, and the sections."""

    policy: str
    title: str
    """Of the document: the outcome, what it is about, the code."""
    made: str
    code: str
    """The first twelve digits of the record's digest, grouped."""
    speech: Speech
    """What the page's language is."""
    first: SectionView
    """Page one."""
    sections: tuple[SectionView, ...]
    """For engineers, in reading order."""
    contents: tuple[str, ...]
    """Names of the sections that the contents list."""
    added: str
    """Names of those that were added from outside, with spaces between."""


def view(
    record: DecisionRecord,
    *,
    digest: str,
    pictures: Mapping[str, bytes],
    state: SignOffShown | None = None,
) -> ReportView:
    """The record as finished text and pictures.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
        pictures: PNG or JPEG bytes by the id of a flipped row; may be empty.
        state: what the audit trail holds, of a copy made later.
    """
    source = PageSource(record=record, digest=digest, pictures=pictures, state=state)
    made = ((section, section.shows(source)) for section in in_reading_order())
    appear = [(section, shown) for section, shown in made if shown]
    speech, code = People.of(record).speech, visible(short_code(digest))
    views = tuple(
        SectionView(
            name=one.name,
            template=one.key,
            shown=shown,
            language=speech.language if one.spoken else ENGLISH,
        )
        for one, shown in appear
    )
    return ReportView(
        policy=visible(record.policy.name),
        title=speech.say(
            "page.title",
            word=speech.say(f"word.{record.outcome}"),
            name=People.of(record).title,
            code=code,
        ),
        made=speech.say("page.made", day=speech.day(record.created)),
        code=code,
        speech=speech,
        first=views[0],
        sections=views[1:],
        contents=tuple(one.name for one in views if speech.knows(f"contents.{one.name}")),
        added=" ".join(one.name for one, _ in appear if one.name in SECTIONS.added),
    )


def charts_of(page: ReportView) -> list[Chart]:
    """The charts of our own sections, in reading order."""
    found = []
    for section in page.sections:
        several = getattr(section.shown, "forests", (section.shown,))
        found += [getattr(one, "chart", None) for one in several]
    return [chart for chart in found if isinstance(chart, Chart)]
