"""Cautions: why decisions that stand side by side may not be comparable, from the records' facts.

Each decision was taken by itself. That one of several looks best is partly luck, the more of them
there are; and two that were judged on other data or against another model differ for that, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prunegate.audit.record import DecisionRecord
from prunegate.report.comparison.compared_records import ComparedRecords
from prunegate.report.page_one.people import OVERALL
from prunegate.text.escape import shorten

_LONGEST = 80
_DATA = ("predictions", "data", "labels")
"""Roles of files that hold the rows that were judged."""


def cautions_told(compared: ComparedRecords, unshared: int) -> tuple[str, ...]:
    """Sentences, the most important first.

    Args:
        compared: the records.
        unshared: limits that not every policy sets.
    """
    return tuple(_told(compared, unshared))


def _told(compared: ComparedRecords, unshared: int) -> Iterator[str]:
    speech, records = compared.speech, [one.record for one in compared.records]
    if len(compared.policies) > 1:
        names = tuple(dict.fromkeys(shorten(one.policy.name, _LONGEST) for one in records))
        told = compared.records[0].words.people.some(names)
        key = "policies" if len(names) > 1 else "versions"
        yield speech.say(f"compare.caution_{key}", names=told)
        if unshared:
            yield speech.count("compare.caution_unshared", unshared)
    baselines = {one.model_digest("baseline") for one in records} - {None}
    if len(baselines) > 1:
        yield speech.say("compare.caution_baselines")
    same = _same_data(records)
    if same is not True:
        yield speech.say(f"compare.caution_data{'' if same is False else '_unknown'}")
    if compared.kind == "candidates":
        yield speech.say("compare.caution_best")


def _same_data(records: Sequence[DecisionRecord]) -> bool | None:
    """Whether all were judged on the same rows; None: the records do not tell.

    A table of predictions holds the candidate's, so that another digest is no other data.
    """
    sets = {one.attempt.contents for one in records if one.attempt is not None}
    rows = {one.rows for record in records for one in record.slices if one.slicing == OVERALL}
    if len(sets) > 1 or len(rows) > 1:
        return False
    if sets and all(one.attempt is not None for one in records):
        return True
    files = [{(i.role, i.sha256) for i in one.inputs if i.role in _DATA} for one in records]
    known = all(found and None not in dict(found).values() for found in files)
    return True if known and all(found == files[0] for found in files) else None
