"""A page can be sent as a letter, whatever rules a policy has and however many slices there are."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from prunegate.audit.record import DecisionRecord
from prunegate.report import render
from prunegate.verdict.finding import Finding
from prunegate.verdict.sentences import MOST_OPEN

pytestmark = pytest.mark.slow

METRICS = (
    *("recall", "precision", "specificity", "f1", "accuracy", "balanced_accuracy", "mcc"),
    *("false_positive_rate", "negative_flip_rate", "churn"),
)
LIMIT = 700_000
"""Bytes."""


def _unlike(finding: Finding, rule: int, metric: str, rng: np.random.Generator) -> Finding:
    """The finding of another rule, its numbers like no others."""
    at = [float(number) for number in rng.random(7)]
    lost, gained, *needed = (int(number) for number in rng.integers(1, 9000, 4))
    found = replace(
        finding, rule=rule, metric=metric, baseline=at[0], candidate=at[1], difference=-at[2] / 9,
        ci_low=-at[3] / 3, ci_high=at[4] / 50, p_value=at[5], p_harm=at[6], lost=lost % 60,
        gained=gained % 60, p_loss=at[0] * at[1] if lost % 3 == 0 else None,
    )  # fmt: skip
    if finding.status == "pass":
        return found
    return replace(
        found, needed=needed[0], needed_if_unchanged=needed[1], needed_if_as_seen=needed[0],
        note=f"label about {needed[1]:,} more positives if nothing really changed; if the change "
        f"is as seen, about {needed[0]:,}",
    )  # fmt: skip


def _of_every_rule(record: DecisionRecord) -> DecisionRecord:
    """Every usual rule, a limit on the change and one on the level of the first two."""
    rng = np.random.default_rng(0)
    base = [f for f in record.findings if f.rule == 0]
    rules = [(metric, "max_drop") for metric in METRICS]
    rules += [("recall", "at_least"), ("precision", "at_least")]
    found = tuple(
        replace(_unlike(finding, rule, metric, rng), check=check)
        for rule, (metric, check) in enumerate(rules)
        for finding in base
    )
    told = tuple(
        f"{f.metric} on {f.slice} went from {f.baseline:.1%} to {f.candidate:.1%}; {f.note}."
        for f in found
        if f.status != "pass"
    )[: MOST_OPEN + 1]
    sentences = tuple(f"{metric} {check}." for metric, check in rules)
    policy = replace(record.policy, sentences=sentences)
    return replace(record, findings=found, reasons=told, policy=policy)


def test_every_usual_rule_on_three_hundred_slices(
    records: ModuleType, many_records: ModuleType
) -> None:
    """In the language with the longer words."""
    record = many_records.many(records, 300, "inconclusive", report={"language": "de"})
    page = render(_of_every_rule(record), digest=records.DIGEST, pictures={})
    assert len(page.encode()) < LIMIT
