"""Which filters of a plain torch network go together, found by tracing it.

A filter is an output channel of a convolution. What else goes with it (batch norms, depthwise
convolutions, other convolutions that add to the same residual stream, inputs of whatever reads it,
several features each after a flatten) is read from torch-pruning's dependency graph (Fang et al.,
"DepGraph: Towards Any Structural Pruning", CVPR 2023). Only the graph is used: what goes, how, and
the cutting are prunegate's own. Networks with parts that are not known here are refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prunegate.errors import UnsupportedError
from prunegate.models.sites import InputSwitch, Part, Site

_NORM = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True, kw_only=True)
class _Touched:
    """Entries of a module that go with channels of the root."""

    module: nn.Module
    inputs: bool
    """Whether they are inputs of the module, or outputs."""
    entries: Mapping[int, Sequence[int]]
    """Root channel to entries."""


def filter_sites(network: nn.Module, example: Tensor) -> tuple[Site, ...]:
    """Return one site per group of filters, in the order of the network's modules.

    Filters that the network's output consists of are no units.

    Args:
        network: Called with one tensor; its mode is left as it was.
        example: float32 [B, C, H, W].

    Raises:
        UnsupportedError: torch-pruning is missing or cannot trace the network, or channels reach a
            module that is not known.
    """
    names = {module: name for name, module in network.named_modules()}
    graph = _traced(network, example)
    sites: list[Site] = []
    seen = set[nn.Module]()
    for module in list(names):
        if not _is_root(module, names) or module in seen or module not in graph.module2node:
            continue
        touched = _touched(graph, module, names)
        if touched is None:
            continue
        seen.update(one.module for one in touched if not one.inputs)
        name = f"filters of {names[module]}"
        sites.extend(_site(name, units, touched) for units in _alike(touched))
    return tuple(sites)


def _traced(network: nn.Module, example: Tensor) -> Any:
    try:
        import torch_pruning
    except ImportError as error:
        raise UnsupportedError(
            "following channels through a network of your own needs torch-pruning: "
            "pip install 'prunegate[cnn]'"
        ) from error
    modes = {part: part.training for part in network.modules()}
    try:
        _refuse_shared(network, example)
        # An input that needs a gradient shows the way through frozen weights too.
        with torch.enable_grad():
            return torch_pruning.DependencyGraph().build_dependency(
                network, example.clone().requires_grad_(), verbose=False
            )
    except UnsupportedError:
        raise
    except Exception as error:  # whatever a network that it cannot follow makes it raise
        raise UnsupportedError(
            f"torch-pruning cannot trace this network ({error}); judge it by its predictions "
            "instead (prunegate gate)."
        ) from error
    finally:
        for part, mode in modes.items():
            part.training = mode


def _refuse_shared(network: nn.Module, example: Tensor) -> None:
    """Refuse weights that are used in two places: their channels would have to agree."""
    own = dict(network.named_parameters())
    shared = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    twice = [name for name in shared if name not in own] or _called_twice(network, example)
    if twice:
        raise UnsupportedError(
            f"{twice[0]} is used more than once; channels of shared weights cannot be taken out."
        )


def _called_twice(network: nn.Module, example: Tensor) -> list[str]:
    calls: dict[str, int] = defaultdict(int)

    def counting(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def count(_module: nn.Module, _inputs: tuple[Any, ...]) -> None:
            calls[name] += 1

        return count

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if next(module.parameters(recurse=False), None) is not None:
                stack.callback(module.register_forward_pre_hook(counting(name)).remove)
        try:
            with torch.no_grad():
                network.eval()(example)
        except Exception as error:  # the network's own
            raise UnsupportedError(f"the network fails on the example input ({error}).") from error
    return [name for name, number in calls.items() if number > 1]


def _is_root(module: nn.Module, names: Mapping[nn.Module, str]) -> bool:
    if not isinstance(module, nn.Conv2d):
        return False
    if module.groups != 1 and not _depthwise(module):
        raise UnsupportedError(
            f"{names[module]} is a convolution in {module.groups} groups; only plain and depthwise "
            "convolutions (as many groups as channels) are supported."
        )
    return module.groups == 1


def _depthwise(module: nn.Conv2d) -> bool:
    return module.groups == module.in_channels == module.out_channels


def _touched(graph: Any, root: Any, names: Mapping[nn.Module, str]) -> tuple[_Touched, ...] | None:
    """Return what goes with the outputs of a convolution; None where the network's output does."""
    pruner = graph.get_pruner_of_module(root)
    channels = list(range(root.out_channels))
    found = []
    for item in graph.get_pruning_group(root, pruner.prune_out_channels, channels):
        module = item.dep.target.module
        if type(module).__name__ == "_OutputOp":
            return None
        if type(module).__module__.startswith("torch_pruning"):
            continue  # an operation without weights
        _require_known(module, names)
        inputs = bool(graph.is_in_channel_pruning_fn(item.dep.handler)) and _mixes(module)
        entries = defaultdict(list)
        for entry, channel in zip(item.idxs, item.root_idxs, strict=True):
            entries[channel].append(entry)
        found.append(_Touched(module=module, inputs=inputs, entries=entries))
    return tuple(found)


def _mixes(module: nn.Module) -> bool:
    """Tell whether outputs are sums over inputs; of batch norm, say, both ends are one."""
    return isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.groups == 1)


def _require_known(module: nn.Module, names: Mapping[nn.Module, str]) -> None:
    known = type(module) in (nn.Conv2d, nn.Linear) or (
        type(module) in (nn.BatchNorm1d, nn.BatchNorm2d)
        and all(getattr(module, name) is not None for name in _NORM)
    )
    if not known:
        raise UnsupportedError(
            f"filters reach {names.get(module, 'a parameter')} ({type(module).__name__}); they can "
            "be followed through Conv2d, Linear and BatchNorm (with weights and running statistics)"
        )


def _alike(touched: Sequence[_Touched]) -> Iterator[list[int]]:
    """Yield the root's channels, those together that touch the same modules."""
    channels = sorted(touched[0].entries)
    classes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for channel in channels:
        signature = tuple(len(one.entries.get(channel, ())) for one in touched)
        classes[signature].append(channel)
    yield from classes.values()


def _site(name: str, units: Sequence[int], touched: Sequence[_Touched]) -> Site:
    parts: list[Part] = []
    switches = []
    for one in touched:
        if not one.entries.get(units[0]):
            continue
        places = torch.tensor([one.entries[channel] for channel in units])
        if one.inputs:
            parts.append(Part(owner=one.module, name="weight", axis=1, places=places))
            axis = 1 if isinstance(one.module, nn.Conv2d) else -1
            switches.append(InputSwitch(module=one.module, places=places, axis=axis))
        else:
            there = _NORM if hasattr(one.module, "running_mean") else ("weight", "bias")
            parts.extend(
                Part(owner=one.module, name=tensor, axis=0, places=places)
                for tensor in there
                if getattr(one.module, tensor) is not None
            )
    return Site(name=name, units=len(units), switches=tuple(switches), parts=tuple(parts))
