"""Activation: what hands on little matters little; one forward pass over the calibration rows.

A unit's score is its mean absolute activation. A weight's is |w| times the L2 norm of the input
that it is multiplied with (Sun et al., "A Simple and Effective Pruning Approach for Large Language
Models", ICLR 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores
from prunegate.compress.scoring.by_criterion import Scoring
from prunegate.models.gates import watched
from prunegate.models.kept_units import Kind
from prunegate.models.placement import placed
from prunegate.models.sparse import output_first


class Activation(Scoring):
    """By what units hand on, and weights are given."""

    def unit_scores(self, ranked: RankingInput, kind: Kind) -> Scores:
        """Score units by their mean absolute activation.

        Padding is not counted where the inputs have an attention mask.
        """
        sites = ranked.family.sites(ranked.module, kind)
        totals = [np.zeros(site.units) for site in sites]
        with (
            placed(ranked.module, ranked.device, training=False) as target,
            torch.inference_mode(),
        ):
            for batch in ranked.batches():
                inputs = batch.to(target).inputs
                mask = inputs.get("attention_mask")

                def see(
                    number: int,
                    units: Sequence[int],
                    values: Tensor,
                    mask: Tensor | None = mask,
                    rows: int = len(batch),
                ) -> None:
                    positions = values.reshape(rows, -1, values.shape[-1])  # of all windows
                    totals[number][list(units)] += _summed(positions, mask)

                with watched(sites, see):
                    ranked.module(**inputs)
        return tuple(total / len(ranked.rows()) for total in totals)

    def weight_scores(
        self, ranked: RankingInput, tensors: Mapping[str, nn.Parameter]
    ) -> dict[str, Tensor]:
        """Score weights by |w| times the norm of their input."""
        squares: dict[str, Tensor] = {}
        with (
            placed(ranked.module, ranked.device, training=False) as target,
            torch.inference_mode(),
            ExitStack() as stack,
        ):
            for name in tensors:
                owner = ranked.module.get_submodule(name.rpartition(".")[0])
                stack.callback(owner.register_forward_pre_hook(_adding(squares, name)).remove)
            for batch in ranked.batches():
                ranked.module(**batch.to(target).inputs)
        return {
            name: _times(weight.detach(), squares[name], output_first(ranked.module, name))
            for name, weight in tensors.items()
        }


def _summed(values: Tensor, mask: Tensor | None) -> np.ndarray:
    """Mean over positions, summed over rows: [batch, positions, units] to [units]."""
    if mask is None:
        means = values.double().mean(dim=1)
    else:
        weight = mask.double()[..., None]
        means = (values.double() * weight).sum(dim=1) / weight.sum(dim=1)
    total: np.ndarray = means.sum(dim=0).cpu().numpy()
    return total


def _adding(squares: dict[str, Tensor], name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    """A hook that adds the squares of a module's inputs, one sum per input."""

    def look(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        hidden = inputs[0].detach().double()
        axis = 1 if isinstance(module, nn.Conv2d) else hidden.dim() - 1
        others = [dim for dim in range(hidden.dim()) if dim != axis]
        squares[name] = squares.get(name, 0) + hidden.square().sum(dim=others).cpu()

    return look


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
