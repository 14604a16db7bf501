"""Magnitude: a unit matters as much as its weights are long (L2 norm of all that goes with it).

Needs no data, and knows nothing of what the unit does: on whole attention heads it has measured no
better than random. It is here to be compared with.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prunegate.compress.scores import Importance, Scores
from prunegate.models.family import Family
from prunegate.models.kept import Kind


def magnitude(family: Family, module: nn.Module) -> Importance:
    """Score heads and neurons by the L2 norm of their weights and biases, summed in float64."""
    return Importance(
        heads=_norms(family, module, "heads"), neurons=_norms(family, module, "neurons")
    )


def _norms(family: Family, module: nn.Module, kind: Kind) -> Scores:
    with torch.no_grad():
        return tuple(
            sum((_squares(part) for part in layer), start=torch.zeros(())).sqrt().cpu().numpy()
            for layer in family.unit_weights(module, kind)
        )


def _squares(weights: Tensor) -> Tensor:
    return weights.double().square().flatten(1).sum(dim=1)
