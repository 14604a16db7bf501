"""Activation: a unit matters as much as it is active on the calibration rows.

Mean absolute value of what the unit hands on, over its features, positions and rows; for a layer,
of what it adds to its input. Cheap (no gradients), and blind to whether anything listens. A softer
form of counting zeros (Hu et al., "Network Trimming", 2016), which smooth activations never reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from prunegate.compress.scores import Scores, checked
from prunegate.compress.subject import Subject
from prunegate.models.gates import watched
from prunegate.models.kept import Kind
from prunegate.models.placement import placed


def activation(subject: Subject, kind: Kind) -> Scores:
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
