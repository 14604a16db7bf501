"""Compensation: what stays stands in for what goes, by ridge regression on calibration rows.

A unit that is removed can often be told from those that stay. At each module that reads units, the
inputs that go (R) are regressed on those that stay (S), over the rows as the model sees them before
the removal, and the reader's weights take the prediction over::

    B = (Xs'Xs + lambda I)^-1 Xs'Xr,  lambda = 0.01 x the mean of the diagonal of Xs'Xs
    W[:, S] += W[:, R] B',            bias += W[:, R] (mean Xr - B' mean Xs)

No labels and no gradients (Kwon et al., "A Fast Post-Training Pruning Framework for Transformers",
NeurIPS 2022; CORP, arXiv 2602.05243). With a bias the sums are centred, which is least squares
with a constant; a reader without one gets least squares without a constant, so that in both cases
its outputs on these rows come no further from what they were than with the units merely gone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from prunegate.compress.input_sums import InputSums, UnitReader, reader_matrix, readers, sum_inputs
from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.select import Survivors
from prunegate.errors import ModelError, TableError
from prunegate.models.kept_units import Kind

RIDGE = 1e-2
"""The penalty, as a share of the mean diagonal of Xs'Xs."""


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """The inputs that go, as a linear function of those that stay."""

    slopes: Tensor
    """float64 [kept, removed]: B."""
    constant: Tensor
    """float64 [removed]; zeros where the reader has no bias."""


def compensate(ranked: RankingInput, kind: Kind, keep: Survivors) -> None:
    """Fit the readers of units anew, in place, for the removal of some; nothing is cut.

    The inputs that go are still there afterwards, and still read; cut them next.

    Args:
        ranked: The model before the removal, and the rows to fit on.
        kind: What is about to be cut.
        keep: Per present row the positions that stay.

    Raises:
        TableError: no rows.
        ModelError: activations that are not finite.
    """
    if ranked.data is None:
        raise TableError("compensate: ridge needs calibration rows; give the step some.")
    # All is summed before anything is changed: later readers see what earlier ones make.
    found = readers(ranked.family.sites(ranked.module, kind), keep)
    fitted = [
        (reader, stand_in(reader, sums, centred=_bias(reader.module) is not None))
        for reader, sums in sum_inputs(ranked, found)
    ]
    for reader, one in fitted:
        refit(reader, one)


def stand_in(reader: UnitReader, sums: InputSums, *, centred: bool) -> StandIn:
    """Solve for what goes.

    Args:
        reader: Says which features go.
        sums: Of its features.
        centred: With a constant, which the reader's bias can take.

    Raises:
        ModelError: activations that are not finite.
    """
    moments = sums.second_moments(centred=centred).cpu()
    if not bool(torch.isfinite(moments).all()):
        raise ModelError("compensate: activations are not finite; check weights and rows.")
    kept, removed = reader.kept, reader.removed
    square, across = moments[kept][:, kept], moments[kept][:, removed]
    penalty = RIDGE * float(square.diagonal().mean())
    if penalty > 0:
        ridged = square + penalty * torch.eye(len(kept), dtype=torch.float64)
        slopes = torch.linalg.solve(ridged, across)
    else:  # what stays never moves, so it tells nothing
        slopes = torch.zeros_like(across)
    if not centred:
        return StandIn(slopes=slopes, constant=torch.zeros(len(removed), dtype=torch.float64))
    mean = sums.mean().cpu()
    return StandIn(slopes=slopes, constant=mean[removed] - slopes.T @ mean[kept])


def refit(reader: UnitReader, found: StandIn) -> None:
    """Give a reader the weights and the bias that stand in for what goes."""
    weight, bias = reader.module.get_parameter("weight"), _bias(reader.module)
    wide = reader_matrix(reader.module).double().cpu()
    going = wide[:, reader.removed]
    wide[:, reader.kept] += going @ found.slopes.T
    stored = wide.T if type(reader.module).__name__ == "Conv1D" else wide.reshape(weight.shape)
    with torch.no_grad():
        weight.copy_(stored)
        if bias is not None:
            bias.copy_(bias.double().cpu() + going @ found.constant)


def _bias(module: nn.Module) -> Tensor | None:
    bias = getattr(module, "bias", None)
    return bias if isinstance(bias, Tensor) else None
