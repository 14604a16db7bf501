"""Random verdicts: every kind of rule, slice, figure and gap, by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prunegate
from prunegate.cost.measurement import Interval, Measurements, ModelFigures
from prunegate.errors import PolicyError
from prunegate.policy.catalogue import METRICS, Metric
from prunegate.policy.load import parse_policy
from prunegate.policy.model import Policy
from prunegate.verdict.finding import Verdict

Judged = tuple[Policy, Verdict]
RATES = [m.name for m in METRICS.values() if "binary" in m.tasks]
FIGURES = [m.name for m in METRICS.values() if m.kind == "operational"]
EXPECTED = ["video", "display", "ugc"]
VALUES = [*EXPECTED, "rare", "tiny"]


@pytest.fixture(scope="session")
def random_verdict() -> Callable[[int], Judged]:
    """The verdict of a random policy on random counts and figures, by seed."""
    return _random_verdict


def _random_verdict(seed: int) -> Judged:
    draw = np.random.default_rng(seed)
    lenient = bool(draw.random() < 0.4)
    policy = None
    while policy is None:
        try:
            policy = parse_policy(_yaml(draw, lenient))
        except PolicyError:  # rules that contradict each other: draw again
            policy = None
    measured = _measurements(draw) if draw.random() < 0.8 else None
    return policy, prunegate.judge_counts(policy, _counts(draw), measurements=measured)


def _pick(draw: np.random.Generator, *options: Any) -> Any:
    return options[draw.integers(len(options))]


def _yaml(draw: np.random.Generator, lenient: bool) -> str:
    rules = "\n".join(f"  - {{{_rule(draw, lenient)}}}" for _ in range(draw.integers(1, 7)))
    price = _pick(draw, "", ", candidate: 0.003")
    return f"""\
prunegate: 1
name: random
task: {{kind: binary, positive: unsafe}}
slices:
  - {{by: kind, expect: {_pick(draw, "[video]", "[video, display]", "[video, display, ugc]")}}}
  - {{by: [kind, region]}}
  - {{name: holiday, where: {{region: {_pick(draw, "eu", "us", "nowhere")}}}}}
evidence:
  confidence: {_pick(draw, 0.95, 0.9, 0.6)}
  minimum: {_pick(draw, "{}", "{rows: 50}", "{rows: 300, positives: 100}")}
rules:
{rules}
cost: {{billing: {{per_inference: {{baseline: 0.004{price}}}}}}}
"""


def _rule(draw: np.random.Generator, lenient: bool) -> str:
    if lenient:
        where = _pick(draw, "all", "kind", "overall", "kind=video")
        return f"metric: {_pick(draw, *RATES[:5])}, slices: {where}, {_pick(draw, *_LENIENT)}"
    metric = METRICS[_pick(draw, *RATES, *FIGURES[::2]) if draw.random() < 0.5 else "recall"]
    figure = metric.kind == "operational"
    parts = [f"metric: {metric.name}", _pick(draw, "severity: block", "severity: warn")]
    parts.append(_pick(draw, "evidence: proven", "evidence: proven", "evidence: point"))
    parts.append(_pick(draw, "on_undefined: fail", "on_undefined: inconclusive"))
    if not figure:
        parts.append(f"slices: {_pick(draw, *_SELECTORS)}")
    for check in draw.permutation(_checks(metric))[: draw.integers(1, 4)]:
        if check in ("at_least", "at_most"):
            limit = _pick(draw, 8, 100, 800) if figure else _pick(draw, 0.0, 0.02, 0.8, 0.9, 1.0)
        elif check == "max_ratio":
            limit = _pick(draw, 0.5, 0.8, 1.0, 1.1)
        else:
            kinds = (0, 2, 200) if figure else (0.0, 0.01, 0.05, 0.3)
            errors = () if figure or "gain" in check else ("{error_ratio: 0.5}",)
            limit = _pick(draw, *kinds, *errors, "{relative: 0.05}", "{relative: 0.2}")
        parts.append(f"{check}: {limit}")
    return ", ".join(parts)


_SELECTORS = (
    *("all", "overall", "kind", "kind=video", "kind=rare", "holiday"),
    *("[all, overall]", '["kind,region", holiday]', "[kind=ugc, kind]"),
)
_LENIENT = (
    *("at_least: 0.3", "max_drop: 0.3", "max_drop: {relative: 0.5}", "max_gain: 0.9"),
    *("evidence: point, max_drop: 0.2", "at_least: 0.1, severity: warn"),
)


def _checks(metric: Metric) -> tuple[str, ...]:
    if not metric.paired:
        return ("at_least", "at_most")
    loss = "max_rise" if metric.better == "lower" else "max_drop"
    return ("at_least", "at_most", loss, "min_gain", "max_gain", "max_ratio")


def _counts(draw: np.random.Generator) -> pd.DataFrame:
    """Joint counts of kinds in regions: good, bad, small, one-sided and absent ones."""
    rows = []
    whole = draw.random() < 0.5
    for kind in VALUES:
        if not whole and draw.random() < 0.3:
            continue
        size = _pick(draw, 3000, 30000) if whole else _pick(draw, 3, 30, 300, 3000)
        for region in ("eu", "us"):
            flips, errors = _pick(draw, 0.0, 0.01, 0.1), _pick(draw, 0.0, 0.05)
            weights = np.array([0.5, flips, flips, errors, errors, flips, flips, 0.5])
            weights *= draw.random(8) ** _pick(draw, 0, 1)
            if draw.random() < 0.1:
                weights[:4] = 0
            drawn = draw.multinomial(size, weights / weights.sum())
            rows += [(kind, region, i >> 2, i >> 1 & 1, i & 1, n) for i, n in enumerate(drawn)]
    rows.append(("video", "eu", 1, 1, 1, int(draw.integers(1, 5))))
    names = ["kind", "region", "label", "baseline", "candidate", "n"]
    return pd.DataFrame(rows, columns=names)


def _measurements(draw: np.random.Generator) -> Measurements:
    ratio = float(_pick(draw, 0.5, 0.8, 1.0, 1.1))
    width = float(_pick(draw, 0.0, 0.05))
    interval = Interval(value=ratio, low=ratio - width, high=ratio + width)
    before = ModelFigures(
        latency_p50_ms=10.0,
        latency_p95_ms=float(_pick(draw, 0.0, 20.0)),
        throughput_per_s=100.0,
        model_bytes=1000,
        active_heads=8,
    )
    after = replace(
        before,
        latency_p50_ms=_pick(draw, None, 10.0 * ratio),
        model_bytes=int(_pick(draw, 500, 800, 1000)),
        active_heads=_pick(draw, None, 6),
    )
    return Measurements(
        created="2026-01-01T00:00:00Z",
        engine="torch",
        batch=1,
        threads=1,
        rounds=9,
        baseline=before,
        candidate=after,
        cpu_ratio=_pick(draw, None, interval),
        latency_ratio=interval,
        noise=Interval(value=1.0, low=0.98, high=1.02),
        quiet=bool(_pick(draw, True, True, False)),
    )
