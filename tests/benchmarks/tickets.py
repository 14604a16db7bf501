"""Lottery tickets on scikit-learn's digits: rewound weights beside random re-initialisation.

python tests/benchmarks/tickets.py --seeds 5

A small vision transformer is trained, thinned by magnitude in cycles, and after each cycle the
survivors go back to their initial weights and are trained again (Frankle and Carbin, "The Lottery
Ticket Hypothesis", ICLR 2019). Beside it: the same zeros with other random weights, the same in one
shot, and fine-tuning without rewinding. Test accuracy, mean and standard deviation over seeds.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import copy
from dataclasses import replace
from statistics import mean, stdev

import torch
from trained.digits import Digits, accuracy, digits, train, untrained

from prunegate.compress.execute import compress
from prunegate.compress.steps import PreparedStep
from prunegate.models.load import LoadedModel
from prunegate.models.sparse import held, masks
from prunegate.policy.steps import Finetune, Prune, Step


def made(
    model: LoadedModel, rewind: LoadedModel | None, data: Digits, share: float, **how: int
) -> LoadedModel:
    """Thin a trained model, with the training of ``how['steps']`` after each cycle."""
    prune = Prune(
        what="weights",
        amount=share,
        criterion="magnitude",
        cycles=how["cycles"],
        rewind="none" if rewind is None else "initial",
    )
    training = Finetune(steps=how["steps"], learning_rate=2e-3, flips=False)
    steps = [
        PreparedStep(step=Step(prune=prune), rewind_to=rewind),
        PreparedStep(step=Step(finetune=training), data=data),
    ]
    done = compress(model, steps, seed=how["seed"])
    return replace(model, module=done.module)


def reinitialised(ticket: LoadedModel, data: Digits, steps: int, seed: int) -> LoadedModel:
    """The ticket's zeros with other random weights, trained as long."""
    other = untrained(seed + 1000)
    zeros = masks(ticket.module, ticket.family)
    for name, mask in zeros.items():
        other.module.get_parameter(name).data.masked_fill_(~mask, 0.0)
    with held(other.module, zeros):
        train(other, data, steps=steps, seed=seed)
    return other


def results(seed: int, share: float, steps: int) -> dict[str, float]:
    """Test accuracy of each way at one sparsity."""
    data, test = digits(seed)
    initial = untrained(seed)
    dense = replace(initial, module=copy.deepcopy(initial.module))
    train(dense, data, steps=steps, seed=seed)
    ticket = made(dense, initial, data, share, steps=steps, cycles=4, seed=seed)
    return {
        "dense": accuracy(dense.module, test),
        "rewound, 4 cycles": accuracy(ticket.module, test),
        "rewound, one shot": accuracy(
            made(dense, initial, data, share, steps=steps, cycles=1, seed=seed).module, test
        ),
        "same zeros, other weights": accuracy(
            reinitialised(ticket, data, steps, seed).module, test
        ),
        "fine-tuned, 4 cycles": accuracy(
            made(dense, None, data, share, steps=steps, cycles=4, seed=seed).module, test
        ),
        "fine-tuned, one shot": accuracy(
            made(dense, None, data, share, steps=steps, cycles=1, seed=seed).module, test
        ),
    }


def main() -> None:
    """Print one line a way and sparsity."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.8, 0.9])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print("sparsity  way                          test accuracy, mean and sd, %")
    for share in chosen.shares:
        runs = [results(seed, share, chosen.steps) for seed in range(chosen.seeds)]
        for way in runs[0]:
            found = [100 * run[way] for run in runs]
            spread = stdev(found) if len(found) > 1 else float("nan")
            print(f"{share:8.0%}  {way:27s} {mean(found):6.2f} {spread:6.2f}", flush=True)


if __name__ == "__main__":
    main()
