"""Sites: where the units of a row lie in a module, and how they are switched off or cut out.

One description serves every architecture. A *part* is an axis of a parameter (or buffer) along
which the units of a site lie; slicing all parts of a site removes a unit from the model. A
*switch* is a place in the forward pass where a unit can be multiplied by a number: with 0 and 1 it
is the reference that surgery has to equal, with ones that need a gradient it measures importance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from prunegate.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class Part:
    """An axis of a parameter or buffer along which the units of a site lie."""

    owner: nn.Module
    name: str
    """Of the parameter or buffer in its owner: weight, bias, running_mean."""
    axis: int
    places: Tensor
    """int64 [units, entries]: where each unit's entries are along the axis."""

    @property
    def tensor(self) -> Tensor:
        """The parameter or buffer as it is now."""
        tensor: Tensor = getattr(self.owner, self.name)
        return tensor

    @property
    def multiplies(self) -> bool:
        """Whether inputs are multiplied with it: a matrix or kernel, not a bias, norm or table."""
        return self.name == "weight" and self.tensor.dim() > 1

    def by_unit(self) -> Tensor:
        """Return what belongs to each unit, [units, weights]."""
        rows = self.tensor.movedim(self.axis, 0)
        places = self.places.to(rows.device)
        return rows[places].reshape(len(places), -1)

    def removed(self, keep: Sequence[int]) -> Tensor:
        """Return the entries along the axis that go when some units stay."""
        gone = torch.ones(len(self.places), dtype=torch.bool)
        gone[list(keep)] = False
        return self.places[gone].flatten()


@dataclass(frozen=True, kw_only=True)
class InputSwitch:
    """The input of a projection or convolution: each unit is some of its features."""

    module: nn.Module
    places: Tensor
    """int64 [units, features of a unit]."""
    axis: int = -1
    """Where the features are: -1 for tokens, 1 for the channels of an image."""

    def attach(self, gate: Tensor) -> RemovableHandle:
        """Multiply each unit's features."""

        def multiply(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            hidden: Tensor = inputs[0]
            return (hidden * self._factor(gate, hidden), *inputs[1:])

        return self.module.register_forward_pre_hook(multiply)

    def watch(self, see: Callable[[Tensor], None]) -> RemovableHandle:
        """Look at each unit's features."""

        def look(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
            hidden = inputs[0].detach().movedim(self.axis, -1)
            hidden = hidden[:, None] if hidden.dim() == 2 else hidden.flatten(1, -2)
            see(hidden.abs()[..., self.places.to(hidden.device)].mean(dim=-1))

        return self.module.register_forward_pre_hook(look)

    def _factor(self, gate: Tensor, hidden: Tensor) -> Tensor:
        axis = self.axis % hidden.dim()
        size = hidden.shape[axis]
        # Features that belong to no unit find the one that is appended to the gates.
        unit_of = torch.full((size,), gate.shape[-1])
        unit_of[self.places] = torch.arange(len(self.places))[:, None]
        padded = torch.cat([gate, gate.new_ones((*gate.shape[:-1], 1))], dim=-1)
        factor = padded[..., unit_of.to(gate.device)]
        shape = [1] * hidden.dim()
        shape[axis] = size
        if gate.dim() == 2:  # the windows of a picture are rows side by side
            shape[0] = len(hidden)
            factor = factor.repeat_interleave(len(hidden) // len(gate), dim=0)
        return factor.reshape(shape)


@dataclass(frozen=True, kw_only=True)
class Bypass:
    """A whole layer: the unit is what the layer adds to its input."""

    module: nn.Module
    unit: int
    """Which of the site's units this layer is."""

    def attach(self, gate: Tensor) -> RemovableHandle:
        """Multiply what the layer adds; with 0 its input goes on unchanged."""

        def mix(_m: nn.Module, args: tuple[Any, ...], named: Mapping[str, Any], out: Any) -> Any:
            before, after = _through(args, named, out)
            factor = gate[..., self.unit]
            if factor.dim():
                factor = factor.reshape(-1, *[1] * (before.dim() - 1))
            mixed = before + factor * (after - before)
            return mixed if isinstance(out, Tensor) else (mixed, *out[1:])

        return self.module.register_forward_hook(mix, with_kwargs=True)

    def watch(self, see: Callable[[Tensor], None]) -> RemovableHandle:
        """Look at what the layer adds."""

        def look(_m: nn.Module, args: tuple[Any, ...], named: Mapping[str, Any], out: Any) -> None:
            before, after = _through(args, named, out)
            see((after - before).detach().abs().flatten(1, -2).mean(dim=-1, keepdim=True))

        return self.module.register_forward_hook(look, with_kwargs=True)


Switch = InputSwitch | Bypass
"""``attach`` multiplies units by a gate, [units] or [batch, units], while its handle lives;
``watch`` hands on the units' mean absolute values, [batch, positions, units]; where a module looks
at windows of a picture, they come side by side in the place of the batch."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One row of units."""

    name: str
    """For messages: "heads of layer 3"."""
    units: int
    """How many are there now."""
    switches: tuple[Switch, ...]
    parts: tuple[Part, ...] = ()
    """Empty for layers, which go as a whole."""
    resized: Callable[[Sequence[int]], None] = lambda _keep: None
    """Tells the modules around what stayed, after the parts were cut."""

    def weights(self) -> Iterator[tuple[Sequence[int], Tensor]]:
        """Yield trained weights by unit: some units, and a tensor with a row for each of them."""
        for part in self.parts:
            if isinstance(part.tensor, nn.Parameter):
                yield range(self.units), part.by_unit()
        if not self.parts:
            for switch in self.switches:
                if isinstance(switch, Bypass):
                    for parameter in switch.module.parameters():
                        yield [switch.unit], parameter.reshape(1, -1)

    def watchable(self) -> Iterator[tuple[Sequence[int], Switch]]:
        """Yield where each unit can be seen once: some units, and the switch that shows them."""
        for switch in self.switches:
            if isinstance(switch, Bypass):
                yield [switch.unit], switch
            else:
                yield range(self.units), switch
                return

    def check(self, keep: Sequence[int]) -> None:
        """Refuse positions that cannot stay.

        Raises:
            ModelError: none, or some that are not there, twice or descending.
        """
        ascending = all(a < b for a, b in pairwise(keep))
        if not keep or not ascending or keep[0] < 0 or keep[-1] >= self.units:
            raise ModelError(
                f"surgery: {self.name}: keep at least one, by ascending positions from 0 to "
                f"{self.units - 1}, each once."
            )


def side_by_side(units: int, width: int, *, sections: int = 1) -> Tensor:
    """Places of units that lie side by side, [units, sections * width].

    Args:
        units: How many there are.
        width: Entries of a unit.
        sections: How often the row of units is repeated along the axis, as in a fused q, k and v.
    """
    one = torch.arange(units * width).reshape(units, width)
    return torch.cat([one + section * units * width for section in range(sections)], dim=1)


def linear_parts(linear: nn.Linear, places: Tensor) -> list[Part]:
    """The outputs of a linear layer: rows of its weight, entries of its bias."""
    parts = [Part(owner=linear, name="weight", axis=0, places=places)]
    if linear.bias is not None:
        parts.append(Part(owner=linear, name="bias", axis=0, places=places))
    return parts


def units_between(
    name: str,
    before: Sequence[tuple[nn.Linear, Tensor]],
    after: nn.Linear,
    places: Tensor,
    resized: Callable[[Sequence[int]], None] = lambda _keep: None,
) -> Site:
    """Units that lie between linear layers: outputs of some, inputs of one.

    Args:
        name: For messages.
        before: The layers that make the units, each with the units' places among its outputs.
        after: The layer that reads them.
        places: The units' places among its inputs.
        resized: As of ``Site``.
    """
    parts = [part for linear, where in before for part in linear_parts(linear, where)]
    return Site(
        name=name,
        units=len(places),
        switches=(InputSwitch(module=after, places=places),),
        parts=(*parts, Part(owner=after, name="weight", axis=1, places=places)),
        resized=resized,
    )


def fused_between(
    name: str,
    before: nn.Linear,
    after: nn.Linear,
    width: int = 1,
    resized: Callable[[Sequence[int]], None] = lambda _keep: None,
) -> Site:
    """Units between two linear layers, of which the first may make several sections of them.

    Query, key and value may come from one matrix, and so may neurons and what gates them.

    Args:
        name: For messages.
        before: The layer that makes the units, once or section by section.
        after: The layer that reads them.
        width: Entries of a unit in a section.
        resized: As of ``Site``.
    """
    units, sections = after.in_features // width, before.out_features // after.in_features
    inside = side_by_side(units, width, sections=sections)
    return units_between(name, [(before, inside)], after, side_by_side(units, width), resized)


def _through(args: tuple[Any, ...], named: Mapping[str, Any], out: Any) -> tuple[Tensor, Tensor]:
    before: Tensor = args[0] if args else named["hidden_states"]
    after: Tensor = out if isinstance(out, Tensor) else out[0]
    return before, after
