"""Weights from a pickle, by torch's weights_only reader, held against the same as safetensors.

Nothing of a pickle is called but what rebuilds tensors: ``pickle_files`` reads its program first,
weights_only runs no more than that, and what comes of it is a flat mapping of names to tensors or
refused.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from prunegate.errors import ModelError
from prunegate.models.pickle_files import require_tensors_only
from prunegate.models.tensor_names import refuse_tensor_names
from prunegate.models.weights import require_numbers

_MOST_SHARED = 4
"""Bytes of all tensors for one of the file; tied weights are two names of the same bytes."""


def read_pickle(raw: bytes, name: str, *, half: bool = False) -> dict[str, Tensor]:
    """Read the state dict that torch.save wrote.

    Args:
        raw: The bytes of the file.
        name: What errors call it.
        half: As of ``read_weights``.

    Raises:
        ModelError: it calls code, is malformed or empty, holds something else than tensors by
            name or more than its bytes, or a weight that is NaN or infinite.
        UnsupportedError: a number format.
    """
    require_tensors_only(io.BytesIO(raw), len(raw), name)
    try:
        found = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # whatever a malformed program makes of torch's reader
        first = _why(error)
        raise ModelError(
            f"{name}: torch's weights_only reader refuses it ({first}); save it again."
        ) from error
    state = _flat(found, name)
    _require_within(state, len(raw), name)
    refuse_tensor_names(state.keys(), Path(name).parent)
    require_numbers(state, name, half=half)
    return state


def _why(error: Exception) -> str:
    """What torch's reader did not take; its advice to read the file without care is left out."""
    told = str(error).rpartition("WeightsUnpickler error:")[2].strip()
    return told.partition("\n")[0][:200]


def _flat(found: Any, name: str) -> dict[str, Tensor]:
    """The tensors by name; nothing of what else the mapping may have been given is asked."""
    pairs = dict.items(found) if type(found) in (dict, OrderedDict) else None
    plain = pairs is not None and all(type(key) is str and _is_plain(one) for key, one in pairs)
    if pairs is None or not plain:
        raise ModelError(
            f"{name}: not a flat mapping of names to tensors, which is what the weights of a model "
            "are; save it with torch.save(model.state_dict(), ...)."
        )
    return {key: one.detach() for key, one in pairs}


def _is_plain(value: Any) -> bool:
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.layout == torch.strided
        and not value.is_quantized
        and value.device.type == "cpu"
    )


def _require_within(state: dict[str, Tensor], size: int, name: str) -> None:
    """A few bytes may not stand for many: a repeated number fills any memory."""
    spread = [key for key, one in state.items() if one.nbytes > one.untyped_storage().nbytes()]
    if spread or sum(one.nbytes for one in state.values()) > _MOST_SHARED * size:
        raise ModelError(
            f"{name}: describes more numbers than it holds; save it again, each tensor contiguous."
        )
