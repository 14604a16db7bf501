"""Taylor importance: how much the loss would move if a unit were switched off.

Michel, Levy and Neubig, "Are Sixteen Heads Really Better than One?", NeurIPS 2019: a gate of one
multiplies each unit's output, and the expected |d loss / d gate| over samples is the importance.
The absolute value is taken per SAMPLE (there is one gate per sample and unit): taken per batch,
gains and losses cancel and the ranking is another one. Heads and filters are L2-normalised per row,
as in the paper (after Molchanov et al., ICLR 2017); neurons and layers keep the loss as their unit.

A weight's score is |w * dL/dw| (connection sensitivity, Lee et al., "SNIP", ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.compress.loss import batch_loss
from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores, unit_length
from prunegate.compress.scoring.by_criterion import Scoring
from prunegate.models.batch import Batch
from prunegate.models.gates import gated
from prunegate.models.kept_units import Kind
from prunegate.models.placement import placed
from prunegate.models.sites import Site

NORMALISED: tuple[Kind, ...] = ("heads", "filters")


class Taylor(Scoring):
    """By the loss's gradient; one forward and backward pass over the data for all units."""

    def unit_scores(self, ranked: RankingInput, kind: Kind) -> Scores:
        """Score units by mean |gate gradient| per sample; heads and filters L2-normalised per row.

        The batch size does not change the result beyond rounding.

        Raises:
            TableError: no rows, or a label that is not a class.
            ModelError: a loss or gradient is not finite.
        """
        sites = ranked.family.sites(ranked.module, kind)
        totals = [np.zeros(site.units) for site in sites]
        with placed(ranked.module, ranked.device, training=False) as target:
            for batch in ranked.batches():
                gradients = gate_gradients(ranked.module, sites, batch.to(target))
                totals = [a + _absolute(b) for a, b in zip(totals, gradients, strict=True)]
        means = [total / len(ranked.rows()) for total in totals]
        return unit_length(means) if kind in NORMALISED else tuple(means)

    def weight_scores(
        self, ranked: RankingInput, tensors: Mapping[str, nn.Parameter]
    ) -> dict[str, Tensor]:
        """Score weights by |w * dL/dw| over the rows."""
        names, totals = list(tensors), {name: torch.zeros(()) for name in tensors}
        with placed(ranked.module, ranked.device, training=False) as target:
            for batch in ranked.batches():
                loss = batch_loss(ranked.module, batch.to(target), reduction="sum")
                for name, gradient in zip(
                    names, torch.autograd.grad(loss, [tensors[name] for name in names]), strict=True
                ):
                    totals[name] = totals[name] + gradient.cpu()
        rows = len(ranked.rows())
        return {name: (tensors[name].detach() * totals[name] / rows).abs() for name in names}


def gate_gradients(module: nn.Module, sites: Sequence[Site], batch: Batch) -> list[Tensor]:
    """Return d(loss of the sample) / d(gate), one tensor [batch, units] per site.

    The batch's losses are summed and each sample has its own gates, so one backward pass gives
    every sample's gradient.
    """
    gates = [
        torch.ones(len(batch), site.units, device=batch.labels.device, requires_grad=True)
        for site in sites
    ]
    with torch.enable_grad(), gated(sites, gates):
        loss = batch_loss(module, batch, reduction="sum")
        return list(torch.autograd.grad(loss, gates))


def _absolute(gradient: Tensor) -> np.ndarray:
    """Sum |gradient| over the samples of a batch, [batch, units] to [units]."""
    total: np.ndarray = gradient.abs().sum(dim=0, dtype=torch.float64).cpu().numpy()
    return total
