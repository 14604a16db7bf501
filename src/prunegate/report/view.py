"""View: the whole report as one frozen value of finished text; the templates only place it.

All formatting has happened here or below, and every word that came from data has gone through
``inert``. A section that has nothing to show of the record does not appear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.report.headline import Headline
from prunegate.report.sections import SECTIONS, PageSource, in_reading_order
from prunegate.text.escape import LONGEST, shorten, visible
from prunegate.text.time import moment, short_code


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """One section that appears."""

    template: str
    shown: Any
    """What its template places."""


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Everything that the page says: what every section may repeat, and the sections."""

    policy: str
    purpose: str
    date: str
    code: str
    """The first twelve digits of the record's digest, grouped."""
    headline: Headline
    sections: tuple[SectionView, ...]
    """In reading order."""
    added: str
    """Names of those that were added from outside, with spaces between."""


def view(record: DecisionRecord, *, digest: str, pictures: Mapping[str, bytes]) -> ReportView:
    """The record as finished text and pictures.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
        pictures: PNG or JPEG bytes by the id of a flipped row; may be empty.
    """
    source = PageSource(record=record, digest=digest, pictures=pictures)
    made = ((section, section.shows(source)) for section in in_reading_order())
    appear = [(section, shown) for section, shown in made if shown]
    return ReportView(
        policy=visible(record.policy.name),
        purpose=shorten(record.policy.purpose or "", LONGEST),
        date=moment(record.created),
        code=visible(short_code(digest)),
        headline=source.headline,
        sections=tuple(SectionView(template=one.key, shown=shown) for one, shown in appear),
        added=" ".join(one.name for one, _ in appear if one.name in SECTIONS.added),
    )
