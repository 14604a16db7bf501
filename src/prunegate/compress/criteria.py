"""The importance criteria by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prunegate.compress.importance import taylor
from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores, checked
from prunegate.errors import UnsupportedError
from prunegate.models.gates import watched
from prunegate.models.kept_units import Kind
from prunegate.models.placement import placed
from prunegate.models.sites import Site


def activation(subject: RankingInput, kind: Kind) -> Scores:
    """Score units by their mean absolute activation; one forward pass over the data.

    Padding is not counted where the inputs have an attention mask.

    Raises:
        TableError: no rows.
        ModelError: an activation is not finite.
    """
    sites = subject.family.sites(subject.module, kind)
    totals = [np.zeros(site.units) for site in sites]
    with placed(subject.module, subject.device, training=False) as target, torch.inference_mode():
        for batch in subject.batches():
            inputs = batch.to(target).inputs
            mask = inputs.get("attention_mask")

            def see(
                number: int, units: Sequence[int], values: Tensor, mask: Tensor | None = mask
            ) -> None:
                totals[number][list(units)] += _summed(values, mask)

            with watched(sites, see):
                subject.module(**inputs)
    return checked([total / len(subject.rows()) for total in totals])


def _summed(values: Tensor, mask: Tensor | None) -> np.ndarray:
    """Mean over positions, summed over rows: [batch, positions, units] to [units]."""
    if mask is None:
        means = values.double().mean(dim=1)
    else:
        weight = mask.double()[..., None]
        means = (values.double() * weight).sum(dim=1) / weight.sum(dim=1)
    total: np.ndarray = means.sum(dim=0).cpu().numpy()
    return total


def magnitude(subject: RankingInput, kind: Kind) -> Scores:
    """Score units by the L2 norm of their weights and biases, summed in float64."""
    return checked([_norms(site) for site in subject.family.sites(subject.module, kind)])


def _norms(site: Site) -> NDArray[np.float64]:
    squares = np.zeros(site.units)
    with torch.no_grad():
        for units, weights in site.weights():
            squares[list(units)] += weights.double().square().sum(dim=1).cpu().numpy()
    return np.sqrt(squares)


def random_scores(subject: RankingInput, kind: Kind) -> Scores:
    """Score units uniformly in [0, 1); the same seed gives the same scores."""
    generator = np.random.default_rng(subject.seed)
    sites = subject.family.sites(subject.module, kind)
    return tuple(generator.random(site.units) for site in sites)


CRITERIA: dict[str, Callable[[RankingInput, Kind], Scores]] = {
    "taylor": taylor,
    "magnitude": magnitude,
    "activation": activation,
    "random": random_scores,
}


def rank(criterion: str, subject: RankingInput, kind: Kind) -> Scores:
    """Score every unit of a kind that is present, row by row.

    Raises:
        UnsupportedError: no criterion of that name.
        TableError: the criterion needs calibration data and there are none.
    """
    check_criterion(criterion)
    return CRITERIA[criterion](subject, kind)


def check_criterion(criterion: str) -> None:
    """Refuse a name that is not a criterion, before anything is computed.

    Raises:
        UnsupportedError: no criterion of that name.
    """
    if criterion not in CRITERIA:
        known = ", ".join(CRITERIA)
        raise UnsupportedError(f"criterion {criterion!r} is not supported; choose one of: {known}.")
