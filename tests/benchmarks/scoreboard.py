"""The smallest model that the gate approves, by recipe: what each part of a recipe is worth.

python tests/benchmarks/scoreboard.py [--models vit decoder demo minilm] [--seeds 0 1 2 3 4]
    [--recipes taylor ...] [--keep FOLDER] [--fastest] [--quick]

Models are trained anew for every seed (``trained/benches.py``): on scikit-learn's digits a vision
transformer that reads them and a decoder that writes them; the demo's vision transformer; a real
encoder from the package index, fine-tuned on sentences that packages ship. A recipe removes the
same share of all heads and of all neurons, more from level to level, and recovers for 60 steps (the
demo's for 200, at the rate of the demo's search); the gate judges each candidate on rows that
nothing saw, until it approves one no more, and the step between the last two levels is then halved
three times (twice for the real encoder, which has six levels in place of twelve). What counts is
the share of the baseline's parameters in the smallest candidate that was approved so. Mean and
standard deviation over seeds; fewer = parameters saved against Taylor with plain fine-tuning, seed
by seed.
With several models, a table of what each recipe saves on all of them follows.

With --fastest, every candidate that is approved is also timed against the baseline, one row a call,
in turns; what counts is the least median ratio of latencies (fastest, x the baseline's).

With --keep, what was found is kept there, by model and seed, and taken up again: a long run can be
stopped, and its table printed of what there is (seeds that have every recipe). --quick shows in a
minute that everything runs: hardly trained models, one level, two steps; its numbers mean nothing.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl
import torch
from scipy.stats import ttest_1samp
from trained.benches import MODELS, Bench

import prunegate
from prunegate.compress.execute import compress
from prunegate.compress.steps import PreparedStep
from prunegate.cost.measure import measure
from prunegate.errors import ModelError
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.policy.steps import Step

TEACHER = {"teacher": "baseline", "weight": 0.9, "temperature": 2}
INT8 = {"quantize": {"engine": "torch"}}
HALF_A_UNIT = 0.5
"""What a step has to remove at least; less rounds to nothing."""
SECONDS = 6.0
"""About how long one candidate is timed."""


@dataclass(frozen=True)
class Recipe:
    """What is done at a level."""

    prune: dict[str, Any]
    finetune: dict[str, Any]
    last: tuple[dict[str, Any], ...] = ()

    def steps(
        self, level: float, kept: KeptUnits, recovery: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        units: dict[Kind, float] = {"heads": min(level, 0.75), "neurons": level}
        cut = [
            {"prune": {"what": kind, "amount": amount, **self.prune}}
            for kind, amount in units.items()
            if amount * sum(map(len, kept.of(kind))) >= HALF_A_UNIT
        ]
        return [*cut, {"finetune": {**recovery, **self.finetune}}, *self.last]


RIDGE = {"criterion": "taylor", "compensate": "ridge"}
RECIPES = {
    "random": Recipe({"criterion": "random"}, {}),
    "magnitude": Recipe({"criterion": "magnitude"}, {}),
    "taylor": Recipe({"criterion": "taylor"}, {}),
    "taylor + teacher": Recipe({"criterion": "taylor"}, TEACHER),
    "taylor + ridge": Recipe(RIDGE, {}),
    "taylor + ridge + teacher": Recipe(RIDGE, TEACHER),
    "taylor + ridge + teacher + budgets": Recipe({**RIDGE, "scope": "budget"}, TEACHER),
    "taylor + ridge + teacher + 3 plans": Recipe({**RIDGE, "scope": "budget", "plans": 3}, TEACHER),
    "taylor + ridge + teacher + int8": Recipe(RIDGE, TEACHER, (INT8,)),
}
TODAY = "taylor"
"""What the others are held against."""


@dataclass(frozen=True)
class Approved:
    """A candidate that the gate approved."""

    share: float
    """Of the baseline's parameters."""
    latency: float | None
    """Median ratio to the baseline's; None: not timed."""


@dataclass(frozen=True)
class Climb:
    """The way of one recipe on one model, from level to level."""

    bench: Bench
    recipe: Recipe
    seed: int
    timed: bool

    def approved(self) -> list[Approved]:
        """The candidates on the way that are approved; the baseline first."""
        found, passed, failed = [Approved(1.0, 1.0 if self.timed else None)], 0.0, None
        for level in self.bench.levels:
            one = self.at(level)
            if one is None:
                failed = level
                break
            found.append(one)
            passed = level
        for _ in range(self.bench.halvings if failed is not None else 0):
            assert failed is not None
            middle = (passed + failed) / 2
            one = self.at(middle)
            if one is None:
                failed = middle
            else:
                found.append(one)
                passed = middle
        return found

    @cached_property
    def of_baseline(self) -> dict[str, Any]:
        """What the baseline says of the test rows."""
        return self.bench.columns(self.bench.baseline.module, self.bench.test, "baseline")

    def at(self, level: float) -> Approved | None:
        """The candidate of a level; None: the gate does not approve it."""
        bench = self.bench
        asked = self.recipe.steps(level, bench.baseline.kept, bench.recovery)
        steps = [self._prepared(step) for step in asked]
        made = compress(bench.baseline, steps, seed=self.seed)
        found = {"id": np.arange(len(bench.test))}
        found |= self.of_baseline | bench.columns(made.module, bench.test, "candidate")
        if prunegate.judge(bench.policy, pl.DataFrame(found)).outcome != "approve":
            return None
        share = made.surgery.parameters / bench.baseline.parameters
        return Approved(share, self._latency(made.module) if self.timed else None)

    def _prepared(self, step: dict[str, Any]) -> PreparedStep:
        found = Step.model_validate(step)
        rows = self.bench.training if found.finetune else self.bench.calibration
        return PreparedStep(step=found, data=rows if found.rows else None)

    def _latency(self, module: torch.nn.Module) -> float | None:
        inputs = self.bench.test.batch(np.arange(1)).inputs
        found = measure(self.bench.baseline.module, module, inputs, seconds=SECONDS)
        return None if found.latency_ratio is None else found.latency_ratio.value


Found = dict[str, dict[str, float | None]]
"""By recipe: the least share and the least latency of what was approved; the recipe is not for such
a model where the share is None."""


def found_edges(
    model: str,
    seed: int,
    recipes: Sequence[str],
    keep: Path | None,
    *,
    timed: bool = False,
    quick: bool = False,
) -> Found:
    """What each recipe reached; what is kept is not done again."""
    file = None if keep is None else keep / f"{model}-{seed}.json"
    known: Found = {}
    if file is not None and file.exists():
        known = {name: _kept(one) for name, one in json.loads(file.read_text()).items()}
    missing = [
        name
        for name in recipes
        if name not in known or (timed and known[name].get("latency", 0) is None)
    ]
    bench = MODELS[model](seed, quick) if missing else None
    for name in missing:
        assert bench is not None
        if quick:
            few = {**bench.recovery, "steps": 2}
            bench = replace(bench, levels=bench.levels[:1], halvings=0, recovery=few)
        known[name] = _reached(Climb(bench, RECIPES[name], seed, timed), f"{model}, {name}")
        print(f"# {model}, seed {seed}, {name}: {known[name]}", flush=True)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(known))
    return known


def _kept(one: Any) -> dict[str, float | None]:
    """What a file holds of a recipe; runs that timed nothing kept a share alone."""
    return one if isinstance(one, dict) else {"share": one, "latency": None}


def _reached(climb: Climb, name: str) -> dict[str, float | None]:
    try:
        found = climb.approved()
    except ModelError as error:
        print(f"# {name}: {error}", flush=True)
        return {"share": None}
    latencies = [one.latency for one in found if one.latency is not None]
    return {
        "share": min(one.share for one in found),
        "latency": min(latencies, default=None),
    }


def table(known: Mapping[int, Found], recipes: Sequence[str]) -> list[str]:
    """One line a recipe."""
    lines = [
        "| recipe | parameters at the edge, % | each seed | fewer than taylor's, % | fastest, x |",
        "|---|---|---|---|---|",
    ]
    for name in recipes:
        shares = {seed: found[name]["share"] for seed, found in known.items()}
        left = {seed: share for seed, share in shares.items() if share is not None}
        if not left:
            lines.append(f"| {name} | not for this model | | | |")
            continue
        fewer = saved(known, name)
        times = [t for found in known.values() if (t := found[name].get("latency")) is not None]
        each = ", ".join(f"{100 * share:.1f}" for share in left.values())
        edge = told([100 * share for share in left.values()])
        fastest = told(times, digits=2) if times else ""
        lines.append(f"| {name} | {edge} | {each} | {told(fewer) if fewer else ''} | {fastest} |")
    return lines


def saved(known: Mapping[int, Found], name: str) -> list[float]:
    """Parameters that a recipe saves against today's, in per cent, seed by seed."""
    pairs = ((found[name]["share"], found.get(TODAY, {}).get("share")) for found in known.values())
    return [100 * (1 - share / today) for share, today in pairs if share and today]


def over_models(known: Mapping[str, Mapping[int, Found]], recipes: Sequence[str]) -> list[str]:
    """One line a recipe: what it saves on all models and seeds, each of which counts once.

    The p-value is of a t-test that it saves nothing on average (two-sided).
    """
    lines = [
        "| recipe | fewer than taylor's, % | better, equal, worse | p, saves nothing |",
        "|---|---|---|---|",
    ]
    for name in recipes:
        fewer = [one for found in known.values() for one in saved(found, name)]
        if name == TODAY or len(fewer) < 2:  # a spread takes two
            continue
        signs = [sum(sign * one > 0 for one in fewer) for sign in (1, -1)]
        counts = f"{signs[0]}, {len(fewer) - sum(signs)}, {signs[1]}"
        p = float(ttest_1samp(fewer, 0.0).pvalue)
        lines.append(f"| {name} | {told(fewer)} | {counts} | {p:.2g} |")
    return lines


def told(values: Sequence[float], *, digits: int = 1) -> str:
    """Mean and standard deviation."""
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def main() -> None:
    """Print one table a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=[*MODELS], default=["vit", "decoder"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--recipes", nargs="+", choices=[*RECIPES], default=[*RECIPES])
    parser.add_argument("--keep", type=Path, help="a folder for what was found")
    parser.add_argument("--fastest", action="store_true", help="time what is approved, too")
    parser.add_argument("--quick", action="store_true", help="that it runs, and no more")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    how = {"timed": chosen.fastest, "quick": chosen.quick}
    every: dict[str, dict[int, Found]] = {}
    for model in chosen.models:
        every[model] = {
            seed: found_edges(model, seed, chosen.recipes, chosen.keep, **how)
            for seed in chosen.seeds
        }
        print(f"\n{model}\n" + "\n".join(table(every[model], chosen.recipes)), flush=True)
    if len(every) > 1:
        print("\nall of them\n" + "\n".join(over_models(every, chosen.recipes)), flush=True)


if __name__ == "__main__":
    main()
