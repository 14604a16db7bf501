"""Sparsity: single weights set to zero in place, by magnitude or worth, or two of every four.

The model keeps its shape, its bytes and, without sparse kernels, its speed: zeros are counted, not
credited. What is asked for is what is done, to the weight; ties go to the earlier tensor, then the
smaller index.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scoring.by_criterion import rank_weights
from prunegate.errors import AmountError, ModelError
from prunegate.models.sparse import output_first, prunable
from prunegate.policy.steps import Amount, Keep, Prune, ShareBelow


def thin(ranked: RankingInput, wanted: Prune, *, cycle: int = 1, cycles: int = 1) -> int:
    """Set weights to zero, in place.

    Args:
        ranked: The model and the data to rank with.
        wanted: The step, which prunes weights or 2:4; an amount is a share of all weights of the
            layers, those already zero included.
        cycle: Which of several cycles this is, from 1; each does its even share.
        cycles: How many there are.

    Returns:
        The zeros that there are now.

    Raises:
        ModelError: the amount cannot be reached, scores are not finite, or a tensor has no rows of
            fours.
    """
    tensors = prunable(ranked.module, ranked.family)
    if not tensors:
        raise ModelError("the model has no weight matrices in layers; nothing can be set to zero.")
    if wanted.what == "2:4":
        _check_fours(ranked.module, tensors)
    scores = rank_weights(wanted.criterion, ranked, tensors)
    for name, weight in tensors.items():
        if not bool(torch.isfinite(scores[name]).all()):
            raise ModelError(f"the scores of {name} are not finite; check data and weights.")
        scores[name][weight == 0] = -1.0  # what is zero stays zero
    if wanted.what == "2:4":
        kept = {
            name: _two_of_four(score, output_first(ranked.module, name))
            for name, score in scores.items()
        }
    elif wanted.scope == "global":
        kept = _largest(scores, wanted, cycle, cycles)
    else:
        kept = {}
        for name, score in scores.items():
            kept.update(_largest({name: score}, wanted, cycle, cycles))
    _apply(tensors, kept)
    return sum(int((weight == 0).sum()) for weight in tensors.values())


def _apply(tensors: Mapping[str, nn.Parameter], kept: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, weight in tensors.items():
            weight.mul_(kept[name])
            weight[~kept[name]] = 0.0  # -0.0 would be another zero in the file


def _largest(
    scores: Mapping[str, Tensor], wanted: Prune, cycle: int, cycles: int
) -> dict[str, Tensor]:
    """Return masks of the weights that stay."""
    flat = torch.cat([_with_minimum(one, wanted.min_per_layer) for one in scores.values()])
    zeros = int((flat < 0).sum())
    target = _zeros(wanted.amount, flat.numel())
    where = "in the layers" if len(scores) > 1 else f"in {next(iter(scores))}"
    spare = flat.numel() - wanted.min_per_layer * len(scores)
    if target > spare:
        raise AmountError(
            f"amount: {target:,} of {flat.numel():,} weights {where} would be zero, but at most "
            f"{max(0, spare):,} can; ask for less or lower min_per_layer.",
            beyond=True,
        )
    count = zeros + (target - zeros) * cycle // cycles
    if zeros < target and count <= zeros:
        raise AmountError(
            f"cycles: {target - zeros:,} weights {where} become zero in all, so {cycles:,} cycles "
            "have nothing to do in some; ask for fewer cycles.",
            beyond=False,
        )
    if count <= zeros:
        raise AmountError(
            f"amount: {zeros:,} weights {where} are zero already, {count:,} are asked for; ask for "
            "more, or leave the step out.",
            beyond=False,
        )
    order = torch.argsort(flat, stable=True)
    keep = torch.ones(flat.numel(), dtype=torch.bool)
    keep[order[:count].cpu()] = False
    masks, start = {}, 0
    for name, score in scores.items():
        masks[name] = keep[start : start + score.numel()].view(score.shape).to(score.device)
        start += score.numel()
    return masks


def _with_minimum(score: Tensor, minimum: int) -> Tensor:
    """Put a tensor's best weights beyond reach, so that it is never emptied."""
    flat = score.flatten().clone()
    flat[torch.topk(flat, min(minimum, len(flat))).indices] = torch.inf
    return flat


def _zeros(amount: Amount | None, weights: int) -> int:
    if amount is None or isinstance(amount, ShareBelow):
        raise ModelError("weights: give a share to set to zero, or {keep: N}.")
    if isinstance(amount, Keep):
        if amount.keep > weights:
            raise AmountError(
                f"amount: keep {amount.keep:,} of {weights:,} weights; too many.", beyond=False
            )
        return weights - amount.keep
    return round(amount * weights)


def _two_of_four(score: Tensor, rows_first: bool) -> Tensor:
    """Keep the two best of every four neighbouring inputs; of a convolution, input channels."""
    axis = 1 if rows_first else 0
    rows = score.movedim(axis, -1)
    fours = rows.reshape(-1, 4)
    order = torch.argsort(fours, dim=1, descending=True, stable=True)
    keep = torch.zeros_like(fours, dtype=torch.bool).scatter_(1, order[:, :2], True)
    return keep.reshape(rows.shape).movedim(-1, axis).contiguous()


def _check_fours(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    odd = [
        f"{name} ({length})"
        for name, weight in tensors.items()
        if (length := weight.shape[1 if output_first(module, name) else 0]) % 4
    ]
    if odd:
        raise ModelError(
            f"2:4 needs a multiple of 4 inputs; {', '.join(odd[:3])} have another number. Prune "
            "units in multiples of 4, or use 'what: weights'."
        )
