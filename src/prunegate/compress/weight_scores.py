"""Scores of single weights, by the same criteria that rank units.

magnitude: |w|. taylor: |w * dL/dw| over the calibration rows (connection sensitivity, Lee et al.,
"SNIP", ICLR 2019). activation: |w| times the L2 norm of the input that it is multiplied with (Sun
et al., "A Simple and Effective Pruning Approach for Large Language Models", ICLR 2024). random: the
control.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from prunegate.compress.criteria import check_criterion
from prunegate.compress.loss import cross_entropy
from prunegate.compress.ranking_input import RankingInput
from prunegate.models.placement import placed
from prunegate.models.sparse import output_first


def weight_scores(
    criterion: str, subject: RankingInput, tensors: Mapping[str, nn.Parameter]
) -> dict[str, Tensor]:
    """Score single weights.

    Args:
        criterion: A name in ``criteria.CRITERIA``.
        subject: The model and what may be used to rank it.
        tensors: What is scored, by parameter name.

    Returns:
        A tensor of each parameter's shape; a larger score stays longer.

    Raises:
        UnsupportedError: no criterion of that name.
        TableError: the criterion needs calibration data and there are none.
    """
    check_criterion(criterion)
    scores = _SCORES[criterion](subject, tensors)
    return {name: score.detach().cpu() for name, score in scores.items()}


def _magnitude(_subject: RankingInput, tensors: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    return {name: weight.detach().abs() for name, weight in tensors.items()}


def _random(subject: RankingInput, tensors: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(subject.seed)
    return {name: torch.rand(weight.shape, generator=generator) for name, weight in tensors.items()}


def _taylor(subject: RankingInput, tensors: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    names, totals = list(tensors), {name: torch.zeros(()) for name in tensors}
    with placed(subject.module, subject.device, training=False) as target:
        for batch in subject.batches():
            loss = cross_entropy(subject.module, batch.to(target), reduction="sum")
            for name, gradient in zip(
                names, torch.autograd.grad(loss, [tensors[name] for name in names]), strict=True
            ):
                totals[name] = totals[name] + gradient.cpu()
    rows = len(subject.rows())
    return {name: (tensors[name].detach() * totals[name] / rows).abs() for name in names}


def _activation(subject: RankingInput, tensors: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    squares: dict[str, Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def look(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            hidden = inputs[0].detach().double()
            axis = 1 if isinstance(module, nn.Conv2d) else hidden.dim() - 1
            others = [dim for dim in range(hidden.dim()) if dim != axis]
            squares[name] = squares.get(name, 0) + hidden.square().sum(dim=others).cpu()

        return look

    with (
        placed(subject.module, subject.device, training=False) as target,
        torch.inference_mode(),
        ExitStack() as stack,
    ):
        for name in tensors:
            owner = subject.module.get_submodule(name.rpartition(".")[0])
            stack.callback(owner.register_forward_pre_hook(watch(name)).remove)
        for batch in subject.batches():
            subject.module(**batch.to(target).inputs)
    return {
        name: _times(weight.detach(), squares[name], output_first(subject.module, name))
        for name, weight in tensors.items()
    }


def _times(weight: Tensor, squares: Tensor, rows_first: bool) -> Tensor:
    """|w| times the norm of its input."""
    norms = squares.sqrt().float()
    if weight.dim() > 2:
        # A grouped convolution's kernel sees some of the channels only; which, its row tells.
        groups = len(norms) // weight.shape[1]
        per_row = norms.reshape(groups, weight.shape[1]).repeat_interleave(
            len(weight) // groups, dim=0
        )
        return weight.abs().cpu() * per_row[:, :, None, None]
    return weight.abs().cpu() * (norms[None, :] if rows_first else norms[:, None])


_SCORES: dict[str, Callable[[RankingInput, Mapping[str, nn.Parameter]], dict[str, Tensor]]] = {
    "magnitude": _magnitude,
    "taylor": _taylor,
    "activation": _activation,
    "random": _random,
}
