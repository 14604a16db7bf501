"""Decision records to report on: fixed values, so that their reports are golden.

The figures are worked out here with textbook formulas (Wald interval, normal p): they only have to
be plausible to read, never right; the estimators have their own tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.unit.report.plain_findings import change, figure, level, summary, upper_tail
from tests.unit.report.plain_picture import picture

from prunegate.audit.control_record import Control, ControlSlice
from prunegate.audit.record import (
    Compression,
    DecisionRecord,
    Flip,
    Input,
    ModelRef,
    PolicyRef,
    SecondOpinion,
    Tool,
)
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.projection import Month, Projection
from prunegate.discovery.discovered import DiscoveredSlice
from prunegate.verdict.finding import Finding, SliceSummary
from prunegate.verdict.losses import is_loss, with_adjusted_losses

DIGEST = "3f9a1c52b7e0" + "0123456789abcdef" * 3 + "0123"
HOSTILE = (
    "content_type=<img src=x onerror=alert(1)>\u202egnp.exe\u0000\n|`@all`\u200b& \"'=" + "w" * 300
)
SLICES = ("display", "video", "ugc", "story")


def _tool() -> Tool:
    packages = {"numpy": "2.3.1", "scipy": "1.16.0", "torch": "2.13.0", "transformers": "5.23.0"}
    return Tool(
        name="prunegate",
        version="0.1.0",
        python="3.11.9",
        platform="Linux x86_64",
        packages=packages,
    )


_SENTENCES = (  # as policy explain words them
    (
        "Overall and on every content_type, recall must be proven to have dropped by no more "
        "than 2 points against the baseline; otherwise the candidate is not approved."
    ),
    "Overall, recall must be proven to be at least 85 %; otherwise the candidate is not approved.",
    (
        "Overall and on every content_type, precision must be proven to have dropped by no more "
        "than 3 points against the baseline; otherwise the candidate is not approved."
    ),
    (
        "The cost of 1,000 inferences may be at most 0.75 times the baseline's; otherwise the "
        "candidate is not approved."
    ),
    (
        "The size of the stored weights should be at most 0.8 times the baseline's; otherwise "
        "there is a warning."
    ),
)


def _policy() -> PolicyRef:
    document = {
        "prunegate": 1,
        "name": "brand-safety-vit",
        "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
    }
    return PolicyRef(
        name="brand-safety-vit",
        purpose="Flag user-generated images for human review before amplification.",
        owner="Brand safety team",
        sha256="9c41" * 16,
        document=document,
        sentences=_SENTENCES,
    )


_RECALL = {
    "overall": (4800, 4275, 253, 91),
    "display": (1200, 1137, 9, 17),
    "video": (1200, 1069, 93, 9),
    "ugc": (1200, 1072, 79, 13),
    "story": (1200, 997, 72, 52),
}
_PRECISION = {
    "overall": (4610, 4322, 0.0041),
    "display": (1180, 1121, 0.0092),
    "video": (1090, 1020, -0.0053),
    "ugc": (1120, 1049, 0.0012),
    "story": (1220, 1132, -0.0071),
}


def _name(key: str) -> str:
    return key if key == "overall" else f"content_type={key}"


def _precision(key: str) -> Finding:
    n, right, difference = _PRECISION[key]
    spread = 0.17 / math.sqrt(n)
    safe = upper_tail((difference + 0.03) / spread)
    return Finding(
        rule=2, metric="precision", slice=_name(key), check="max_drop",
        status="pass" if safe <= 0.05 else "inconclusive", severity="block", evidence="proven",
        baseline=right / n, candidate=right / n + difference, difference=difference,
        ci_low=difference - 1.96 * spread, ci_high=difference + 1.96 * spread, limit=0.03,
        p_value=safe, p_harm=1 - safe, p_harm_adjusted=1.0, n=n,
        method="constrained-likelihood score",
        needed=None if safe <= 0.05 else 640, needed_unit=None if safe <= 0.05 else "rows",
    )  # fmt: skip


def _findings() -> tuple[Finding, ...]:
    recall = [
        change(rule=0, slice=_name(k), n=n, right=right, lost=lost, gained=gained, margin=0.02)
        for k, (n, right, lost, gained) in _RECALL.items()
    ]
    story = replace(
        recall[-1], needed=1637, needed_unit="positives", note="label about 1,700 more positives"
    )
    floor = level(rule=1, slice="overall", n=4800, right=4113, before=4275, limit=0.85)
    cost = figure(rule=3, metric="cost_per_1k", check="max_ratio", status="pass",
                  baseline=4.2, candidate=2.9, limit=0.75)  # fmt: skip
    size = figure(rule=4, metric="model_bytes", check="max_ratio", status="fail", severity="warn",
                  baseline=1_881_312, candidate=1_538_204, limit=0.8)  # fmt: skip
    judged = (*recall[:-1], story, floor, *(_precision(k) for k in _PRECISION))
    return (*looked_at(judged), cost, size)


def looked_at(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, of which those whose interval says so stand up to all that was looked at."""
    return with_adjusted_losses([replace(f, p_loss=1e-4) if is_loss(f) else f for f in findings])


def _slices() -> tuple[SliceSummary, ...]:
    cells = {
        "display": (1730, 11, 14, 45, 54, 17, 9, 1120),
        "video": (1712, 16, 12, 60, 122, 9, 93, 976),
        "ugc": (1715, 14, 15, 56, 115, 13, 79, 993),
        "story": (1703, 21, 16, 60, 151, 52, 72, 925),
    }
    whole = tuple(sum(column) for column in zip(*cells.values(), strict=True))
    named = [summary(_name(k), "content_type", c) for k, c in cells.items()]
    small = summary("content_type=podcast", "content_type", (20, 0, 0, 1, 1, 0, 1, 6),
                     declared=False, judged=False)  # fmt: skip
    return (summary("overall", "overall", whole), *named, small)


def _flips() -> tuple[Flip, ...]:
    lost = [
        Flip(id=f"{kind}-{number:05d}", slices=(_name(kind),), label="unsafe", lost=True,
             baseline=0.93 - 0.031 * number, candidate=0.08 + 0.05 * number,
             image=f"{kind}/{number:05d}.png")
        for kind, count in (("video", 6), ("ugc", 3))
        for number in range(count)
    ]  # fmt: skip
    gained = Flip(id="video-09001", slices=(_name("video"),), label="safe", lost=False,
                  baseline=0.5004, candidate=0.21)  # fmt: skip
    return (*lost, gained)


def pictures() -> dict[str, bytes]:
    """Pictures of some of the flipped rows; one is no picture at all."""
    found = {f"video-{n:05d}": picture(9 * n) for n in range(5)}
    return {**found, "ugc-00000": picture(60), "ugc-00001": b"<svg onload=alert(1)>"}


def _compression() -> Compression:
    kept = ((0, 1, 2, 3, 5), (0, 2, 3, 4), (1, 2, 4, 5), (0, 1, 3), (0, 2, 3, 4), (1, 2, 3, 5))
    share = tuple(
        tuple(round((1 + (7 * layer + 5 * head) % 11) / 60, 4) for head in range(6))
        for layer in range(6)
    )
    return Compression(
        recipe=({"prune": {"what": "heads", "amount": 0.33}}, {"finetune": {"steps": 400}}),
        heads_before=(6,) * 6, heads_kept=kept, head_share=share, neurons_before=(192,) * 6,
        neurons_kept=(150, 141, 147, 139, 144, 143), loss_first=0.412, loss_last=0.187,
        summary=(
            ("Removed 12 of 36 attention heads, ranked by their gradient (Taylor) on 2,000 "
            "calibration images, over all layers together."),
            "Removed 288 of 1,152 MLP neurons, ranked the same way.",
            "Fine-tuned 400 steps on 9,000 display creatives.",
        ),
    )  # fmt: skip


def _models() -> tuple[ModelRef, ModelRef]:
    shared = "ViTForImageClassification"
    return (
        ModelRef(name="baseline", architecture=shared, digest="a1" * 32, parameters=469_346,
                 model_bytes=1_881_312, active_heads=36),
        ModelRef(name="candidate", architecture=shared, digest="b2" * 32, parameters=383_570,
                 model_bytes=1_538_204, active_heads=24),
    )  # fmt: skip


def _control() -> Control:
    control = {
        "overall": 0.8712,
        "display": 0.9531,
        "video": 0.8539,
        "ugc": 0.8617,
        "story": 0.8167,
    }
    rows = []
    for key, (n, right, lost, gained) in _RECALL.items():
        rows.append(ControlSlice(
            metric="recall", slice=_name(key), baseline=right / n, control=control[key],
            candidate=(right + gained - lost) / n, lost=lost // 2, gained=gained,
        ))  # fmt: skip
    return Control(
        summary="The same fine-tuning on display creatives, with nothing removed, already lost "
        "3.7 points of recall on content_type=video; pruning added 3.3.",
        slices=tuple(rows),
    )


def measurements(*, quiet: bool = True) -> Measurements:
    """Figures of both models."""
    return Measurements(
        created="2026-02-03T10:31:00Z", engine="torch 2.13.0 cpu", batch=64, threads=1, rounds=40,
        baseline=ModelFigures(latency_p50_ms=41.23, latency_p95_ms=44.9, latency_p99_ms=47.1,
                              throughput_per_s=1552.0, cpu_ms=0.644),
        candidate=ModelFigures(latency_p50_ms=30.71, latency_p95_ms=33.8, latency_p99_ms=36.0,
                               throughput_per_s=2084.0, cpu_ms=0.481),
        cpu_ratio=Estimate95(value=0.747, low=0.741, high=0.752),
        latency_ratio=Estimate95(value=0.745, low=0.737, high=0.753),
        noise=Estimate95(value=1.002, low=0.994, high=1.009), quiet=quiet,
        environment={"processor": "2 cores", "load before": "0.12"},
    )  # fmt: skip


def projection() -> Projection:
    """The worked case: 0.0042 and 0.0029 an inference, 180,000 to 800,000 in 18 months."""
    months, total = [], 0.0
    for month in range(19):
        volume = round(180_000 + (800_000 - 180_000) * month / 18)
        before, after = volume * 42 / 10_000, volume * 29 / 10_000
        total += (before - after) if month else 0
        months.append(Month(month=month, volume=volume, baseline=f"{before:.2f}",
                            candidate=f"{after:.2f}", saving=f"{before - after:.2f}",
                            cumulative=f"{total:.2f}"))  # fmt: skip
    return Projection(
        currency="USD", price_baseline="0.0042", price_candidate="0.0029", basis="quoted",
        cost_per_1k_baseline="4.20", cost_per_1k_candidate="2.90", months=tuple(months),
    )  # fmt: skip


def _common(**given: Any) -> DecisionRecord:
    values: dict[str, Any] = {
        "created": "2026-02-03T10:32:07Z", "command": "demo", "seed": 0, "tool": _tool(),
        "policy": _policy(), "outcome": "reject", "exit_code": 3,
        "inputs": (
            Input(role="predictions", name="gate.parquet", sha256="c3" * 32, rows=12029),
        ),
        "statement": "If any slice is really worse than its limit, this gate approves about 5 % of "
        "the time (independent rows, fresh data).",
        "second_opinion": SecondOpinion(engine="great_expectations 1.24.1", expectations=12,
                                        findings=len(given["findings"])),
        "known_limits": (
            "Labels are taken as they are; wrong labels weaken every figure.",
            "Content types that are not in the data were not judged.",
        ),
    }  # fmt: skip
    return DecisionRecord(**{**values, **given})


def rejected() -> DecisionRecord:
    """As the demo makes it: recovered on display creatives alone, loses video and ugc."""
    baseline, candidate = _models()
    return _common(
        baseline=baseline, candidate=candidate, compression=_compression(), control=_control(),
        findings=_findings(), slices=_slices(), flips=_flips(), measurements=measurements(),
        cost=projection(),
        reasons=(
            ("Recall on content_type=video went from 89.1 % to 82.1 % (lost 93, gained 9 of "
            "1,200); allowed: drop of at most 2 points."),
            ("Recall on content_type=ugc went from 89.3 % to 83.8 % (lost 79, gained 13 of "
            "1,200); allowed: drop of at most 2 points."),
        ),
        warnings=(
            "content_type=podcast is not declared in the policy (29 rows, too few to be judged)",
        ),
    )  # fmt: skip


def approved() -> DecisionRecord:
    """A gate on a predictions file alone: no models, no cost; a pass by a hair, a real loss."""
    drops = {
        "overall": (21, 17),
        "display": (5, 6),
        "video": (9, 4),
        "ugc": (14, 2),
        "story": (7, 5),
    }
    findings = tuple(
        change(rule=0, slice=_name(k), n=4800 if k == "overall" else 1200, lost=lost, gained=gained,
               right=4275 if k == "overall" else 1069, margin=0.02)
        for k, (lost, gained) in drops.items()
    )  # fmt: skip
    hair = replace(findings[2], ci_low=-0.0203, p_value=0.0431, p_harm=0.9569)
    return _common(
        command="gate", seed=None, outcome="approve", exit_code=0,
        findings=looked_at((*findings[:2], hair, *findings[3:])), slices=_slices()[:5],
        policy=replace(_policy(), sentences=_SENTENCES[:1]),
        reasons=("All 5 blocking limits hold on 5 slices.",), known_limits=(),
    )  # fmt: skip


def found(**given: Any) -> DiscoveredSlice:
    """An undeclared slice that stands out."""
    where = "{season: holiday, market: south}"
    values: dict[str, Any] = {
        "name": "season=holiday,market=south",
        "columns": ("season", "market"),
        "values": ("holiday", "south"),
        "rows": 812,
        "lost": 61,
        "gained": 20,
        "net_loss": 41 / 812,
        "z": 4.5556,
        "guarded_p": 0.002,
        "beyond": 4.41,
        "stands_out": True,
        "snippet": f"slices:\n  - {{name: holiday-south, where: {where}}}\n",
    }
    return DiscoveredSlice(**{**values, **given})


def hostile() -> DecisionRecord:
    """Inconclusive on thirty slices whose names want to do harm, in every text of the record."""
    names = [f"{HOSTILE}-{n}" for n in range(30)]
    policy = replace(
        _policy(), name="odd-names", purpose=HOSTILE, owner=HOSTILE, sentences=(HOSTILE,)
    )
    findings = tuple(
        replace(
            change(rule=0, slice=name, n=40 + n, right=36, lost=2, gained=n % 2, margin=0.02),
            status="inconclusive", needed=600 + 37 * n, needed_unit="positives", note=HOSTILE,
        )
        for n, name in enumerate(names)
    )  # fmt: skip
    cells = (20, 1, 1, 2, 3, 1, 2, 33)
    return _common(
        outcome="inconclusive", exit_code=4, findings=findings,
        slices=tuple(summary(name, "content_type", cells) for name in names),
        policy=policy,
        reasons=tuple(f"Recall on {name}: {HOSTILE}." for name in names),
        flips=(Flip(id=HOSTILE, slices=(names[0], HOSTILE), label=HOSTILE, baseline=0.7,
                    candidate=0.2, lost=True),),
        warnings=(HOSTILE,), known_limits=(HOSTILE,), statement=HOSTILE,
        environment={HOSTILE: HOSTILE}, discoveries=(found(name=HOSTILE), found(snippet=None)),
        control=Control(summary=HOSTILE, slices=()),
    )  # fmt: skip


def undefined() -> DecisionRecord:
    """Nothing could be worked out: every optional value is None."""
    nothing = dict.fromkeys(
        ("baseline", "candidate", "difference", "ci_low", "ci_high", "p_value", "p_harm")
    )
    findings = tuple(
        Finding(rule=r, metric=m, slice=s, check=c, status="inconclusive", severity="block",
                evidence="proven", limit=limit, n=0, method="none",
                note="the policy expects this slice and the data have no row of it", **nothing)
        for r, m, s, c, limit in (
            (0, "recall", "content_type=video", "max_drop", 0.02),
            (1, "recall", "overall", "at_least", 0.85),
            (2, "precision", "content_type=video", "max_drop", 0.03),
        )
    )  # fmt: skip
    latency = figure(rule=3, metric="latency_p95_ms", check="at_most", status="inconclusive",
                     baseline=None, candidate=None, limit=40.0, note="not measured")  # fmt: skip
    return _common(
        command="gate", seed=None, outcome="inconclusive", exit_code=4,
        findings=(*findings, latency), known_limits=(), statement="Nothing was proven.",
        second_opinion=None,
        slices=(
            summary("overall", "overall", (0,) * 8),
            summary("content_type=video", "content_type", ()),
        ),
        reasons=("Recall on content_type=video: the policy expects this slice.",),
        policy=replace(_policy(), purpose=None, owner=None, sentences=()),
        inputs=(Input(role="predictions", name="frame", sha256=None),),
    )  # fmt: skip
