"""Gates: switch units off, or measure them, without touching a weight.

With 0 and 1 a gate is the reference that physical surgery has to equal; with ones that require a
gradient it measures importance (Michel, Levy and Neubig, "Are Sixteen Heads Really Better than
One?", NeurIPS 2019), which transformers 5 no longer offers since ``head_mask`` was removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from prunegate.models.sites import Site

See = Callable[[int, Sequence[int], Tensor], None]
"""Takes the site's number, the units that are seen, and their values."""


@contextmanager
def gated(sites: Sequence[Site], gates: Sequence[Tensor]) -> Iterator[None]:
    """Multiply the units at ``sites`` while the context lasts.

    Args:
        sites: From ``Family.sites``.
        gates: One per site, of shape [units], or [batch, units] for a gate per sample.
    """
    with ExitStack() as stack:
        for site, gate in zip(sites, gates, strict=True):
            for switch in site.switches:
                stack.callback(switch.attach(gate).remove)
        yield


def switched(
    sites: Sequence[Site], keep: Sequence[Sequence[int]], device: torch.device
) -> list[Tensor]:
    """Gates of 0 and 1 that leave only some units on.

    Args:
        sites: From ``Family.sites``.
        keep: Per site the positions that stay on.
        device: Where the gates are needed.
    """
    gates = [torch.zeros(site.units, device=device) for site in sites]
    for gate, left in zip(gates, keep, strict=True):
        gate[list(left)] = 1.0
    return gates


@contextmanager
def watched(sites: Sequence[Site], see: See) -> Iterator[None]:
    """Look at the units at ``sites`` while the context lasts.

    Args:
        sites: From ``Family.sites``.
        see: Called with the site's number, the units that are seen and [batch, positions, units]
            of their mean absolute value. Where a unit is read in several places, the first counts.
    """
    with ExitStack() as stack:
        for number, site in enumerate(sites):
            for units, switch in site.watchable():
                stack.callback(switch.watch(_to(see, number, units)).remove)
        yield


def _to(see: See, number: int, units: Sequence[int]) -> Callable[[Tensor], None]:
    return lambda values: see(number, units, values)
