"""The control that every criterion has to beat: a seeded random ranking."""

from __future__ import annotations

import numpy as np
from torch import nn

from prunegate.compress.scores import Importance, Scores
from prunegate.models.family import Family
from prunegate.models.kept import Kind


def random_scores(family: Family, module: nn.Module, seed: int) -> Importance:
    """Score heads and neurons uniformly in [0, 1); the same seed gives the same scores."""
    generator = np.random.default_rng(seed)

    def draw(kind: Kind) -> Scores:
        return tuple(generator.random(site.units) for site in family.sites(module, kind))

    return Importance(heads=draw("heads"), neurons=draw("neurons"))
