"""Cut: take units out of a module, in place, or bring it to a whole plan of kept units."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from prunegate.errors import InternalError, ModelError
from prunegate.models.family import Family
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.sites import Site

_SIZES: dict[str, tuple[tuple[str, int], ...]] = {  # attribute, axis of the weight
    "Linear": (("out_features", 0), ("in_features", 1)),
    "Conv1D": (("nx", 0), ("nf", 1)),
    "Conv2d": (("out_channels", 0), ("in_channels", 1)),
    "BatchNorm2d": (("num_features", 0),),
}


def cut(family: Family, module: nn.Module, kind: Kind, keep: Sequence[Sequence[int]]) -> None:
    """Remove units in place; optimizers made before hold stale parameters.

    Args:
        family: The model's adapter.
        module: The model.
        kind: What is cut.
        keep: Per present row, the positions that stay among the units that are present.

    Raises:
        ModelError: not one list per row, or positions that are not there; nothing is cut then.
    """
    sites = family.sites(module, kind)
    if len(keep) != len(sites):
        raise ModelError(f"surgery: {len(keep)} rows of {kind} given, the model has {len(sites)}.")
    for site, left in zip(sites, keep, strict=True):
        site.check(left)
    _slice(sites, keep)
    for site, left in zip(sites, keep, strict=True):
        if len(left) < site.units:
            site.resized(left)


def cut_whole(family: Family, module: nn.Module, kept: KeptUnits) -> None:
    """Cut an unpruned module to a plan, in place; layers go first.

    Raises:
        InternalError: other units are left than the plan keeps.
    """
    for kind in sorted(kept.kinds, key=lambda kind: kind != "layers"):
        cut(family, module, kind, kept.rows(kind))
        present = tuple(site.units for site in family.sites(module, kind))
        if present != tuple(map(len, kept.rows(kind))):
            raise InternalError(f"surgery left {present} {kind}, the plan keeps {kept.rows(kind)}")


def _slice(sites: Sequence[Site], keep: Sequence[Sequence[int]]) -> None:
    """Slice every part once, though several sites may lie along one axis of it."""
    going: dict[tuple[int, str, int], tuple[nn.Module, list[Tensor]]] = {}
    for site, left in zip(sites, keep, strict=True):
        for part in site.parts:
            key = (id(part.owner), part.name, part.axis)
            going.setdefault(key, (part.owner, []))[1].append(part.removed(left))
    owners = {}
    for (_, name, axis), (owner, removed) in going.items():
        places = torch.cat(removed)
        if len(places):
            _keep_rest(owner, name, axis, places)
            owners[id(owner)] = owner
    for owner in owners.values():
        _announce(owner)


def _keep_rest(owner: nn.Module, name: str, axis: int, removed: Tensor) -> None:
    whole: Tensor = getattr(owner, name)
    staying = torch.ones(whole.shape[axis], dtype=torch.bool)
    staying[removed] = False
    left = torch.nonzero(staying).flatten().to(whole.device)
    kept = whole.detach().index_select(axis, left).contiguous()
    if isinstance(whole, nn.Parameter):
        kept = nn.Parameter(kept, requires_grad=whole.requires_grad)
    setattr(owner, name, kept)


def _announce(module: nn.Module) -> None:
    """Give a module's size attributes the sizes that its weight now has."""
    weight = getattr(module, "weight", None)
    if isinstance(weight, Tensor):
        for attribute, axis in _SIZES.get(type(module).__name__, ()):
            setattr(module, attribute, weight.shape[axis])
    if isinstance(module, nn.Conv2d) and module.groups > 1:  # only depthwise ones are cut
        module.groups = module.in_channels = module.out_channels
