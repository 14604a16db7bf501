"""The smallest model that the gate approves, by recipe: what each part of a recipe is worth.

python tests/benchmarks/scoreboard.py [--seeds 0 1 2 3 4] [--recipes taylor ...] [--keep FOLDER]

A small vision transformer is trained anew for every seed on scikit-learn's digits. A recipe removes
the same share of all heads and of all neurons, more from level to level, and recovers for 60 steps;
the gate judges each candidate on rows that nothing saw, until it approves one no more. What counts
is the share of the baseline's parameters in the last candidate that was approved before that. Mean
and standard deviation over seeds; fewer = parameters saved against Taylor with plain fine-tuning.

With --keep, what was found is kept there and taken up again: long runs can be split by seed.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl
import torch
from trained.digits import Digits, digits, train, untrained

import prunegate
from prunegate.compress.execute import compress
from prunegate.compress.steps import PreparedStep
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Step

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Share of the units that goes; of heads at most 0.75, since one stays in each layer."""
RECOVERY = {"steps": 60, "learning_rate": 1e-3, "flips": False}
TEACHER = {"teacher": "baseline", "weight": 0.9, "temperature": 2}
INT8 = {"quantize": {"engine": "torch"}}
POLICY = Policy.model_validate(
    {
        "prunegate": 1,
        "name": "digits",
        "task": {"kind": "multiclass"},
        "rules": [{"metric": "accuracy", "max_drop": 0.03}],
    }
)


@dataclass(frozen=True)
class Recipe:
    """What is done at a level."""

    prune: dict[str, Any]
    finetune: dict[str, Any]
    last: tuple[dict[str, Any], ...] = ()

    def steps(self, level: float) -> list[dict[str, Any]]:
        units = {"heads": min(level, 0.75), "neurons": level}
        cut = [{"prune": {"what": k, "amount": a, **self.prune}} for k, a in units.items()]
        return [*cut, {"finetune": {**RECOVERY, **self.finetune}}, *self.last]


RIDGE = {"criterion": "taylor", "compensate": "ridge"}
RECIPES = {
    "random": Recipe({"criterion": "random"}, {}),
    "magnitude": Recipe({"criterion": "magnitude"}, {}),
    "taylor": Recipe({"criterion": "taylor"}, {}),
    "taylor + teacher": Recipe({"criterion": "taylor"}, TEACHER),
    "taylor + ridge": Recipe(RIDGE, {}),
    "taylor + ridge + teacher": Recipe(RIDGE, TEACHER),
    "taylor + ridge + teacher + budgets": Recipe({**RIDGE, "scope": "budget"}, TEACHER),
    "taylor + ridge + teacher + int8": Recipe(RIDGE, TEACHER, (INT8,)),
}
TODAY = "taylor"
"""What the others are held against."""


@dataclass(frozen=True)
class Bench:
    """A trained model with its rows."""

    baseline: LoadedModel
    training: Digits
    calibration: Digits
    test: Digits

    @classmethod
    def of(cls, seed: int) -> Bench:
        training, test = digits(seed)
        baseline = untrained(seed)
        train(baseline, training, steps=400, seed=seed)
        some = Digits(training.pixels[:600], training.labels[:600])
        return cls(baseline, training, some, test)

    def prepared(self, step: dict[str, Any]) -> PreparedStep:
        found = Step.model_validate(step)
        rows = self.training if found.finetune else self.calibration
        return PreparedStep(step=found, data=rows if found.rows else None)

    def edge(self, recipe: Recipe, seed: int) -> float:
        """The share of parameters in the last candidate before one that is not approved."""
        smallest = 1.0
        for level in LEVELS:
            steps = [self.prepared(step) for step in recipe.steps(level)]
            made = compress(self.baseline, steps, seed=seed)
            if not self.approved(made.module):
                break
            smallest = made.surgery.parameters / self.baseline.parameters
        return smallest

    def approved(self, module: torch.nn.Module) -> bool:
        table = pl.DataFrame(
            {
                "id": np.arange(len(self.test)),
                "label": self.test.labels.numpy(),
                "baseline": self.answers(self.baseline.module),
                "candidate": self.answers(module),
            }
        )
        return prunegate.judge(POLICY, table).outcome == "approve"

    def answers(self, module: torch.nn.Module) -> np.ndarray:
        with torch.inference_mode():
            found: Any = module(pixel_values=self.test.pixels)
        answered: np.ndarray = found.logits.argmax(-1).numpy()
        return answered


def found_edges(seed: int, recipes: list[str], keep: Path | None) -> dict[str, float]:
    """Share of parameters at the edge, by recipe; what is kept is not done again."""
    file = None if keep is None else keep / f"{seed}.json"
    known: dict[str, float] = json.loads(file.read_text()) if file and file.exists() else {}
    missing = [name for name in recipes if name not in known]
    bench = Bench.of(seed) if missing else None
    for name in missing:
        assert bench is not None
        known[name] = bench.edge(RECIPES[name], seed)
        print(f"# seed {seed}, {name}: {known[name]:.1%}", flush=True)
        if file is not None:
            file.write_text(json.dumps(known))
    return known


def table(known: dict[int, dict[str, float]], recipes: list[str]) -> list[str]:
    """One line a recipe; only seeds for which all of them were done."""
    lines = ["| recipe | parameters at the edge, % | of each seed | fewer than taylor's, % |"]
    lines.append("|---|---|---|---|")
    todays = [100 * found.get(TODAY, float("nan")) for found in known.values()]
    for name in recipes:
        shares = [100 * found[name] for found in known.values()]
        each = ", ".join(f"{share:.1f}" for share in shares)
        spread = stdev(shares) if len(shares) > 1 else float("nan")
        fewer = 100 * (1 - mean(shares) / mean(todays))
        lines.append(f"| {name} | {mean(shares):.1f} ± {spread:.1f} | {each} | {fewer:.0f} |")
    return lines


def main() -> None:
    """Print one line a recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--recipes", nargs="+", choices=[*RECIPES], default=[*RECIPES])
    parser.add_argument("--keep", type=Path, help="a folder for what was found")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    known = {seed: found_edges(seed, chosen.recipes, chosen.keep) for seed in chosen.seeds}
    print("\n".join(table(known, chosen.recipes)))


if __name__ == "__main__":
    main()
