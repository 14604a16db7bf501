"""Own words: why a decision is no plain yes, and what its own page one warns of.

Beside others a decision is a word and some figures; what its reader has to know is not dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.report.comparison.compared_records import ComparedRecord, ComparedRecords
from prunegate.report.page_one.notices import Notice, notices
from prunegate.report.page_one.page import decided_by


@dataclass(frozen=True, kw_only=True)
class OwnWords:
    """Of one record."""

    number: int
    told: tuple[Notice, ...]
    """The reason where it is no approval, then the warnings; at least one."""


def own_words(compared: ComparedRecords) -> tuple[OwnWords, ...]:
    """What there is to say of the records, in the page's order; a plain yes says nothing."""
    found = (OwnWords(number=one.number, told=_told(one)) for one in compared.records)
    return tuple(one for one in found if one.told)


def _told(one: ComparedRecord) -> tuple[Notice, ...]:
    warned = notices(one.record, one.words)
    if one.record.outcome == "approve":
        return warned
    return (Notice(text=decided_by(one.record, one.words)), *warned)
