"""Weights as bytes: safetensors in and out, finite float32 (and whole numbers where they belong).

A truncated, overlapping or oversized file is refused by the safetensors parser; NaN weights load
without complaint everywhere, so they are looked for here. What is pruned is float32; half precision
is read where a model is judged as it is. Tied weights are stored once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.surgery import WEIGHTS_FILE
from prunegate.models.tensor_names import refuse_wrapped

_WHOLE = (torch.int64, torch.int8)  # batch counts of BatchNorm; eight-bit weights
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Number formats that models are judged in."""
TIED = 1024
"""Bytes from which on two equal tensors are one that is stored twice."""
_BEGINNING = 16
"""Numbers by which tensors that may be equal are found."""
_OTHER_WHOLE = (torch.int32, torch.uint8, torch.bool)
MOST_TENSORS = 100_000
"""Of one file; the largest models have fewer in all of theirs, and each takes time to read."""


def read_weights(raw: bytes, name: str = WEIGHTS_FILE, *, half: bool = False) -> dict[str, Tensor]:
    """Parse the bytes of a safetensors file.

    Args:
        raw: The bytes.
        name: What errors call it.
        half: Whether any of ``FLOATS`` will do.

    Raises:
        ModelError: malformed, empty, or a weight that is NaN or infinite.
        UnsupportedError: tensors that are not float32.
    """
    _refuse_many(raw, name)
    try:
        state: dict[str, Tensor] = safetensors.torch.load(raw)
    except (SafetensorError, ValueError, RuntimeError, KeyError, OverflowError) as error:
        raise ModelError(
            f"{name}: not a whole safetensors file ({error}); copy or save it again."
        ) from error
    require_numbers(state, name, half=half)
    _refuse_twice(raw, len(state), name)
    return state


def require_numbers(state: Mapping[str, Tensor], name: str, *, half: bool = False) -> None:
    """Insist that stored tensors are finite, and in number formats that are computed in.

    Args:
        state: The tensors.
        name: What errors call their file.
        half: Whether any of ``FLOATS`` will do.

    Raises:
        ModelError: there are none, or a weight is NaN or infinite.
        UnsupportedError: tensors that are not float32.
    """
    if not state:
        raise ModelError(f"{name}: holds no tensors; save the model again.")
    able = (*FLOATS, *_WHOLE, *_OTHER_WHOLE) if half else (torch.float32, *_WHOLE)
    for tensor_name, tensor in state.items():
        if tensor.dtype not in able:
            raise UnsupportedError(
                f"{name}: {tensor_name} is {tensor.dtype}; only float32 is supported: save the "
                "model after model.float()."
            )
    _refuse_non_finite(state, name)


def write_weights(module: nn.Module) -> bytes:
    """Serialise a module's state; the same weights give the same bytes.

    Raises:
        ModelError: a weight is NaN or infinite, or not float32.
    """
    state = stored_once(module)
    other = [key for key, one in state.items() if one.dtype not in (torch.float32, *_WHOLE)]
    if other:
        raise ModelError(
            f"the model to save: {other[0]} is {state[other[0]].dtype}; only float32 is "
            "stored: call model.float()."
        )
    return write_state(state)


def write_state(state: Mapping[str, Tensor]) -> bytes:
    """Serialise tensors that share no memory.

    Raises:
        ModelError: a weight is NaN or infinite.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    _refuse_non_finite(plain, "the model to save")
    raw: bytes = safetensors.torch.save(plain, metadata={"format": "pt"})
    return raw


def weights_sha256(module: nn.Module) -> str:
    """Return the sha256 that model.safetensors of this module will have."""
    return hashlib.sha256(write_weights(module)).hexdigest()


def load_into(module: nn.Module, state: Mapping[str, Tensor], name: str = WEIGHTS_FILE) -> None:
    """Copy weights into a module of the same names and shapes, or refuse; never partly.

    Raises:
        ModelError: names missing, unexpected or under a wrapper's, or shapes that differ.
    """
    own = stored_once(module)
    tied = module.state_dict().keys() - own.keys()
    wanted = {key: tuple(tensor.shape) for key, tensor in own.items()}
    stored = {key: tuple(tensor.shape) for key, tensor in state.items() if key not in tied}
    refuse_wrapped(name, wanted, stored)
    for problem, keys in (("missing", wanted.keys() - stored), ("unknown", stored.keys() - wanted)):
        if keys:
            raise ModelError(
                f"{name}: {problem} tensors: {_some(sorted(keys))}. Save the whole model with "
                "save_pretrained, or prune it with 'prunegate compress'."
            )
    differing = [
        f"{key} is {list(stored[key])}, config says {list(wanted[key])}"
        for key in sorted(wanted)
        if stored[key] != wanted[key]
    ]
    if differing:
        raise ModelError(
            f"{name}: shapes do not fit the config: {_some(differing)}. A pruned model that was "
            "saved with save_pretrained looks like this and cannot be reloaded; save it with "
            "'prunegate compress', which writes surgery.json."
        )
    for key, tensor in own.items():
        if state[key].dtype != tensor.dtype:
            raise ModelError(f"{name}: {key} is {state[key].dtype}; expected {tensor.dtype}.")
    module.load_state_dict({key: state[key] for key in own}, strict=False)
    final = module.state_dict()
    for key in sorted(tied & state.keys()):
        if not torch.equal(final[key], state[key]):
            raise ModelError(
                f"{name}: {key} is stored with other values than the weight it is tied to; set "
                "tie_word_embeddings: false in config.json, or save the model again."
            )


def stored_once(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's state without the second names of tied weights."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    state = {}
    for key, tensor in module.state_dict().items():
        place = (tensor.data_ptr(), tuple(tensor.shape))
        if tensor.numel() and place in seen:
            continue
        seen.add(place)
        state[key] = tensor
    return state


def doubled_bytes(module: nn.Module, state: Mapping[str, Tensor]) -> int:
    """Bytes of stored tensors that are stored before, which we would not store.

    Those are second names of tied weights, and large matrices that equal an earlier one whatever
    the config says of ties. Tensors of one value are none: zeros save nothing.
    """
    tied = module.state_dict().keys() - stored_once(module).keys()
    first: dict[Any, list[Tensor]] = {}
    doubled, places = 0, set()
    for name, tensor in state.items():
        place = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride())
        if place in places:  # of a pickle: two names of what is stored once
            continue
        places.add(place)
        if name in tied:
            doubled += tensor.nbytes
        elif tensor.dim() > 1 and tensor.nbytes >= TIED and bool(tensor.min() != tensor.max()):
            beginning = tuple(tensor.flatten()[:_BEGINNING].tolist())
            alike = first.setdefault((tensor.dtype, tensor.shape, beginning), [])
            if any(torch.equal(tensor, other) for other in alike):
                doubled += tensor.nbytes
            else:
                alike.append(tensor)
    return doubled


def zeros_of(module: nn.Module) -> int:
    """Count the zeros among weights of two dimensions and more, each tied weight once.

    Eight-bit weights are buffers; their zero is 0.
    """
    stored = stored_once(module)
    eight_bits = (one for one in stored.values() if one.dtype == torch.int8)
    weights = [one for one in (*module.parameters(), *eight_bits) if one.dim() >= 2]
    return sum(int((weight == 0).sum()) for weight in weights)


def _refuse_many(raw: bytes, name: str) -> None:
    """Refuse more tensors than any model has, unread: each is an object of the header."""
    end = 8 + int.from_bytes(raw[:8], "little")
    if raw.count(b"{", 8, min(end, len(raw))) > MOST_TENSORS + 2:  # the header, its metadata
        raise ModelError(
            f"{name}: more than {MOST_TENSORS:,} tensors; save the model in several files."
        )


def _refuse_twice(raw: bytes, tensors: int, name: str) -> None:
    """Two tensors of one name, of which the parser drops one, are two models in one file."""
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length], object_pairs_hook=lambda pairs: pairs)
    if sum(key != "__metadata__" for key, _ in header) != tensors:
        raise ModelError(f"{name}: a tensor is named twice; save the model again.")


def _refuse_non_finite(state: Mapping[str, Tensor], name: str) -> None:
    bad = [key for key, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise ModelError(
            f"{name}: NaN or infinite weights in {_some(sorted(bad))}; the training diverged, "
            "use an earlier checkpoint."
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return "; ".join(names[:3]) + more
