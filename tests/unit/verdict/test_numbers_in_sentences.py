"""Sentences tell their facts: each number in one is a fact's, all are there, and nouns agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times
from tests.unit.counting import kinds

from prunegate.counting.stratum import Stratum
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Minimum
from prunegate.verdict import sentences
from prunegate.verdict.advice import request, round_up
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, ReferenceDoubt, SliceSummary
from prunegate.verdict.reference_sentences import doubt_sentence, of_groups

NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")
COUNTED = re.compile(
    r"(?<![\w.,])(\d[\d,]*) (?:(?:more|labelled|independent|equal) )*"
    r"(row|slice|group|positive|document)(s?)\b(?: (is|are|was|were)\b)?"
)
few = st.integers(0, 3) | st.integers(998, 1002)
some = st.integers(1, 3) | st.integers(998, 1002)


def told(text: str) -> list[int]:
    """The numbers of a sentence, whose nouns and verbs agree with them."""
    for number, noun, many, verb in COUNTED.findall(text):
        one = number == "1"
        assert bool(many) != one, f"{number} {noun}{many}: {text}"
        assert not verb or (verb in ("is", "was")) == one, text
    return sorted(int(n.replace(",", "")) for n in NUMBER.findall(text))


def summary(rows: int, positives: int, lost: int | None, gained: int | None) -> SliceSummary:
    return SliceSummary(
        name="kind=b", slicing="kind", declared=False, judged=False, rows=rows,
        positives=positives, cells=(), lost=lost, gained=gained,
    )  # fmt: skip


def finding(**given: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": 0, "metric": "recall", "slice": "kind=a", "check": "max_drop", "status": "fail",
        "severity": "block", "evidence": "proven", "baseline": 0.9, "candidate": 0.8,
        "difference": -0.1, "ci_low": -0.2, "ci_high": 0.0, "limit": 0.05, "p_value": 0.5,
        "p_harm": 0.5, "n": 900, "method": "t",
    }  # fmt: skip
    return Finding(**{**values, **given})


@given(some, some)
def test_groups_and_absent_slices(rows: int, more: int) -> None:
    assert told(sentences.uneven_groups(rows)) == [rows]
    assert told(of_groups(more + 1, rows)) == sorted([rows, more + 1])  # one is as equal as can be
    asked = [rows, *([more] if more > 1 else [])]
    assert told(sentences.absent(Minimum(rows=rows, positives=more))) == sorted(asked)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "score", "language"])
@given(some, few, few, few)
@settings(max_examples=times(30, thorough=300))
def test_a_slice_that_was_not_judged(
    kind: str, rows: int, positives: int, lost: int, gained: int
) -> None:
    policy = POLICIES[kind]
    flips = [lost, gained] if lost else []
    counted = kind in ("binary", "multiclass")
    least = policy.evidence.minimum
    own = [positives, least.positives] if counted else []
    text = sentences.of_unjudged(policy, summary(rows, positives, lost, gained))
    assert told(text) == sorted([rows, least.rows, *own, *flips])
    assert told(sentences.of_undeclared(summary(rows, positives, lost, gained))) == [rows]


POLICIES = {
    kind: kinds.policy(kind, [rule], more="evidence: {minimum: {rows: 7, positives: 4}}\n")
    for kind, rule in {
        "binary": "{metric: recall, max_drop: 0.1}",
        "multiclass": "{metric: accuracy, max_drop: 0.1}",
    }.items()
} | {
    kind: kinds.policy(kind, [rule], more="evidence: {minimum: {rows: 7}}\n")
    for kind, rule in {
        "score": "{metric: mean_score, max_drop: 0.1}",
        "language": "{metric: perplexity, max_rise: 0.1}",
    }.items()
}


@given(st.lists(st.tuples(some, st.none() | few), min_size=1, max_size=4))
def test_many_slices_that_were_not_judged(found: list[tuple[int, int | None]]) -> None:
    text = sentences.of_more_unjudged([summary(rows, 0, lost, 0) for rows, lost in found])
    lost = sum(lost or 0 for _, lost in found)
    expected = [len(found), sum(rows for rows, _ in found), *([lost] if lost else [])]
    assert told(text) == sorted(expected)


@given(st.lists(st.tuples(few, st.booleans()), min_size=1, max_size=9))
def test_content_that_the_table_lacks(found: list[tuple[int, bool]]) -> None:
    strata = [
        Stratum(value=f"v{place}", share=0.1, rows=rows, lacking=int(lacks))
        for place, (rows, lacks) in enumerate(found)
    ]
    text = sentences._lacking_strata(strata)
    short = [one for one in strata if one.lacking]
    more = [len(short) - 5] if len(short) > 5 else []
    assert told(text) == sorted([one.rows for one in short[:5]] + more)
    assert re.findall(r"v\d", text) == [one.value for one in short[:5]]


@given(offset=some, later=st.booleans(), stretch=st.none() | st.tuples(some, some))
def test_labels_that_are_off(offset: int, later: bool, stretch: tuple[int, int] | None) -> None:
    doubt = ReferenceDoubt(
        kind="shifted", slice="overall", model="candidate", rows=5, right=0.0, right_if=1.0,
        offset=offset if later else -offset, order="file", stretch=stretch,
    )  # fmt: skip
    text = doubt_sentence(doubt)
    assert told(text) == sorted([0, 5, offset, 100, *(stretch or ())])
    assert ("later" in text, "earlier" in text) == (later, not later)


@given(st.integers(1, 10**9))
def test_rounding_up_is_the_next_number_of_two_digits(count: int) -> None:
    step = 10 ** max(0, len(f"{count}") - 2)
    assert round_up(count) == min(n * step for n in range(10, 101) if n * step >= count) or (
        count < 10 and round_up(count) == count
    )


@given(
    st.sampled_from(["minimum evidence", "method", "power"]),
    st.integers(1, 99),
    st.none() | st.integers(1, 99),
    st.none() | st.integers(1, 99),
    st.sampled_from(["holds", "broken"]),
)
def test_what_is_asked_for(
    purpose: Any, needed: int, unchanged: int | None, as_seen: int | None, shows: Any
) -> None:
    asked = finding(
        status="inconclusive", needed=needed, needed_unit="rows", needed_for=purpose,
        needed_if_unchanged=unchanged, needed_if_as_seen=as_seen, as_seen=shows,
    )  # fmt: skip
    expected = [needed]
    if purpose == "power" and unchanged is not None:
        expected = [unchanged]
        if shows != "broken" and as_seen is not None:
            expected.append(as_seen)
            hardly = as_seen > 10 * unchanged
            assert ("hardly help" in request(asked, rarest=False)) == hardly
    assert told(request(asked, rarest=False)) == sorted(expected)


STATUSES = ("pass", "fail", "inconclusive", "waived")


def drafted(statuses: Sequence[tuple[str, str, str]]) -> Iterator[Finding]:
    for status, severity, where in statuses:
        note = "why" if status in ("inconclusive", "waived") else ""
        yield finding(status=status, severity=severity, slice=where, note=note)


FINDINGS = st.lists(
    st.tuples(st.sampled_from(STATUSES), st.sampled_from(["block", "warn"]), st.sampled_from("abc"))
)
POLICY = parse_policy(
    "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    "rules: [{metric: recall, max_drop: 0.05}]\n"
)


@given(FINDINGS)
def test_reasons_are_the_blocking_limits_that_failed_then_the_open_ones(
    statuses: list[tuple[str, str, str]],
) -> None:
    blocking = [one for one in statuses if one[1] == "block"]
    found = list(drafted([("pass", "block", "a"), *statuses]))
    reasons = sentences.reasons(POLICY, "reject", found)
    expected = [where for wanted in ("fail", "inconclusive") for s, _, where in blocking
                if s == wanted]  # fmt: skip
    assert [reason.removeprefix("Recall on ")[0] for reason in reasons] == expected
    assert [reason.endswith("not proven: why.") for reason in reasons] == [
        s == "inconclusive" for wanted in ("fail", "inconclusive") for s, _, _ in blocking
        if s == wanted
    ]  # fmt: skip


@given(FINDINGS)
def test_an_approval_counts_its_limits_and_slices(statuses: list[tuple[str, str, str]]) -> None:
    held = [one for one in statuses if one[0] in ("pass", "waived")]
    found = [*drafted([("pass", "block", "a"), *held])]
    found += [finding(check=BEATS_CONSTANT, status="pass", slice="z")]
    blocking = [one for one in found if one.severity == "block" and one.check != BEATS_CONSTANT]
    waived = [one for one in blocking if one.status == "waived"]
    first, *rest = sentences.reasons(POLICY, "approve", found)
    if waived:
        numbers = [len(blocking) - len(waived), len(blocking)]
    else:
        numbers = [len(blocking), len({one.slice for one in blocking})]
        if len(blocking) == 1:
            assert first == "The one blocking limit holds, on 1 slice."
            numbers = [1]
    assert [int(n) for n in NUMBER.findall(first)] == numbers
    assert [one.endswith("; why.") for one in rest] == [True] * len(waived)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("a", "The one blocking limit holds, on 1 slice."),
        ("aa", "All 2 blocking limits hold on 1 slice."),
        ("ab", "All 2 blocking limits hold on 2 slices."),
    ],
)
def test_one_limit_and_one_slice_are_told_as_one(where: str, told: str) -> None:
    found = list(drafted([("pass", "block", name) for name in where]))
    assert sentences.reasons(POLICY, "approve", found) == (told,)


@pytest.mark.parametrize(("held", "verb"), [(1, "holds"), (2, "hold")])
def test_what_holds_beside_a_waiver_is_told_as_one_or_many(held: int, verb: str) -> None:
    found = list(drafted([("waived", "block", "a"), *[("pass", "block", "b")] * held]))
    first, *_ = sentences.reasons(POLICY, "approve", found)
    assert first == f"{held} of {held + 1} blocking limits {verb}; the rest is waived."


@pytest.mark.parametrize("severity", ["block", "warn"])
@pytest.mark.parametrize("status", STATUSES)
def test_an_open_limit_that_warns_asks_for_rows_unless_a_broken_one_rejects(
    status: str, severity: str
) -> None:
    asked = finding(
        status="inconclusive", severity="warn", needed=60, needed_unit="rows", needed_for="method"
    )
    request_of = request(asked, rarest=False)
    asked = finding(**{**fields(asked), "note": f"why; {request_of}"})
    other = finding(status=status, severity=severity)
    text = sentences.only_warned(POLICY, [other, asked], asked)
    assert "why" in text
    assert (request_of in text) == ((status, severity) != ("fail", "block"))


def fields(one: Finding) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}
