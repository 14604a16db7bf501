"""Random verdicts: every kind of rule, slice, figure and gap, by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prunegate
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.errors import PolicyError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, change_check, is_factor, is_level
from prunegate.metrics.metric import Metric
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

Judged = tuple[Policy, Verdict]
RATES = [m.name for m in METRICS.values() if "binary" in m.tasks and not m.from_scores("binary")]
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


@pytest.fixture(scope="session")
def other_verdict() -> Callable[[str, int], Judged]:
    """The verdict on a random table of another task kind, or of grouped rows, by kind and seed."""
    return cache(_other_verdict)


OTHERS = {
    "grouped": ("{kind: binary, positive: a}", RATES[:6]),
    "multiclass": ("{kind: multiclass}", ["recall", "precision", "f1", "accuracy", "churn"]),
    "score": ("{kind: score, range: [-1, 4]}", ["mean_score", "mae", "rmse"]),
    "language": ("{kind: language}", ["nll_per_token", "perplexity"]),
}


def _other_verdict(kind: str, seed: int) -> Judged:
    draw = np.random.default_rng(seed)
    task, metrics = OTHERS[kind]
    policy = None
    while policy is None:
        rules = "\n".join(f"  - {{{_other_rule(draw, kind, metrics)}}}" for _ in range(4))
        # an absent slice is left out where a rule may ask for each class
        expect = "[video]" if kind == "multiclass" else "[video, ugc]"
        more = "group: post\n" if kind == "grouped" else ""
        level = _pick(draw, 0.95, 0.6)
        minimum = _pick(draw, "{}", "{rows: 90}")
        text = f"""\
prunegate: 1
name: other
task: {task}
slices: [{{by: kind, expect: {expect}}}, {{by: [kind, region]}}]
{more}evidence: {{confidence: {level}, minimum: {minimum}}}
rules:
{rules}
"""
        try:
            policy = parse_policy(text)
        except PolicyError:  # rules that contradict each other: draw again
            policy = None
    return policy, prunegate.judge(policy, _table(draw, kind))


def _other_rule(draw: np.random.Generator, kind: str, metrics: list[str]) -> str:
    metric = METRICS[_pick(draw, *metrics)]
    shares = metric.kind != "mean"
    parts = [f"metric: {metric.name}", f"evidence: {_pick(draw, 'proven', 'point')}"]
    parts.append(f"slices: {_pick(draw, 'all', 'overall', 'kind', '[overall, kind=ugc]')}")
    parts.append(_pick(draw, "on_undefined: fail", "severity: block"))
    if kind == "multiclass" and metric.name in ("recall", "precision", "f1"):
        parts.append(f"classes: {_pick(draw, 'macro', 'each', '[a, b]', '[b, rare]')}")
    for check in draw.permutation(_checks(metric))[: draw.integers(1, 3)]:
        if is_level(check):
            limit = _pick(draw, 0.1, 0.8, 0.9) if shares else _pick(draw, 0.1, 2.0, 3.0, 9.0)
        elif is_factor(check):
            limit = _pick(draw, 0.9, 1.0, 1.2)
        else:
            limit = _pick(draw, 0.0, 0.05, 0.3, "{relative: 0.1}")
        parts.append(f"{check}: {limit}")
    return ", ".join(parts)


def _table(draw: np.random.Generator, kind: str) -> pd.DataFrame:
    rows = int(_pick(draw, 40, 400, 3000))
    kinds = ["video", "display"] if draw.random() < 0.5 else ["video", "display", "ugc"]
    data: dict[str, Any] = {"id": np.arange(rows), "kind": draw.choice(kinds, rows)}
    data["kind"][0] = "video"
    data["region"] = draw.choice(["eu", "us"], rows)
    data["post"] = draw.integers(0, max(rows // 3, 2), rows)
    if kind in ("grouped", "multiclass"):
        names = np.array(["a", "b"] if kind == "grouped" else ["a", "b", "c", "rare"])
        odds = np.ones(2) if kind == "grouped" else np.array([5, 3, 2, 0.1])
        label = draw.choice(len(names), rows, p=odds / odds.sum())
        label[: len(names)] = range(len(names))
        before, after = (_misread(draw, label, len(names)) for _ in range(2))
        after = np.where(draw.random(rows) < 0.8, before, after)
        return pd.DataFrame(data | _named(names, label, before, after))
    noise = draw.normal(_pick(draw, 0.0, 0.02), 0.1, rows)
    if kind == "score":
        label = draw.uniform(-1, 4, rows)
        before = np.clip(label + draw.normal(0, 0.5, rows), -1, 4)
        numbers = {"label": label, "baseline": before, "candidate": np.clip(before - noise, -1, 4)}
        return pd.DataFrame(data | numbers)
    tokens = draw.integers(1, 300, rows)
    before = tokens * draw.gamma(20, 0.1, rows)
    after = np.maximum(before + tokens * noise, 0)
    return pd.DataFrame(data | {"tokens": tokens, "baseline": before, "candidate": after})


def _misread(draw: np.random.Generator, label: Any, classes: int) -> Any:
    wrong = draw.random(len(label)) < 0.15
    return np.where(wrong, draw.integers(0, classes, len(label)), label)


def _named(names: Any, label: Any, before: Any, after: Any) -> dict[str, Any]:
    return {"label": names[label], "baseline": names[before], "candidate": names[after]}


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
        if is_level(check):
            limit = _pick(draw, 8, 100, 800) if figure else _pick(draw, 0.0, 0.02, 0.8, 0.9, 1.0)
        elif is_factor(check):
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
    """Those that a rule on it may set; a loss is limited the way that is none to the other side."""
    found = []
    for name in CHECKS:
        change = change_check(name)
        if metric.paired or is_level(name):
            found += [name] if change is None or not change.improves(metric.better) else []
    return tuple(found)


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
    interval = Estimate95(value=ratio, low=ratio - width, high=ratio + width)
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
        noise=Estimate95(value=1.0, low=0.98, high=1.02),
        quiet=bool(_pick(draw, True, True, False)),
    )
