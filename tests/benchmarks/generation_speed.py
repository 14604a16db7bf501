"""What pruning buys where a language model writes: GPT-2's geometry, with the cache.

python tests/benchmarks/generation_speed.py
python tests/benchmarks/generation_speed.py --rounds 8 --prompt 64 --new 24

Random weights of GPT-2 (12 layers of 12 heads, 3,072 neurons each, 50,257 tokens), torch float32,
one thread; times do not depend on the values. All models take turns, the unpruned one at both ends
of every round, and process CPU time is taken, which a busy machine disturbs least. ``whole`` is a
text of the prompt and the new tokens; of it, 20 to 40 % less are what is asked for.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import copy
import statistics
import time
from dataclasses import dataclass

import torch
from torch import nn
from trained.fresh import fresh

from prunegate.cost.generation_speed import Lengths, TextTimes, write_text
from prunegate.cost.measure import median_ratio
from prunegate.cost.processor import processor
from prunegate.models.cut import cut
from prunegate.models.load import LoadedModel

CONFIG = {"architectures": ["GPT2LMHeadModel"]}
LAYERS, HEADS, NEURONS = 12, 12, 3072


@dataclass(frozen=True)
class Case:
    """A pruned model."""

    name: str
    heads: int = HEADS
    """Left in each layer."""
    neurons: int = NEURONS
    layers: int = LAYERS

    def module(self, whole: LoadedModel) -> nn.Module:
        """The model; its embeddings are the unpruned one's, to save memory."""
        shared = whole.module.get_input_embeddings().weight
        module = copy.deepcopy(whole.module, {id(shared): shared})
        cut(whole.family, module, "heads", [range(self.heads)] * LAYERS)
        cut(whole.family, module, "neurons", [range(self.neurons)] * LAYERS)
        if self.layers < LAYERS:
            cut(whole.family, module, "layers", [range(self.layers)])
        return module


CASES = (
    Case("heads, a quarter", heads=9),
    Case("heads, half", heads=6),
    Case("heads, three quarters", heads=3),
    Case("heads and neurons, a quarter", heads=9, neurons=2304),
    Case("heads and neurons, a third", heads=8, neurons=2048),
    Case("heads and neurons, half", heads=6, neurons=1536),
    Case("layers, 3 of 12", layers=9),
    Case("layers, 4 of 12", layers=8),
    Case("layers, 6 of 12", layers=6),
)


def seconds(written: TextTimes, part: str, new: int) -> float:
    """Of a part of a text, or of the whole."""
    return written.first + (new - 1) * written.each if part == "whole" else getattr(written, part)


def less(taken: list[list[TextTimes]], place: int, part: str, new: int) -> str:
    """By how much less time a model takes than the mean of the two unpruned ones around it."""
    cand = [seconds(one[place], part, new) for one in taken]
    base = [(seconds(one[0], part, new) + seconds(one[-1], part, new)) / 2 for one in taken]
    found = median_ratio(cand, base)
    value, low, high = (100 * (1 - one) for one in (found.value, found.high, found.low))
    return f"{value:5.1f} % ({low:.1f} to {high:.1f})"


def main() -> None:
    """Build, time in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--new", type=int, default=64)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    whole = fresh(CONFIG, 0)
    modules = [whole.module, *(case.module(whole) for case in CASES), whole.module]
    sizes = [sum(p.numel() for p in module.parameters()) for module in modules]
    prompts = Lengths(prompt_tokens=asked.prompt, new_tokens=asked.new).prompts(
        50_257, torch.device("cpu")
    )
    taken: list[list[TextTimes]] = []
    with torch.inference_mode():
        for module in modules:
            write_text(module, prompts, 2)
        for _ in range(asked.rounds):
            turn = [write_text(m, prompts, asked.new, time.process_time) for m in modules]
            taken.append(turn)
    first, each = (
        statistics.median(1000 * getattr(turn[0], part) for turn in taken)
        for part in ("first", "each")
    )
    print(f"{processor().facts()}, one thread, torch {torch.__version__}, {asked.rounds} rounds")
    print(f"prompt {asked.prompt}, new {asked.new}; unpruned: {first:.0f} ms to the first token, ")
    print(f"{each:.1f} ms for each further one (CPU time)")
    print(f"the unpruned one against itself: {less(taken, len(modules) - 1, 'whole', asked.new)}")
    print("| removed | parameters | first token | each further | whole text |")
    print("|---|---|---|---|---|")
    for place, case in enumerate(CASES, start=1):
        parts = (less(taken, place, part, asked.new) for part in ("first", "each", "whole"))
        gone = 100 * (1 - sizes[place] / sizes[0])
        print(f"| {case.name} | -{gone:.1f} % | {' | '.join(parts)} |", flush=True)


if __name__ == "__main__":
    main()
