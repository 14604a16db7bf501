"""What waivers may do to a verdict, as laws over random findings, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.waivers.in_force import _does_not_count
from prunegate.policy.diff import diff, loosened
from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values
from prunegate.verdict.finding import Finding, SliceSummary, Verdict
from prunegate.verdict.outcome import outcome
from prunegate.verdict.waiver import Waiver, place_of, unwaivable, with_waivers

RULES = 6
STATUSES = ("pass", "fail", "inconclusive")


def policy(at_most: int | None = 2, max_days: int = 30) -> Policy:
    document: dict[str, Any] = {
        "prunegate": 1,
        "name": "p",
        "task": {"kind": "binary", "positive": 1},
        "rules": [{"metric": "recall", "at_least": 0.5}] * (RULES + 1),
    }
    if at_most is not None:
        document["waivers"] = {"max_days": max_days, "at_most": at_most}
    found, mistakes = validate_values(document)
    assert found is not None, mistakes
    return found


def finding(rule: int, status: str, severity: str = "block", value: float | None = 0.4) -> Finding:
    return Finding(
        rule=rule,
        metric="recall",
        slice="overall",
        check="at_least",
        status=status,  # type: ignore[arg-type]  # one of the statuses
        severity=severity,  # type: ignore[arg-type]  # one of the two
        evidence="proven",
        baseline=0.6,
        candidate=value,
        difference=None if value is None else value - 0.6,
        ci_low=0.3,
        ci_high=0.5,
        limit=0.5,
        p_value=0.7,
        p_harm=0.02,
        p_harm_adjusted=0.04,
        n=500,
        method="exact binomial",
    )


def verdict(findings: tuple[Finding, ...], *, absent: bool = False) -> Verdict:
    gone = SliceSummary(
        name="kind=a", slicing="kind", declared=True, judged=False, rows=0, positives=0, cells=()
    )
    decision = outcome(findings)
    return Verdict(
        outcome="inconclusive" if absent and decision == "approve" else decision,
        reasons=(),
        findings=findings,
        slices=(gone,) if absent else (),
        statement="",
    )


def waiver(rule: int, **changes: Any) -> Waiver:
    own = Waiver(
        entry=f"{rule:064x}",
        rule=rule,
        slice="overall",
        check="at_least",
        class_label=None,
        terms="0" * 64,
        candidate=("1" * 64,),
        reason="fixed in June",
        owner="Kim",
        author="Kim",
        approver="Ann",
        key="SHA256:x",
        asked="2026-11-28T09:00:00Z",
        created="2026-11-28T09:00:00Z",
        expires="2026-12-12T00:00:00Z",
    )
    return replace(own, **changes)


findings = st.lists(
    st.tuples(
        st.sampled_from(STATUSES),
        st.sampled_from(("block", "block", "block", "warn")),
        st.sampled_from((0.4, 0.4, 0.4, None)),
    ),
    min_size=1,
    max_size=RULES,
).map(
    lambda rows: tuple(
        finding(rule, status, severity, 0.4 if status == "pass" else value)
        for rule, (status, severity, value) in enumerate(rows)
    )
)
rules = st.sets(st.integers(0, RULES - 1))
caps = st.integers(1, RULES)


@given(findings, rules, caps, st.booleans())
def test_waiving_changes_statuses_and_notes_of_what_is_waived_and_no_number(
    found: tuple[Finding, ...], waived: set[int], cap: int, absent: bool
) -> None:
    before = verdict(found, absent=absent)
    done = with_waivers(policy(cap), before, map(waiver, waived))
    used = {one.place: one for one in done.used}
    assert len(used) == len(done.used) <= cap
    for old, new in zip(found, done.verdict.findings, strict=True):
        if place_of(old) in used:
            assert new == replace(old, status="waived", note=new.note)
            assert old.status in ("fail", "inconclusive")
            assert used[place_of(old)].without == old.status
            assert new.note.startswith("waived by Ann until 2026-12-12 00:00 UTC: fixed in June;")
            assert old.severity == "block"
            assert old.candidate is not None
        else:
            assert new == old


@given(findings, rules, caps, st.booleans())
def test_an_approve_by_waiver_means_that_all_else_passes(
    found: tuple[Finding, ...], waived: set[int], cap: int, absent: bool
) -> None:
    before = verdict(found, absent=absent)
    done = with_waivers(policy(cap), before, map(waiver, waived)).verdict
    blocking = [f for f in done.findings if f.severity == "block"]
    if done.outcome == "approve":
        assert {f.status for f in blocking} <= {"pass", "waived"}
        assert any(f.status == "pass" for f in blocking)
        assert not absent
        assert sum(f.status == "waived" for f in blocking) <= cap
    if before.outcome == "approve":
        assert done == replace(before, warnings=done.warnings)


@given(findings, rules, caps, caps)
def test_a_larger_cap_never_takes_an_approve_away(
    found: tuple[Finding, ...], waived: set[int], one: int, other: int
) -> None:
    small, large = sorted((one, other))
    given_ = tuple(map(waiver, waived))
    under = with_waivers(policy(small), verdict(found), given_).verdict.outcome
    over = with_waivers(policy(large), verdict(found), given_).verdict.outcome
    assert under != "approve" or over == "approve"


@given(findings, rules, rules, caps)
def test_further_waivers_never_take_an_approve_away(
    found: tuple[Finding, ...], waived: set[int], further: set[int], cap: int
) -> None:
    few = with_waivers(policy(cap), verdict(found), map(waiver, waived)).verdict.outcome
    more = with_waivers(policy(cap), verdict(found), map(waiver, waived | further)).verdict.outcome
    assert few != "approve" or more == "approve"


@given(findings, rules, caps, st.sampled_from(STATUSES))
def test_a_further_check_turns_no_non_approve_into_an_approve_once_something_passes(
    found: tuple[Finding, ...], waived: set[int], cap: int, status: str
) -> None:
    given_ = tuple(map(waiver, waived))
    before = with_waivers(policy(cap), verdict(found), given_).verdict
    more = (*found, finding(RULES, status))
    after = with_waivers(policy(cap), verdict(more), given_).verdict
    if any(f.severity == "block" and f.status == "pass" for f in found):
        assert before.outcome == "approve" or after.outcome != "approve"


def test_what_is_waived_alone_approves_nothing() -> None:
    found = (finding(0, "fail"), finding(1, "inconclusive"))
    done = with_waivers(policy(2), verdict(found), map(waiver, (0, 1))).verdict
    assert done.outcome == "inconclusive"
    assert done.reasons == ("Every blocking limit is waived, so nothing is shown to hold.",)


def test_over_the_cap_none_counts() -> None:
    found = tuple(finding(rule, "fail") for rule in range(3))
    before = verdict((*found, finding(3, "pass")))
    done = with_waivers(policy(2), before, map(waiver, range(3)))
    assert done.used == ()
    assert done.verdict.findings == before.findings
    assert done.verdict.outcome == "reject"
    assert "match 3 findings" in done.verdict.warnings[-1]
    within = with_waivers(policy(3), before, map(waiver, range(3))).verdict
    assert within.outcome == "approve"
    assert within.reasons[0] == "1 of 4 blocking limits holds; the rest is waived."
    assert len(within.reasons) == 4
    assert "waived by Ann until 2026-12-12 00:00 UTC: fixed in June" in within.reasons[1]
    assert within.statement.endswith("3 findings are waived, and nothing of that is said of them.")


def test_without_the_section_nothing_is_waived() -> None:
    before = verdict((finding(0, "fail"), finding(1, "pass")))
    done = with_waivers(policy(None), before, [waiver(0)])
    assert (done.used, done.verdict.findings) == ((), before.findings)


def test_of_several_for_one_finding_the_longest_is_used() -> None:
    before = verdict((finding(0, "fail"), finding(1, "pass")))
    short = replace(waiver(0), entry="f" * 64, expires="2026-12-01T00:00:00Z")
    for order in ((short, waiver(0)), (waiver(0), short)):
        (used,) = with_waivers(policy(), before, order).used
        assert used.entry == waiver(0).entry


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (finding(0, "pass"), "nothing to waive"),
        (finding(0, "waived"), "waived already"),
        (finding(0, "fail", "warn"), "only warns"),
        (finding(0, "inconclusive", value=None), "nothing was judged"),
        (finding(0, "fail", value=None), "nothing was judged"),
        (replace(finding(0, "fail"), check="max_drop", baseline=None), "nothing was judged"),
        (replace(finding(RULES + 1, "fail"), check="claims"), "stated figures"),
    ],
)
def test_why_a_finding_cannot_be_waived(found: Finding, why: str) -> None:
    assert why in str(unwaivable(policy(), found))
    assert unwaivable(policy(), finding(0, "fail")) is None


@pytest.mark.parametrize(
    ("old", "new", "loose"),
    [
        (policy(None), policy(1), True),
        (policy(1), policy(None), False),
        (policy(1), policy(2), True),
        (policy(2), policy(1), False),
        (policy(1, 10), policy(1, 11), True),
        (policy(1, 11), policy(1, 10), False),
    ],
)
def test_more_waivers_for_longer_are_a_looser_bar(old: Policy, new: Policy, loose: bool) -> None:
    changes = diff(old, new)
    assert len(changes) == 1
    assert bool(loosened(changes)) == loose


@pytest.mark.parametrize(
    ("label", "about"), [("cat", "at_least of class cat on overall"), (None, "at_least on overall")]
)
def test_a_waiver_that_waives_nothing_is_told_with_what_it_was_for(
    label: str | None, about: str
) -> None:
    told = _does_not_count(waiver(0, class_label=label), "there is no such finding")
    assert f" for {about} (" in told
    assert told.endswith("waives nothing: there is no such finding.")
