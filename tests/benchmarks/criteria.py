"""What each criterion is worth: the loss after removing the same share of units.

python tests/benchmarks/criteria.py --seeds 5 [--models demo]

Three small models, trained anew for every seed: a vision transformer and a convolutional network
that read scikit-learn's digits, and a decoder that writes them. Loss in nats on test rows (a token
for the decoder), mean and standard deviation over seeds, without fine-tuning; in how many seeds
Taylor lost less than random. Then with fine-tuning: all in one go, and in three cycles with as many
steps in all. The model named demo is the demo's (trained and cached first if need be); its
seeds draw the calibration rows and the random ranking.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any, Literal

import numpy as np
import torch
from trained.digits import GPT2, RESNET, VIT, Digits, Written, digits, loss, train
from trained.fresh import fresh

from prunegate.compress.execute import compress
from prunegate.compress.steps import PreparedStep
from prunegate.criteria import CRITERIA
from prunegate.demo.baseline import as_input
from prunegate.demo.dataset import read_split
from prunegate.demo.workspace import FULL, default_cache, prepare_demo
from prunegate.errors import ModelError
from prunegate.models.batch import Batch
from prunegate.models.load import LoadedModel, load_baseline
from prunegate.policy.steps import Finetune, Prune, Step

Kind = Literal["heads", "neurons", "filters", "layers"]
REMOVED: dict[Kind, float] = {
    "heads": 1 / 3,
    "neurons": 0.5,
    "filters": 0.4,
    "layers": 1 / 3,
}
RECOVERY = 60
"""Steps of fine-tuning in all."""


@dataclass(frozen=True)
class Trained:
    """A trained model and what it is ranked, recovered and measured on."""

    model: LoadedModel
    calibration: Any
    training: Any
    test: Any


def reader(config: dict[str, Any]) -> Callable[[int], Trained]:
    def make(seed: int) -> Trained:
        data, test = digits(seed)
        model = fresh(config, seed)
        train(model, data, steps=400, seed=seed)
        return Trained(model, Digits(data.pixels[:600], data.labels[:600]), data, test)

    return make


def writer(seed: int) -> Trained:
    scans, unseen = digits(seed)
    data, test = Written.of(scans), Written.of(unseen)
    model = fresh(GPT2, seed)
    train(model, data, steps=400, seed=seed)
    return Trained(model, Written(data.tokens[:600]), data, test)


@dataclass(frozen=True)
class Creatives:
    """Some of the demo's creatives, the unsafe ones being class 1."""

    pixels: Any
    unsafe: Any

    def __len__(self) -> int:
        return len(self.unsafe)

    def batch(self, rows: np.ndarray) -> Batch:
        return Batch(
            inputs={"pixel_values": as_input(self.pixels[rows])},
            labels=torch.from_numpy(self.unsafe[rows].astype(np.int64)),
        )


def demo(seed: int) -> Trained:
    """The demo's model; its seeds draw the calibration rows."""
    space = prepare_demo(default_cache(), seed=0, sizes=FULL, epochs=4, progress=lambda *_: None)
    splits = {}
    for split, most in (("calibration", 500), ("train", 4_000), ("search", 2_000)):
        found = read_split(space.folder / "creatives", split)
        chosen = np.random.default_rng(seed).permutation(len(found.unsafe))[:most]
        splits[split] = Creatives(found.pixels[chosen], found.unsafe[chosen])
    model = load_baseline(space.folder / "baseline")
    return Trained(model, splits["calibration"], splits["train"], splits["search"])


MODELS: dict[str, tuple[Callable[[int], Trained], tuple[Kind, ...]]] = {
    "vision transformer": (reader(VIT), ("heads", "neurons", "layers")),
    "convolutional": (reader(RESNET), ("filters",)),
    "decoder": (writer, ("heads", "neurons", "layers")),
    "demo": (demo, ("heads", "neurons", "layers")),
}


def pruned(one: Trained, kind: Kind, criterion: str, seed: int, cycles: int = 0) -> float:
    """Loss on the test rows after a removal; ``cycles`` > 0 with fine-tuning."""
    cut = Prune(what=kind, amount=REMOVED[kind], criterion=criterion, cycles=max(1, cycles))
    steps = [PreparedStep(step=Step(prune=cut), data=one.calibration)]
    if cycles:
        training = Finetune(steps=RECOVERY // cycles, learning_rate=1e-3, flips=False)
        steps.append(PreparedStep(step=Step(finetune=training), data=one.training))
    return loss(compress(one.model, steps, seed=seed).module, one.test)


def lines(name: str, found: list[Trained], kind: Kind) -> Iterator[str]:
    whole = [loss(one.model.module, one.test) for one in found]
    yield f"{name}, {kind} ({whole_words(kind)} removed); unpruned {told(whole)}"
    runs = {
        criterion: [pruned(one, kind, criterion, seed) for seed, one in enumerate(found)]
        for criterion in CRITERIA
    }
    for criterion, losses in runs.items():
        yield f"  {criterion:24s} {told(losses)}"
    wins = sum(a < b for a, b in zip(runs["taylor"], runs["random"], strict=True))
    yield f"  taylor lost less than random in {wins} of {len(found)} seeds"
    for cycles, words in ((1, "one go"), (3, "three cycles")):
        try:
            losses = [pruned(one, kind, "taylor", seed, cycles) for seed, one in enumerate(found)]
        except ModelError as error:  # too few units for three cycles
            yield f"  taylor, tuned, {words:9s} cannot be: {error}"
            continue
        yield f"  {'taylor, tuned, ' + words:24s} {told(losses)}"


def whole_words(kind: Kind) -> str:
    return f"{REMOVED[kind]:.0%}"


def told(values: list[float]) -> str:
    spread = stdev(values) if len(values) > 1 else float("nan")
    return f"{mean(values):7.3f} ± {spread:.3f}"


def main() -> None:
    """Print one block a model and kind of unit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=[*MODELS], default=[*MODELS][:3])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for name in chosen.models:
        make, kinds = MODELS[name]
        found = [make(seed) for seed in range(chosen.seeds)]
        for kind in kinds:
            for line in lines(name, found, kind):
                print(line, flush=True)


if __name__ == "__main__":
    main()
