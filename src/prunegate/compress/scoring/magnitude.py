"""Magnitude: what is small matters little.

A unit's score is the L2 norm of all its weights and biases, summed in float64; a weight's is |w|.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores
from prunegate.compress.scoring.by_criterion import Scoring
from prunegate.models.kept_units import Kind
from prunegate.models.sites import Site


class Magnitude(Scoring):
    """By the size of the weights; no data."""

    def unit_scores(self, ranked: RankingInput, kind: Kind) -> Scores:
        """Score units by the L2 norm of their weights and biases."""
        return tuple(_norms(site) for site in ranked.family.sites(ranked.module, kind))

    def weight_scores(
        self, ranked: RankingInput, tensors: Mapping[str, nn.Parameter]
    ) -> dict[str, Tensor]:
        """Score weights by |w|."""
        del ranked
        return {name: weight.detach().abs() for name, weight in tensors.items()}


def _norms(site: Site) -> NDArray[np.float64]:
    squares = np.zeros(site.units)
    with torch.no_grad():
        for units, weights in site.weights():
            squares[list(units)] += weights.double().square().sum(dim=1).cpu().numpy()
    return np.sqrt(squares)
