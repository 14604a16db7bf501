"""The control that every criterion has to beat: a seeded random ranking."""

from __future__ import annotations

import numpy as np

from prunegate.compress.scores import Scores
from prunegate.compress.subject import Subject
from prunegate.models.kept import Kind


def random_scores(subject: Subject, kind: Kind) -> Scores:
    """Score units uniformly in [0, 1); the same seed gives the same scores."""
    generator = np.random.default_rng(subject.seed)
    sites = subject.family.sites(subject.module, kind)
    return tuple(generator.random(site.units) for site in sites)
