"""Taylor importance: how much the loss would move if a unit were switched off.

Michel, Levy and Neubig, "Are Sixteen Heads Really Better than One?", NeurIPS 2019: a gate of one
multiplies each unit's output, and the expected |d loss / d gate| over samples is the importance.
The absolute value is taken per SAMPLE (there is one gate per sample and unit): taken per batch,
gains and losses cancel and the ranking is another one. Heads are L2-normalised per layer, as in
the paper (after Molchanov et al., ICLR 2017); neurons keep the loss as their unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.compress.examples import Examples, Progress
from prunegate.compress.loss import cross_entropy
from prunegate.compress.scores import Importance, Scores
from prunegate.errors import TableError
from prunegate.models.batch import Batch
from prunegate.models.family import Family, GateSite
from prunegate.models.gates import gated
from prunegate.models.kept import KINDS
from prunegate.models.placement import placed


def taylor(
    family: Family,
    module: nn.Module,
    data: Examples,
    *,
    batch_size: int = 64,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Importance:
    """Rank heads and neurons by gate gradients; one forward and backward pass over the data.

    Args:
        family: The model's adapter.
        module: The model; weights, mode and device are left as they were.
        data: Calibration rows, at least one.
        batch_size: Rows per pass; it does not change the result beyond rounding.
        device: "cpu" or "cuda".
        progress: Called with ("rank", rows done, rows).

    Returns:
        Heads: L2-normalised per layer. Neurons: mean |gradient| per sample.

    Raises:
        TableError: no rows, or a label that is not a class.
        ModelError: a loss or gradient is not finite.
    """
    if not len(data):
        raise TableError("no calibration rows to rank with; select at least one.")
    sites = [site for kind in KINDS for site in family.sites(module, kind)]
    totals = [np.zeros(site.units) for site in sites]
    with placed(module, device, training=False) as target:
        for start in range(0, len(data), batch_size):
            rows = np.arange(start, min(start + batch_size, len(data)))
            gradients = gate_gradients(module, sites, data.batch(rows).to(target))
            totals = [a + _absolute(b) for a, b in zip(totals, gradients, strict=True)]
            if progress is not None:
                progress("rank", int(rows[-1]) + 1, len(data))
    means = [total / len(data) for total in totals]
    layers = len(sites) // len(KINDS)
    return Importance(heads=_unit_length(means[:layers]), neurons=tuple(means[layers:]))


def gate_gradients(module: nn.Module, sites: Sequence[GateSite], batch: Batch) -> list[Tensor]:
    """Return d(loss of the sample) / d(gate), one tensor [batch, units] per site.

    The batch's losses are summed and each sample has its own gates, so one backward pass gives
    every sample's gradient.
    """
    gates = [
        torch.ones(len(batch), site.units, device=batch.labels.device, requires_grad=True)
        for site in sites
    ]
    with torch.enable_grad(), gated(sites, gates):
        loss = cross_entropy(module, batch, reduction="sum")
        return list(torch.autograd.grad(loss, gates))


def _absolute(gradient: Tensor) -> np.ndarray:
    """Sum |gradient| over the samples of a batch, [batch, units] to [units]."""
    total: np.ndarray = gradient.abs().sum(dim=0, dtype=torch.float64).cpu().numpy()
    return total


def _unit_length(layers: Sequence[np.ndarray]) -> Scores:
    """Scale each layer to L2 norm one; a layer of zeros stays zero."""
    norms = [float(np.linalg.norm(layer)) for layer in layers]
    return tuple(
        layer / norm if norm > 0 else layer for layer, norm in zip(layers, norms, strict=True)
    )
