"""Decision records of the task kinds without a positive class, made from the fixed records.

Figures are fixed like those of ``records.py``: plausible to read, never worked out.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from prunegate.audit.record import DecisionRecord, Flip
from prunegate.audit.written_texts import Generation
from prunegate.verdict.finding import Finding, SliceSummary

CLASSES = ("alcohol", "safe", "violence")
_VIDEO = "content_type=video"


def _policy(records: ModuleType, kind: str, *sentences: str) -> Any:
    document = {"prunegate": 1, "name": f"{kind}-case", "task": {"kind": kind}}
    policy = records.approved().policy
    return replace(policy, name=f"{kind}-case", document=document, sentences=sentences)


def multiclass(records: ModuleType) -> DecisionRecord:
    """Rejected for one class on one slice; another class is open, and twelve losses are allowed."""
    macro = [
        records.change(
            rule=0, slice=name, n=n, right=right, lost=lost, gained=3, margin=0.03,
            method="constrained-likelihood score of a macro average",
        )
        for name, n, right, lost in (("overall", 9000, 8550, 60), (_VIDEO, 2600, 2460, 30))
    ]  # fmt: skip
    classes = [
        records.change(rule=1, slice=name, class_label=label, n=n, right=right, lost=lost,
                       gained=0, margin=0.05)
        for name, label, n, right, lost in (
            ("overall", "alcohol", 900, 846, 15),
            ("overall", "violence", 1100, 1034, 25),
            (_VIDEO, "alcohol", 130, 123, 3),
            (_VIDEO, "violence", 326, 301, 125),
        )
    ]  # fmt: skip
    short = replace(classes[2], status="inconclusive", needed=410, needed_unit="positives",
                    note="label about 410 more rows of class alcohol")  # fmt: skip
    level = records.level(rule=2, slice=_VIDEO, class_label="violence", n=326, right=176,
                          before=301, limit=0.8, note="")  # fmt: skip
    losses = tuple(
        f"Recall of class c{n} on overall: a real loss, within what is allowed." for n in range(12)
    )
    flips = (
        Flip(id="v-1", slices=(_VIDEO, f"{_VIDEO},region=eu"), label="violence", lost=True,
             baseline="violence", candidate="safe"),
        Flip(id="v-2", slices=(_VIDEO, f"{_VIDEO},region=us"), label="safe", lost=False,
             baseline="alcohol", candidate="safe"),
    )  # fmt: skip
    return replace(
        records.rejected(), command="gate", seed=None, compression=None, control=None, cost=None,
        measurements=None, baseline=None, candidate=None, flips=flips,
        findings=records.looked_at((*macro, *classes[:2], short, classes[3], level)),
        slices=(_classes("overall", "overall", 9000, 700, 70, 9),
                _classes(_VIDEO, "content_type", 2600, 130, 130, 3)),
        policy=_policy(
            records, "multiclass", "Recall must hold on average.", "Recall must hold by class.",
        ),
        reasons=("Recall of class violence on content_type=video went from 92.3 % to 54.0 %.",),
        warnings=("content_type=podcast is not declared in the policy.", *losses),
        allowed_losses=tuple(range(1, 13)),
    )  # fmt: skip


def _classes(name: str, slicing: str, rows: int, rarest: int, lost: int, gained: int) -> Any:
    return SliceSummary(
        name=name, slicing=slicing, declared=True, judged=True, rows=rows, positives=rarest,
        cells=(), classes=CLASSES, lost=lost, gained=gained,
    )  # fmt: skip


def mean(**given: Any) -> Finding:
    """A finding on a mean of language or score rows."""
    values: dict[str, Any] = {
        "check": "max_rise", "status": "pass", "severity": "block", "evidence": "proven",
        "p_value": 0.0012, "p_harm": 0.9988, "p_harm_adjusted": 1.0, "n": 4000,
        "method": "t and Hall's skewness-corrected t",
        **given,
    }  # fmt: skip
    values["difference"] = values["candidate"] - values["baseline"]
    return Finding(**values)


def language(records: ModuleType) -> DecisionRecord:
    """Open: one slice lacks documents, and one interval has no end on the worse side."""
    findings = (
        mean(rule=0, metric="nll_per_token", slice="overall", baseline=2.5968, candidate=2.6011,
             ci_low=0.0024, ci_high=0.0061, limit=0.02),
        mean(rule=0, metric="nll_per_token", slice=_VIDEO, baseline=2.6021, candidate=2.6119,
             ci_low=-0.0021, ci_high=0.0217, limit=0.02, status="inconclusive", n=214,
             p_value=0.061, p_harm=0.94, needed=86, needed_unit="rows",
             note="the method is validated from 300 rows up; here are 214; "
             "add about 86 more documents"),
        mean(rule=1, metric="perplexity", slice="overall", check="at_most", baseline=13.421,
             candidate=13.479, ci_low=12.9, ci_high=14.1, limit=20.0),
        mean(rule=1, metric="perplexity", slice=_VIDEO, baseline=13.49, candidate=13.62,
             ci_low=0.02, ci_high=None, limit=0.3, status="inconclusive", n=214),
    )  # fmt: skip
    flips = tuple(
        Flip(id=f"d-{n}", slices=(_VIDEO,), label="", baseline=578.23, candidate=after,
             lost=after > 578.23, text="Walk further than your shoes would like you to.")
        for n, after in enumerate((652.5, 561.9))
    )  # fmt: skip
    generations = (
        Generation(id="d-7", slices=(_VIDEO,), prompt="A headline for walking shoes:\n",
                   reference="Walk further.", baseline="Walk a mile in them.\nThen another.",
                   candidate="Walk, walk, walk, walk, walk"),
        Generation(id="d-9", slices=("content_type=display",), prompt="",
                   reference="Sold out by noon.", baseline="Back in stock.",
                   candidate="Back in stock."),
        Generation(id="d-8", slices=(_VIDEO,), prompt="Say no more.", reference="Fine.",
                   baseline="", candidate="\n"),
    )  # fmt: skip
    return replace(
        records.approved(), outcome="inconclusive", exit_code=4, flips=flips,
        findings=records.looked_at(findings),
        generations=generations,
        slices=tuple(
            SliceSummary(name=name, slicing=slicing, declared=True, judged=True, rows=rows,
                         positives=rows, cells=())
            for name, slicing, rows in (
                ("overall", "overall", 4000), (_VIDEO, "content_type", 214),
            )
        ),
        policy=_policy(records, "language", "NLL must hold.", "Perplexity must hold."),
        reasons=("NLL per token on content_type=video went from 2.602 to 2.612 nats.",),
        warnings=(
            ("NLL per token on overall went from 2.597 to 2.601 nats: a real loss, within what is "
             "allowed."),
        ),
        allowed_losses=(0,),
    )  # fmt: skip
