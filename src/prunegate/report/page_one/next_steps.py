"""What happens next, by outcome: why it was lost, what would settle it, or who signs by when.

Of a rejection the unpruned control shows the largest cause on the worst kind of content. An open
decision names what its findings ask for, with the assumption that the number rests on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from prunegate.audit.control_record import ControlSlice
from prunegate.audit.record import DecisionRecord
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.answer import SignOffShown
from prunegate.report.page_one.notices import is_mistaken
from prunegate.report.page_one.people import OVERALL
from prunegate.report.page_one.standing import (
    deciding,
    gravity,
    is_alike,
    missing_places,
    reference_key,
    standing_key,
)
from prunegate.report.partly_labelled import rows_doubted
from prunegate.report.signers import AskedSigners, days_of_an_answer, signers
from prunegate.report.speech import Speech
from prunegate.report.units import is_foretold, is_operational, is_share
from prunegate.text.numbers import exact
from prunegate.verdict.advice import HARDLY, round_up
from prunegate.verdict.finding import BEATS_CONSTANT, Finding

MOST_STEPS = 2
"""Open findings whose need is told."""


def next_steps(
    record: DecisionRecord,
    finding: Finding | None,
    agreement: AgreedWords,
    state: SignOffShown | None = None,
) -> tuple[str, ...]:
    """Sentences in order; ``state``: of a later copy, what the audit trail held."""
    if record.outcome == "approve":
        return (*_check(record, agreement), *_approved(record, agreement, state))
    if record.outcome == "reject":
        return tuple(_rejected(record, finding, agreement))
    return tuple(_open(record, agreement))


def _check(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """What comes before all else where answers may be mixed up."""
    models = dict.fromkeys(one.model for one in record.doubts if is_mistaken(one))
    if models:
        people = agreement.people
        names = {"baseline": people.speech.say("words.baseline"), "candidate": people.candidate}
        told = people.speech.listed(tuple(names[model] for model in models))
        yield people.speech.say("next.check_table", model=told)


def _approved(
    record: DecisionRecord, agreement: AgreedWords, state: SignOffShown | None
) -> Iterator[str]:
    speech = agreement.people.speech
    asked = signers(record)
    if state is not None:
        asked = tuple(
            AskedSigners(role=role, count=count) for role, count in Counter(state.missing).items()
        )
    if state is not None and state.stopped:
        yield speech.say("next.approve_stopped")
        return
    if asked:
        told = agreement.people.some(tuple(one.words for one in asked))
        yield speech.say("next.approve_sign", signers=told)
    elif state is not None:
        yield speech.say("next.approve_signed" if state.ships else "next.approve_distinct")
    else:
        yield speech.say("next.approve_free")
    yield from _end(record, speech, state)


def _end(record: DecisionRecord, speech: Speech, state: SignOffShown | None) -> Iterator[str]:
    """Until when an approval holds."""
    days = days_of_an_answer(record)
    if state is not None and state.until:
        yield speech.say("next.approve_ends", until=speech.moment(state.until))
    elif days is not None:
        yield speech.count("next.approve_days", days)
    if record.revalidate_on:
        yield speech.say("next.approve_until", day=speech.day(record.revalidate_on))
    elif days is None and (state is None or not state.until):
        yield speech.say("next.approve_open_end")


def _rejected(
    record: DecisionRecord, finding: Finding | None, agreement: AgreedWords
) -> Iterator[str]:
    speech = agreement.people.speech
    yield speech.say("next.reject")
    if finding is not None and is_operational(finding.metric):
        yield speech.say("next.reject_size")
    else:
        yield from _cause(record, finding, agreement)
    yield from _check(record, agreement)
    yield speech.say("next.reject_again")


def _cause(
    record: DecisionRecord, finding: Finding | None, agreement: AgreedWords
) -> Iterator[str]:
    """The largest part of the loss, where a control tells it apart."""
    row = _control(record, finding)
    if finding is None or row is None:
        return
    whole, parts = _minus(row.candidate, row.baseline), _parts(record, row)
    if whole is None or whole >= 0 or not parts:
        return
    part, key = min((part, key) for key, part in parts.items())
    if part < whole:  # the other part won something back
        key = f"{key}_alone"
    size = agreement.units.quantities[finding.metric].change
    told = [agreement.people.speech.number(size(-v).replace("+", "")) for v in (part, whole)]
    where = agreement.people.inside(finding.slice)
    yield agreement.people.speech.say(
        f"next.reject_{key}", part=told[0], whole=told[1], where=where
    )


def _parts(record: DecisionRecord, row: ControlSlice) -> dict[str, float]:
    """What each cause did; where models have thresholds of their own, these are one."""
    moved = record.control is not None and record.control.threshold is not None
    unmoved = row.at_baseline_threshold if moved else row.control
    parts = {
        "data": _minus(unmoved, row.baseline),
        "pruning": _minus(row.candidate, row.control),
        **({"threshold": _minus(row.control, unmoved)} if moved else {}),
    }
    known = {key: part for key, part in parts.items() if part is not None}
    return known if len(known) == len(parts) else {}


def _control(record: DecisionRecord, finding: Finding | None) -> ControlSlice | None:
    if record.control is None or finding is None or finding.class_label is not None:
        return None
    if not is_share(finding.metric):
        return None
    same = (finding.metric, finding.slice)
    return next((row for row in record.control.slices if (row.metric, row.slice) == same), None)


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _open(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    speech = agreement.people.speech
    yield speech.say("next.inconclusive")
    checked = tuple(_check(record, agreement))
    yield from checked
    waiting = [f for f in deciding(record) if f.status == "inconclusive"]
    known = {f.slice for f in waiting}
    if checked:  # which says the same of the reference
        waiting = [f for f in waiting if f.check != BEATS_CONSTANT]
    absent = dict.fromkeys(
        speech.say("next.open_absent", place=agreement.people.place(name))
        for name in missing_places(record)
        if name not in known
    )
    needs: dict[str, Finding] = {}
    for finding in sorted(waiting, key=_most_first):
        if told := _need(record, finding, agreement):
            needs.setdefault(told, finding)
    shown = list(needs.items())[: max(0, MOST_STEPS - len(absent))]
    found = [*list(absent)[:MOST_STEPS], *_apart(shown, agreement)]
    if found:
        yield from found
        if absent or any(_is_to_do(finding) for _, finding in shown):
            yield speech.say("next.open_then")


def _apart(needs: Sequence[tuple[str, Finding]], agreement: AgreedWords) -> Iterator[str]:
    """What is asked for; where two requests are about the same rows, with the measure of each."""
    rows = Counter((f.slice, f.class_label) for _, f in needs if f.needed is not None)
    for told, finding in needs:
        if finding.needed is None or rows[finding.slice, finding.class_label] == 1:
            yield told
            continue
        people, metric = agreement.people, agreement.own_name(finding.metric)
        place = people.place(finding.slice, finding.class_label)
        yield people.speech.say("next.open_for", place=place, metric=metric, told=told)


def _most_first(finding: Finding) -> tuple[bool, float, tuple[int, float]]:
    """What cannot be settled by labels alone first, then the largest request."""
    return finding.needed is not None, -(finding.needed or 0), gravity(finding)


def _need(record: DecisionRecord, finding: Finding, agreement: AgreedWords) -> str:
    """What would settle an open finding; empty where nothing is known of it."""
    speech, people = agreement.people.speech, agreement.people
    key = standing_key(finding)
    if key == "absent":
        return _absent(record, finding, agreement)
    if key == "unmeasured":
        return speech.say("next.open_unmeasured", metric=agreement.name(finding.metric))
    reference = finding.check == BEATS_CONSTANT and _reference(record, finding, agreement)
    if reference:
        return reference
    if finding.open_because == "some labels" and finding.needed is None:
        return speech.say("next.need_labels", items=people.items.said)
    if finding.needed is None:
        return _without_number(finding, agreement)
    further = _further(finding, finding.needed, agreement)
    span = finding.unseen_range
    return f"{further} {_narrower(span, agreement)}" if span else further


def _is_to_do(finding: Finding) -> bool:
    """Whether what is told of an open finding asks for something."""
    reference = finding.check == BEATS_CONSTANT
    return reference or finding.needed is not None or finding.open_because != "not shown"


def _without_number(finding: Finding, agreement: AgreedWords) -> str:
    """Why no number of labels is asked for; empty where that is not known."""
    if finding.open_because != "not shown" or not is_foretold(finding.metric):
        return ""
    key = "next.open_alike" if is_alike(finding) else "next.open_close"
    if finding.as_seen == "broken":
        key = "next.open_broken"
    where = agreement.people.where(finding.slice, finding.class_label)
    return agreement.people.speech.say(key, where=where, metric=agreement.own_name(finding.metric))


def _narrower(span: tuple[float, float], agreement: AgreedWords) -> str:
    """That a narrower range of scores may do as well; the policy's is far wider than they are."""
    low, high = (agreement.people.speech.number(exact(end)) for end in span)
    return agreement.people.speech.say("next.open_range", low=low, high=high)


def _reference(record: DecisionRecord, finding: Finding, agreement: AgreedWords) -> str:
    """What to check first where a model is not shown to know the labels, and what rows would do.

    Empty where a few rows would show it.
    """
    speech, people = agreement.people.speech, agreement.people
    few = finding.open_because == "minimum evidence"
    if few and finding.needed is None and rows_doubted(record):
        return speech.say("next.open_doubted", items=people.items.said)
    cause = agreement.units.cause(finding)
    if not cause and (finding.needed or math.inf) <= finding.n:
        return ""
    where = people.where(finding.slice, finding.class_label)
    key = f"next.open_{reference_key(record, finding)}"
    told = speech.say(key, where=where, model=people.candidate)
    if finding.needed is None or cause:
        return told
    return f"{told} {_further(finding, finding.needed, agreement)}"


def _further(finding: Finding, needed: int, agreement: AgreedWords) -> str:
    """How many more rows, and under which assumption."""
    speech, people = agreement.people.speech, agreement.people
    where, verb = "", "need" if agreement.units.task.decided else "add"
    if finding.slice != OVERALL:
        where = " " + speech.say("next.need_where", place=people.place(finding.slice))
    unchanged, key, asked = finding.needed_if_unchanged, f"next.{verb}", needed
    parts = {"where": where}
    if finding.needed_for not in ("power", None):
        key = f"{key}_minimum"
    elif unchanged is not None:
        key, asked = f"{key}_unchanged", unchanged
        parts["seen"] = _as_seen(finding, unchanged, speech)
    asked = round_up(asked)
    return speech.count(key, asked, what=_wanted(finding, agreement, asked), **parts)


def _rounded(count: int, speech: Speech) -> str:
    return speech.whole(round_up(count))


def _as_seen(finding: Finding, unchanged: int, speech: Speech) -> str:
    """What becomes of it if further rows are like those seen."""
    seen = finding.needed_if_as_seen
    if finding.as_seen == "broken":
        return speech.say("next.seen_broken")
    if seen is None:
        return speech.say("next.seen_never")
    if seen > HARDLY * unchanged:
        return speech.say("next.seen_hardly", n=_rounded(seen, speech))
    return "" if seen <= unchanged else speech.say("next.seen_more", n=_rounded(seen, speech))


def _absent(record: DecisionRecord, finding: Finding, agreement: AgreedWords) -> str:
    """That a kind of content is not there, and how much of it the minimum evidence asks for."""
    speech, place = agreement.people.speech, agreement.people.place(finding.slice)
    if finding.open_because == "undefined" and rows_doubted(record):
        return speech.say("next.open_doubted", items=agreement.people.items.said)
    if finding.needed is None:
        return speech.say("next.open_absent", place=place)
    return speech.say("next.open_absent_minimum", place=place, n=_rounded(finding.needed, speech))


def _wanted(finding: Finding, agreement: AgreedWords, count: int) -> str:
    """What has to be labelled: rows, positives, or rows of a class, as many as are asked for."""
    speech, people = agreement.people.speech, agreement.people
    items, positive = (
        told.one if count == 1 else told.said for told in (people.items, people.positive)
    )
    if finding.needed_unit != "positives":
        return items
    task = agreement.units.task
    if not task.classes and (finding.class_label is None or not task.sets):
        return positive
    if finding.class_label is None:
        return speech.say("next.need_rarest", items=items)
    key = "next.need_label" if task.sets else "next.need_class"
    return speech.say(key, items=items, label=people.label(finding.class_label))
