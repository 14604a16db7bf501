"""The laws of the second opinion: what a verdict's findings may never say, as columns and ranges.

Twelve laws, however many findings. Only what decides is looked at: a pass, a fail, the outcome; an
open finding decides nothing. A column is neutral on rows that its law is not about, and NaN where a
figure is missing that it needs, which lies in no range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prunegate.audit.expected_findings import (
    BEATS,
    CLAIMS,
    Place,
    absent_slices,
    expected_places,
    on_reference,
    place_in_findings,
)
from prunegate.audit.opinion.distances import LEVELS
from prunegate.audit.opinion.facts import FAIR, facts
from prunegate.data.contract.whole_table import Inside, Law, TableSize, Unique
from prunegate.policy.schema import ErrorRatio, Policy, Relative
from prunegate.verdict.finding import Finding, Verdict
from prunegate.verdict.waiver import Waiver

if TYPE_CHECKING:
    import pandas as pd

SLACK = 1e-12
"""Relative room for the rounding of floats, which are off by some 1e-16 where the decision was
taken on exact fractions. One row too many is larger: for shares of n rows and limits of d decimals
it is at least 1 / (n x 10^d)."""
STATUSES = ("pass", "fail", "inconclusive")
"""What needs nobody's word; a waived finding needs a waiver of its own, within the policy's cap."""
KEY = ("rule", "slice", "check", "label")


def laws(policy: Policy, verdict: Verdict) -> tuple[Law, ...]:
    """The laws, each with the words that it is reported in."""
    alpha = policy.evidence.alpha
    count = len(expected_places(policy, verdict.slices, verdict.claims))
    return (
        TableSize(name=f"there are {count:,} findings", rows=count),
        Unique(name="every rule, slice and check is judged once", columns=KEY),
        Inside(name="every finding is one that the policy asks for", column="asked", at_least=1),
        Inside(name="every slice that the policy expects is there", column="absent", at_most=0),
        Inside(name="no deciding figure is missing or impossible", column="faults", at_most=0),
        Inside(
            name="every proven pass has its p-value", column="p_of_pass", at_least=0, at_most=alpha
        ),
        Inside(name="every pass is inside its limit", column="beyond_of_pass", at_most=SLACK),
        Inside(name="every decision rests on enough rows", column="lacking", at_most=0),
        Inside(
            name="every proven fail has its p-value", column="p_of_fail", at_least=0, at_most=alpha
        ),
        Inside(name="every fail is beyond its limit", column="beyond_of_fail", at_least=-SLACK),
        Inside(name="harm is adjusted for all that was tested", column="holm_gap", at_most=SLACK),
        Inside(name="the outcome is what the findings say", column="outcome_gap", at_most=0),
    )


WHOLE = frozenset({"absent", "outcome_gap"})
"""Columns that speak of the verdict as a whole, so that no row of them is to blame."""


def columns(policy: Policy, verdict: Verdict, waivers: Sequence[Waiver] = ()) -> dict[str, Any]:
    """The numbers that the laws are about, one row a finding."""
    table = facts(policy, verdict)
    if table.empty:
        return {}
    return {
        **_keys(verdict.findings),
        "asked": _asked(policy, verdict, waivers),
        "absent": [float(len(absent_slices(policy, verdict.slices)))] * len(table),
        "faults": _faults(table),
        **_of_pass(table),
        "lacking": _lacking(table),
        **_of_fail(table),
        "holm_gap": _holm_gap(table),
        "outcome_gap": [float(verdict.outcome != _outcome(table, verdict))] * len(table),
    }


def _keys(findings: Sequence[Finding]) -> dict[str, list[int]]:
    """Numbers that are equal where the parts of a finding's place are."""
    parts = list(zip(*map(place_in_findings, findings), strict=True))
    codes: list[dict[Any, int]] = [{} for _ in parts]
    return {
        name: [code.setdefault(value, len(code)) for value in values]
        for name, code, values in zip(KEY, codes, parts, strict=True)
    }


def _asked(policy: Policy, verdict: Verdict, waivers: Sequence[Waiver]) -> list[float]:
    places = expected_places(policy, verdict.slices, verdict.claims)
    let = _let_be(policy, waivers)
    return [
        float(_as_policy(policy, verdict, finding, places) and _may_be(finding, let))
        for finding in verdict.findings
    ]


def _let_be(policy: Policy, waivers: Sequence[Waiver]) -> frozenset[Place]:
    """Places of the findings that waivers let be; none where there are more than may be."""
    places = frozenset(Place(w.rule, w.slice, w.check, w.class_label) for w in waivers)
    most = 0 if policy.waivers is None else policy.waivers.at_most
    return places if len(places) <= most else frozenset()


def _may_be(finding: Finding, let: frozenset[Place]) -> bool:
    """Whether a status is one that a finding may have; waived only what was judged and blocks."""
    if finding.status in STATUSES:
        return True
    judged = finding.candidate is not None and finding.severity == "block"
    compared = finding.check in LEVELS or finding.baseline is not None
    return finding.status == "waived" and judged and compared and place_in_findings(finding) in let


def _as_policy(
    policy: Policy, verdict: Verdict, finding: Finding, places: frozenset[Place]
) -> bool:
    """Whether a finding is expected and carries the terms of its rule."""
    if place_in_findings(finding) not in places:
        return False
    if policy.claims is not None and finding.check == CLAIMS:
        named = finding.metric == CLAIMS and finding.limit == 0
        same = named and finding.severity == policy.claims.severity
        return same and _as_checked(finding, verdict)
    if finding.check == BEATS:
        return _as_reference(policy, verdict, finding)
    rule = policy.rules[finding.rule]
    terms = (finding.metric, finding.severity, finding.evidence)
    limit = rule.limits[finding.check]
    value, kind = _terms(limit)
    same = finding.limit == value and finding.limit_kind == kind
    return same and terms == (rule.metric, rule.severity, rule.evidence)


def _as_reference(policy: Policy, verdict: Verdict, finding: Finding) -> bool:
    """Whether a finding on the reference has the terms that follow from the rules."""
    severity, evidence = on_reference(policy, verdict.slices)[place_in_findings(finding)]
    same = finding.metric == "reference" and finding.limit == 0 and finding.p_harm is None
    asked = finding.severity == severity and finding.evidence == evidence
    return same and asked and finding.limit_kind == "absolute"


def _as_checked(finding: Finding, verdict: Verdict) -> bool:
    """Whether a finding on claims says what their checks say."""
    checks = verdict.claims.checks if verdict.claims is not None else ()
    statuses = {check.status for check in checks}
    if "contradicted" in statuses:
        return finding.status == "fail"
    return finding.status == ("pass" if "right" in statuses else "inconclusive")


def _terms(limit: float | Relative | ErrorRatio) -> tuple[float, str]:
    if isinstance(limit, Relative):
        return limit.relative, "relative"
    if isinstance(limit, ErrorRatio):
        return limit.error_ratio, "error_ratio"
    return limit, "absolute"


def _faults(table: pd.DataFrame) -> pd.Series[int]:
    """Figures that are no number, no share or no difference, and those that a pass lacks."""
    import numpy as np

    change = ~table["level"]
    needed = {
        "candidate": table["passed"],
        "limit": table["passed"],
        "baseline": table["passed"] & change,
        "difference": table["passed"] & change,
        "p_value": table["passed"] & table["proven"] & ~table["operational"],
    }
    faults = (
        table["strange"]
        + table["off its weights"]
        + (table["passed"] & (table["undefined"] | table["constant"]))
    )
    for name, where in needed.items():
        faults += where & table[name].isna()
    for name in ("p_value", "p_harm", "p_harm_adjusted"):
        faults += ~table[name].fillna(0).between(0, 1)
    for name in ("baseline", "candidate"):
        faults += table["share"] & ~table[name].fillna(0).between(0, 1)
        bounded = table["largest"] < np.inf
        faults += bounded & ~table[name].fillna(0).between(0, table["largest"])
        faults += table["coefficient"] & ~table[name].fillna(0).between(-1, 1)
    largest = np.fmax(table["candidate"].abs(), table["baseline"].abs())
    gap = (table["candidate"] - table["baseline"] - table["difference"]).abs()
    faults += table["difference"].notna() & ~(gap <= SLACK * largest)
    return faults


def _of_pass(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    fair = (table["check"] == BEATS) & ~table["proven"] & (table["baseline"] >= FAIR)
    proven = table["proven"] | ((table["check"] == BEATS) & ~fair)
    tested = table["passed"] & proven & ~table["operational"]
    return {
        "p_of_pass": (table["p_value"] * table["times"]).where(tested, 0.0),
        "beyond_of_pass": table["worst"].where(table["passed"], 0.0),
    }


def _lacking(table: pd.DataFrame) -> pd.Series[float]:
    """Rows that a decided finding on rows is short of; a pass needs both classes, too."""
    lacking = table["lacking"].clip(lower=1 - table["n"])
    lacking = lacking.where(~(table["passed"] & table["one_class"]), 1)
    decided = table["passed"] | (table["failed"] & ~table["undefined"])
    return lacking.where(decided & ~table["operational"], 0)


def _of_fail(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """What is undefined fails only where its rule says so, or where errors grew from none.

    That a figure is no evidence (a busy machine) is something that no other figure shows.
    """
    unclear = table["undefined"] | (table["operational"] & table["no evidence"])
    excused = table["undefined_fails"] & unclear
    failed = table["failed"] & ~excused
    tested = failed & table["proven"] & ~table["operational"]
    return {
        "p_of_fail": table["p_harm_adjusted"].where(tested, 0.0),
        "beyond_of_fail": table["best"]
        .where(~table["undefined"] | table["from none"])
        .where(failed, 0.0),
    }


def _holm_gap(table: pd.DataFrame) -> pd.Series[float]:
    """Distance to Holm's step-down over each severity's tested limits, worked out anew."""
    import numpy as np

    tested = table["proven"] & table["p_harm"].notna()
    gap = table["p_harm_adjusted"].where(table["p_harm_adjusted"].notna() & ~tested, 0.0)
    for _, family in table[tested].groupby("severity"):
        ranked = family["p_harm"].sort_values()
        adjusted = (ranked * np.arange(len(ranked), 0, -1)).clip(upper=1.0).cummax()
        gap[adjusted.index] = (family["p_harm_adjusted"] - adjusted).abs()
    return gap


def _outcome(table: pd.DataFrame, verdict: Verdict) -> str:
    """The decision that the findings and the absent slices lead to."""
    blocking = table[table["severity"] == "block"]
    if blocking["failed"].any():
        return "reject"
    unseen = any(summary.declared and summary.rows == 0 for summary in verdict.slices)
    of_rules = blocking[blocking["check"] != BEATS]
    held = (blocking["passed"] | blocking["waived"]).all() and of_rules["passed"].any()
    approved = held and not unseen
    return "approve" if approved else "inconclusive"
