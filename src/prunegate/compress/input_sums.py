"""What the readers of units are given, summed over calibration rows: counts, means and products.

A reader is the projection or convolution that units are inputs of. Its inputs are seen as rows of
features: of a projection each position of a text or picture, of a convolution each patch that it
looks at, so that one arithmetic serves both. Sums are streamed in double precision; activations of
more than one batch are never in memory. Padding is not counted where there is an attention mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunegate.compress.ranking_input import RankingInput
from prunegate.errors import InternalError
from prunegate.models.placement import placed
from prunegate.models.sites import InputSwitch, Site

_MOST_SUMMED = 1 << 27  # numbers of all sums of one pass: 1 GiB
_MOST_AT_ONCE = 1 << 22  # numbers that are widened to double precision together


@dataclass(frozen=True, kw_only=True)
class UnitReader:
    """A module that reads units, some of which go."""

    module: nn.Module
    removed: Tensor
    """int64, ascending: its input features (columns of ``reader_matrix``) that go."""

    @property
    def kept(self) -> Tensor:
        """The features that stay, int64 [kept], ascending; those that belong to no unit too."""
        staying = torch.ones(feature_count(self.module), dtype=torch.bool)
        staying[self.removed] = False
        return torch.nonzero(staying).flatten()


class InputSums:
    """Sums over rows of features: how many, their total, and the products of each two.

    Rows are summed as they differ from the first of them, so that a feature that never moves has no
    variance at all, and a small one beside a large mean is not lost in rounding.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self.count = 0
        self.origin = torch.zeros(size, dtype=torch.float64, device=device)
        self.total = torch.zeros(size, dtype=torch.float64, device=device)
        self.products = torch.zeros(size, size, dtype=torch.float64, device=device)

    def add(self, rows: Tensor) -> None:
        """Add rows, [n, features]."""
        at_once = max(1, _MOST_AT_ONCE // rows.shape[1])
        for start in range(0, len(rows), at_once):
            wide = rows[start : start + at_once].double()
            if self.count == 0:
                self.origin = wide[0].clone()
            wide = wide - self.origin
            self.count += len(wide)
            self.total += wide.sum(dim=0)
            self.products += wide.T @ wide

    def mean(self) -> Tensor:
        """Mean of each feature, [features]."""
        return self.origin + self.total / self.count

    def second_moments(self, *, centred: bool) -> Tensor:
        """Mean product of each two features, [features, features]; centred: their covariance."""
        off = self.total / self.count
        covariance = self.products / self.count - torch.outer(off, off)
        return covariance if centred else covariance + torch.outer(self.mean(), self.mean())


def readers(sites: Sequence[Site], keep: Sequence[Sequence[int]]) -> list[UnitReader]:
    """Return each module that reads a unit which goes, once, in the order of the sites.

    Args:
        sites: From ``Family.sites``.
        keep: Per site the positions that stay.

    Raises:
        InternalError: a site of whole layers, which nothing reads.
    """
    going: dict[int, tuple[nn.Module, list[Tensor]]] = {}
    for site, left in zip(sites, keep, strict=True):
        gone = sorted(set(range(site.units)) - set(left))
        for switch in site.switches:
            if not isinstance(switch, InputSwitch):
                raise InternalError(f"{site.name}: nothing reads a whole layer")
            inputs = switch.places[gone].flatten()
            going.setdefault(id(switch.module), (switch.module, []))[1].append(inputs)
    return [
        UnitReader(module=module, removed=_columns(module, torch.cat(inputs).sort().values))
        for module, inputs in going.values()
        if any(map(len, inputs))
    ]


def reader_matrix(module: nn.Module) -> Tensor:
    """Return a reader's weight, [outputs, features]."""
    weight = module.get_parameter("weight").detach()
    if type(module).__name__ == "Conv1D":  # GPT-2's, inputs first
        return weight.T
    return weight.flatten(1)


def feature_count(module: nn.Module) -> int:
    """Count the features that a reader sees."""
    return reader_matrix(module).shape[1]


def sum_inputs(
    ranked: RankingInput, found: Sequence[UnitReader]
) -> Iterator[tuple[UnitReader, InputSums]]:
    """Yield each reader with the sums over the calibration rows, of the model as it is.

    Where the sums of all do not fit together, the rows are passed through more than once.
    """
    for group in _fitting(found):
        yield from zip(group, _summed(ranked, group), strict=True)


def _fitting(found: Sequence[UnitReader]) -> Iterator[list[UnitReader]]:
    group: list[UnitReader] = []
    held = 0
    for reader in found:
        needed = feature_count(reader.module) ** 2
        if group and held + needed > _MOST_SUMMED:
            yield group
            group, held = [], 0
        group.append(reader)
        held += needed
    if group:
        yield group


def _summed(ranked: RankingInput, group: Sequence[UnitReader]) -> list[InputSums]:
    with placed(ranked.module, ranked.device, training=False) as target, torch.no_grad():
        sums = [InputSums(feature_count(reader.module), target) for reader in group]
        for batch in ranked.batches():
            inputs = batch.to(target).inputs
            with ExitStack() as stack:
                for reader, one in zip(group, sums, strict=True):
                    hook = _adding(one, inputs)
                    stack.callback(reader.module.register_forward_pre_hook(hook).remove)
                ranked.module(**inputs)
    return sums


def _adding(
    sums: InputSums, inputs: Mapping[str, Tensor]
) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    mask = inputs.get("attention_mask")

    def look(module: nn.Module, given: tuple[Any, ...]) -> None:
        for rows in _rows(module, given[0], mask):
            sums.add(rows)

    return look


def _rows(module: nn.Module, hidden: Tensor, mask: Tensor | None) -> Iterator[Tensor]:
    """Yield a reader's inputs as rows of features."""
    if isinstance(module, nn.Conv2d):
        for image in hidden:  # one after the other: patches overlap and take much more room
            yield _patches(module, image[None])
    elif mask is not None and hidden.shape[:-1] == mask.shape:
        yield hidden[mask.bool()]
    else:
        yield hidden.reshape(-1, hidden.shape[-1])


def _patches(module: nn.Conv2d, image: Tensor) -> Tensor:
    """Return what a convolution multiplies its kernel with, [positions, channels x kernel]."""
    width, height = _padding(module, 1), _padding(module, 0)
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    wide = functional.pad(image, [*width, *height], mode=mode)
    return functional.unfold(
        wide, module.kernel_size, dilation=module.dilation, stride=module.stride
    )[0].T


def _padding(module: nn.Conv2d, axis: int) -> tuple[int, int]:
    if module.padding == "valid":
        return 0, 0
    if module.padding == "same":
        total = module.dilation[axis] * (module.kernel_size[axis] - 1)
        return total // 2, total - total // 2
    size = int(module.padding[axis])
    return size, size


def _columns(module: nn.Module, inputs: Tensor) -> Tensor:
    """Return the columns of ``reader_matrix`` of some inputs: of a channel, its whole kernel."""
    if not isinstance(module, nn.Conv2d):
        return inputs
    kernel = module.kernel_size[0] * module.kernel_size[1]
    return (inputs[:, None] * kernel + torch.arange(kernel)).flatten()
