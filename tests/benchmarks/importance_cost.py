"""What ranking all heads of a ViT-B/16 costs: one backward pass, beside switching off each head.

python tests/benchmarks/importance_cost.py --images 4 --rounds 5

CPU time of the process, medians of interleaved rounds; random weights, since values do not matter.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from trained.fresh import fresh

from prunegate.compress.ranking_input import RankingInput
from prunegate.models.batch import Batch
from prunegate.models.gates import gated

CONFIG = {"architectures": ["ViTForImageClassification"], "num_labels": 1000}


class Images:
    """Random images with random labels."""

    def __init__(self, count: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.pixels = torch.randn(count, 3, 224, 224, generator=generator)
        self.labels = torch.randint(0, 1000, (count,), generator=generator)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: np.ndarray) -> Batch:
        chosen = torch.from_numpy(rows)
        return Batch(inputs={"pixel_values": self.pixels[chosen]}, labels=self.labels[chosen])


def seconds(task: Callable[[], object]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


def main() -> None:
    """Print one line a way of ranking."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    model, data = fresh(CONFIG, 0), Images(chosen.images)
    ranked = RankingInput(family=model.family, module=model.module, data=data)
    inputs = data.batch(np.arange(len(data))).inputs
    site = model.family.sites(model.module, "heads")[0]
    without = torch.ones(site.units)
    without[0] = 0

    def forward() -> None:
        with torch.inference_mode():
            model.module(**inputs)

    def one_head_off() -> None:
        with torch.inference_mode(), gated([site], [without]):
            model.module(**inputs)

    def rank() -> None:
        rank("taylor", ranked, "heads")

    tasks = {"forward": forward, "one head off": one_head_off, "all heads, one backward": rank}
    times: dict[str, list[float]] = {name: [] for name in tasks}
    forward()
    for _ in range(chosen.rounds):
        for name, task in tasks.items():
            times[name].append(seconds(task))
    base = median(times["forward"])
    heads = model.kept.active_heads
    ablation = median(times["one head off"]) * heads
    ranking = median(times["all heads, one backward"])
    print(f"ViT-B/16, {heads} heads, {chosen.images} images: CPU seconds, x of a forward pass")
    print(f"forward pass                        {base:8.2f} {1.0:8.2f}")
    print(f"all {heads} heads by one backward pass {ranking:8.2f} {ranking / base:8.2f}")
    each = f"{ablation:9.2f} {ablation / base:8.2f}  (one of them, times {heads})"
    print(f"{heads} heads switched off one by one {each}")
    rounds = [
        a / b for a, b in zip(times["all heads, one backward"], times["forward"], strict=True)
    ]
    print(f"ratio round by round: {', '.join(f'{ratio:.2f}' for ratio in rounds)}")


if __name__ == "__main__":
    main()
