"""Magnitude: a unit matters as much as its weights are long (L2 norm of all that goes with it).

Needs no data, and knows nothing of what the unit does: on whole attention heads it has measured no
better than random. It is here to be compared with.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from prunegate.compress.scores import Scores, checked
from prunegate.compress.subject import Subject
from prunegate.models.kept import Kind
from prunegate.models.sites import Site


def magnitude(subject: Subject, kind: Kind) -> Scores:
    """Score units by the L2 norm of their weights and biases, summed in float64."""
    return checked([_norms(site) for site in subject.family.sites(subject.module, kind)])


def _norms(site: Site) -> NDArray[np.float64]:
    squares = np.zeros(site.units)
    with torch.no_grad():
        for units, weights in site.weights():
            squares[list(units)] += weights.double().square().sum(dim=1).cpu().numpy()
    return np.sqrt(squares)
