"""The smallest model that the gate approves, by recipe: what each part of a recipe is worth.

python tests/benchmarks/scoreboard.py [--models vit decoder] [--seeds 0 1 2 3 4]
    [--recipes taylor ...] [--keep FOLDER]

Small models are trained anew for every seed on scikit-learn's digits: a vision transformer that
reads them, a decoder that writes them. A recipe removes the same share of all heads and of all
neurons, more from level to level, and recovers for 60 steps; the gate judges each candidate on rows
that nothing saw, until it approves one no more, and the step between the last two levels is then
halved three times. What counts is the share of the baseline's parameters in the smallest candidate
that was approved so. Mean and standard deviation over seeds; fewer = parameters saved against
Taylor with plain fine-tuning, seed by seed.

With --keep, what was found is kept there, by model and seed, and taken up again: a long run can be
stopped, and its table printed of what there is (seeds that have every recipe).
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl
import torch
from trained.digits import GPT2, VIT, Digits, Written, digits, train
from trained.fresh import fresh

import prunegate
from prunegate.compress.execute import compress
from prunegate.compress.steps import PreparedStep
from prunegate.errors import ModelError
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Step

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Share of the units that goes; of heads at most 0.75, since one stays in each layer."""
RECOVERY = {"steps": 60, "learning_rate": 1e-3, "flips": False}
TEACHER = {"teacher": "baseline", "weight": 0.9, "temperature": 2}
INT8 = {"quantize": {"engine": "torch"}}
HALVINGS = 3
"""Of the step between the last level that was approved and the first that was not."""
RULES = {
    "multiclass": {"metric": "accuracy", "max_drop": 0.03},
    "language": {"metric": "nll_per_token", "max_rise": {"relative": 0.03}},
}


def policy(kind: str) -> Policy:
    """The bar: one loss, proven at 95 %."""
    asked = {"prunegate": 1, "name": "digits", "task": {"kind": kind}, "rules": [RULES[kind]]}
    return Policy.model_validate(asked)


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
    "taylor + ridge + teacher + 3 plans": Recipe({**RIDGE, "scope": "budget", "plans": 3}, TEACHER),
    "taylor + ridge + teacher + int8": Recipe(RIDGE, TEACHER, (INT8,)),
}
TODAY = "taylor"
"""What the others are held against."""


Rows = Digits | Written


@dataclass(frozen=True)
class Bench:
    """A trained model with its rows."""

    baseline: LoadedModel
    training: Rows
    calibration: Rows
    test: Rows
    columns: Callable[[torch.nn.Module, Any, str], dict[str, Any]]
    """What a model says of the test rows, as columns of the predictions table."""
    policy: Policy

    def prepared(self, step: dict[str, Any]) -> PreparedStep:
        found = Step.model_validate(step)
        rows = self.training if found.finetune else self.calibration
        return PreparedStep(step=found, data=rows if found.rows else None)

    def edge(self, recipe: Recipe, seed: int) -> float:
        """The share of parameters in the smallest candidate on the way that is approved."""
        smallest, passed, failed = 1.0, 0.0, None
        for level in LEVELS:
            share = self.approved(recipe, level, seed)
            if share is None:
                failed = level
                break
            smallest, passed = share, level
        for _ in range(HALVINGS if failed is not None else 0):
            assert failed is not None
            middle = (passed + failed) / 2
            share = self.approved(recipe, middle, seed)
            if share is None:
                failed = middle
            else:
                smallest, passed = share, middle
        return smallest

    def approved(self, recipe: Recipe, level: float, seed: int) -> float | None:
        """The share of parameters that are left at a level; None: the gate does not approve it."""
        steps = [self.prepared(step) for step in recipe.steps(level)]
        made = compress(self.baseline, steps, seed=seed)
        found = {"id": np.arange(len(self.test))}
        for module, role in ((self.baseline.module, "baseline"), (made.module, "candidate")):
            found |= self.columns(module, self.test, role)
        verdict = prunegate.judge(self.policy, pl.DataFrame(found))
        left = made.surgery.parameters / self.baseline.parameters
        return left if verdict.outcome == "approve" else None


def reader(seed: int) -> Bench:
    """A vision transformer that reads digits."""
    training, test = digits(seed)
    baseline = fresh(VIT, seed)
    train(baseline, training, steps=400, seed=seed)
    some = Digits(training.pixels[:600], training.labels[:600])
    return Bench(baseline, training, some, test, answers, policy("multiclass"))


def answers(module: torch.nn.Module, test: Digits, role: str) -> dict[str, Any]:
    with torch.inference_mode():
        found: Any = module(pixel_values=test.pixels)
    return {"label": test.labels.numpy(), role: found.logits.argmax(-1).numpy()}


def writer(seed: int) -> Bench:
    """A decoder that writes digits, grey level after grey level."""
    training, test = (Written.of(scans) for scans in digits(seed))
    baseline = fresh(GPT2, seed)
    train(baseline, training, steps=400, seed=seed)
    some = Written(training.tokens[:600])
    return Bench(baseline, training, some, test, surprises, policy("language"))


def surprises(module: torch.nn.Module, test: Written, role: str) -> dict[str, Any]:
    batch = test.batch(np.arange(len(test)))
    with torch.inference_mode():
        found: Any = module(**batch.inputs)
    shares = found.logits[:, :-1].double().log_softmax(dim=-1)
    nll = -shares.gather(2, test.tokens[:, 1:, None])[..., 0].sum(dim=1)
    return {"tokens": np.full(len(test), test.tokens.shape[1] - 1), role: nll.numpy()}


MODELS: dict[str, Callable[[int], Bench]] = {"vit": reader, "decoder": writer}


def found_edges(
    model: str, seed: int, recipes: Sequence[str], keep: Path | None
) -> dict[str, float | None]:
    """Share of parameters at the edge, by recipe; what is kept is not done again.

    None: the recipe is not for such a model.
    """
    file = None if keep is None else keep / f"{model}-{seed}.json"
    known: dict[str, float | None] = {}
    if file is not None and file.exists():
        known = json.loads(file.read_text())
    missing = [name for name in recipes if name not in known]
    bench = MODELS[model](seed) if missing else None
    for name in missing:
        assert bench is not None
        try:
            known[name] = bench.edge(RECIPES[name], seed)
        except ModelError as error:
            print(f"# {model}, {name}: {error}", flush=True)
            known[name] = None
        print(f"# {model}, seed {seed}, {name}: {known[name]}", flush=True)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(known))
    return known


def table(known: Mapping[int, Mapping[str, float | None]], recipes: Sequence[str]) -> list[str]:
    """One line a recipe."""
    lines = [
        "| recipe | parameters at the edge, % | of each seed | fewer than taylor's, % |",
        "|---|---|---|---|",
    ]
    for name in recipes:
        shares = {seed: found[name] for seed, found in known.items()}
        left = {seed: share for seed, share in shares.items() if share is not None}
        if not left:
            lines.append(f"| {name} | not for this model | | |")
            continue
        fewer = [
            100 * (1 - share / today)
            for seed, share in left.items()
            if (today := known[seed].get(TODAY)) is not None
        ]
        each = ", ".join(f"{100 * share:.1f}" for share in left.values())
        edge = told([100 * share for share in left.values()])
        lines.append(f"| {name} | {edge} | {each} | {told(fewer) if fewer else ''} |")
    return lines


def told(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    return f"{mean(values):.1f}{spread}"


def main() -> None:
    """Print one table a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=[*MODELS], default=[*MODELS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--recipes", nargs="+", choices=[*RECIPES], default=[*RECIPES])
    parser.add_argument("--keep", type=Path, help="a folder for what was found")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for model in chosen.models:
        known = {
            seed: found_edges(model, seed, chosen.recipes, chosen.keep) for seed in chosen.seeds
        }
        print(f"\n{model}\n" + "\n".join(table(known, chosen.recipes)), flush=True)


if __name__ == "__main__":
    main()
