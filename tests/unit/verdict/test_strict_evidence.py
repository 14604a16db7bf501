"""``evidence: {strict: true}``: which findings it concerns, with and without groups."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.depth import at_length
from tests.unit.counting import kinds

import prunegate
from prunegate.stats import dirichlet
from prunegate.verdict.finding import Finding, Verdict

pytestmark = pytest.mark.slow

GROUPS = ("", "group: post\n")
RULES = [
    "{metric: precision, max_drop: 0.05, at_least: 0.5}",
    "{metric: f1, max_drop: {relative: 0.1}}",
    "{metric: recall, max_drop: 0.05}",
]


def judged(kind: str, strict: bool, group: str, data: pd.DataFrame) -> Verdict:
    rules = [r[:-1] + ", classes: each}" for r in RULES] if kind == "multiclass" else RULES
    more = f"evidence: {{strict: {str(strict).lower()}}}\n{group}"
    return prunegate.judge(kinds.policy(kind, rules, slices="", more=more), data)


def is_strict(finding: Finding) -> bool:
    return finding.metric in ("precision", "f1") and finding.check == "max_drop"


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        *(("binary", GROUPS[1]), ("labels", GROUPS[0]), ("multiclass", GROUPS[1])),
        *at_length(("binary", GROUPS[0]), ("labels", GROUPS[1]), ("multiclass", GROUPS[0])),
    ],
)
def test_changes_of_precision_and_f1_are_tested_by_the_posterior(kind: str, group: str) -> None:
    data = kinds.table(kind, 2, 1200)
    strict, plain = judged(kind, True, group, data), judged(kind, False, group, data)
    assert len(strict.findings) == len(plain.findings)
    for one, other in zip(strict.findings, plain.findings, strict=True):
        if not is_strict(one):
            assert (one.p_value, one.p_harm, one.method) == (
                other.p_value,
                other.p_harm,
                other.method,
            )
            continue
        assert one.method.startswith(dirichlet.METHOD)
        assert not other.method.startswith(dirichlet.METHOD)
        assert one.p_value is not None
        assert other.p_value is not None
        assert one.p_value >= other.p_value - 0.03
    assert any(map(is_strict, strict.findings))
    assert judged(kind, True, group, data) == strict


def test_the_posterior_counts_copies_of_rows_once_where_they_are_a_group() -> None:
    data = kinds.table("labels", 2, 1200).assign(post=range(1200))
    copies = pd.concat([data.assign(id=data["id"] + f"-{i}") for i in range(4)])
    for one, other in zip(
        judged("labels", True, GROUPS[1], data).findings,
        judged("labels", True, GROUPS[1], copies).findings,
        strict=True,
    ):
        if is_strict(one):
            assert other.p_value == pytest.approx(one.p_value, abs=0.02)
