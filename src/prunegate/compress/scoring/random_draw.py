"""Random: a seeded draw, the control that every other criterion has to beat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores
from prunegate.compress.scoring.by_criterion import Scoring
from prunegate.models.kept_units import Kind


class RandomDraw(Scoring):
    """Uniform in [0, 1) from the step's seed; the same seed gives the same scores."""

    def unit_scores(self, ranked: RankingInput, kind: Kind) -> Scores:
        """Draw a score for each unit."""
        generator = np.random.default_rng(ranked.seed)
        sites = ranked.family.sites(ranked.module, kind)
        return tuple(generator.random(site.units) for site in sites)

    def weight_scores(
        self, ranked: RankingInput, tensors: Mapping[str, nn.Parameter]
    ) -> dict[str, Tensor]:
        """Draw a score for each weight."""
        generator = torch.Generator().manual_seed(ranked.seed)
        return {
            name: torch.rand(weight.shape, generator=generator) for name, weight in tensors.items()
        }
