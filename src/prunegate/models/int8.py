"""int8 inside torch: replace a model's layers, store them, load them back bit by bit.

``dynamic`` rounds activations as they come, one scale for each row, and multiplies in int8, so that
a row's answer does not depend on the rows beside it. ``weight_only`` widens the weights for every
call: smaller, not faster. Convolutions store int8 and compute in float either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, cast

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.int8_layers import Int8, Int8Conv2d, Int8Embedding, Int8Linear
from prunegate.models.int8_rounding import DOMINANT, round_to_int8

Kind = Literal["dynamic", "weight_only"]


def quantize_module(
    module: nn.Module,
    *,
    kind: Kind = "dynamic",
    per_channel: bool = True,
    embeddings: bool | None = None,
) -> None:
    """Replace Linear, Conv1D and Conv2d layers, and embeddings if wanted, in place.

    Args:
        module: In float32 on the CPU; switched to evaluation mode.
        kind: See the module.
        per_channel: One scale for each output channel (row of a table) instead of one per tensor.
        embeddings: Quantize embedding tables, and matrices tied to them; None: where tables hold
            more than half of the weights.

    Raises:
        ModelError: weights are NaN or infinite.
        UnsupportedError: there is nothing to quantize.
    """
    _replace(module, kind=kind, axis=0 if per_channel else None, embeddings=embeddings)


def prepare_int8(
    skeleton: nn.Module,
    *,
    kind: Kind = "dynamic",
    per_channel: bool = True,
    embeddings: bool | None = None,
) -> None:
    """Give a float model of the right shapes the layers that ``quantize_module`` would give it.

    Its weights may be anything, and mean nothing until ``load_int8``.

    Raises:
        UnsupportedError: there is nothing to quantize.
    """
    with torch.no_grad():
        for parameter in skeleton.parameters():
            parameter.zero_()
    _replace(skeleton, kind=kind, axis=0 if per_channel else None, embeddings=embeddings)


def int8_state(module: nn.Module) -> dict[str, Tensor]:
    """Return what safetensors can store: every tensor once, on the CPU."""
    shared = _shared(module)
    return {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in module.state_dict().items()
        if name not in shared
    }


def load_int8(module: nn.Module, state: Mapping[str, Tensor], name: str = "model") -> None:
    """Load what ``int8_state`` gave into a module that was prepared the same way, bit by bit.

    Raises:
        ModelError: names, shapes or number types differ, or a number is NaN or infinite.
    """
    shared = _shared(module)
    wanted = {key: t for key, t in module.state_dict().items() if key not in shared}
    wrong = sorted(wanted.keys() ^ state.keys())
    wrong += [
        key
        for key in sorted(wanted.keys() & state.keys())
        if (wanted[key].shape, wanted[key].dtype) != (state[key].shape, state[key].dtype)
        or not bool(torch.isfinite(state[key]).all())
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ModelError(
            f"{name}: not the int8 weights of this model: {', '.join(wrong[:3])}{more} missing, "
            "unknown, of another shape or type, or not finite; quantize the model again."
        )
    module.load_state_dict(
        {**state, **{key: state[first] for key, first in shared.items()}}, strict=True
    )


def _shared(module: nn.Module) -> dict[str, str]:
    """Return the tensors that are stored under an earlier name, and that name."""
    first: dict[tuple[int, torch.Size], str] = {}
    later = {}
    for name, tensor in module.state_dict().items():
        key = (tensor.data_ptr(), tensor.shape)
        if tensor.numel() and first.setdefault(key, name) != name:
            later[name] = first[key]
    return later


def _replace(module: nn.Module, *, kind: Kind, axis: int | None, embeddings: bool | None) -> None:
    layers = list(_layers(module))
    tables = {id(layer.weight): layer for *_, layer in layers if isinstance(layer, nn.Embedding)}
    if embeddings is None:
        held = sum(table.weight.numel() for table in tables.values())
        embeddings = held > DOMINANT * sum(p.numel() for p in module.parameters())
    chosen = [part for part in layers if embeddings or id(part[2].weight) not in tables]
    if not chosen:
        raise UnsupportedError(
            "int8: the model has no Linear, Conv1D or Conv2d layers to quantize; drop the step."
        )
    built: dict[int, Int8] = {}
    weights: dict[int, Int8] = {}
    for _, _, layer in chosen:
        if id(layer) in built:  # one layer in two places
            continue
        built[id(layer)] = new = _build(layer, axis, dynamic=kind == "dynamic")
        if (first := weights.setdefault(id(layer.weight), new)) is not new:
            new.tie(first)
    module.eval()
    for parent, name, layer in chosen:  # after all are built: nothing is left half-quantized
        setattr(parent, name, built[id(layer)])


def _layers(module: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Yield parent, name and layer of all that can be int8; subclasses compute something else."""
    for parent in list(module.modules()):
        for name, layer in parent.named_children():
            plain = type(layer) in (nn.Linear, Conv1D, nn.Embedding)
            if plain or (type(layer) is nn.Conv2d and layer.padding_mode == "zeros"):
                yield parent, name, layer


def _build(layer: nn.Module, axis: int | None, *, dynamic: bool) -> Int8:
    weight = cast("Tensor", layer.weight).detach()
    if isinstance(layer, Conv1D):
        weight = weight.t()
    numbers, sizes = round_to_int8(weight.cpu().numpy(), axis)
    whole, scale = torch.from_numpy(numbers).contiguous(), torch.from_numpy(sizes)
    if isinstance(layer, nn.Embedding):
        return Int8Embedding(whole, scale)
    bias = None if layer.bias is None else cast("Tensor", layer.bias).detach().clone()
    if isinstance(layer, nn.Conv2d):
        return Int8Conv2d(layer, whole, scale, bias)
    return Int8Linear(whole, scale, bias, dynamic=dynamic)
