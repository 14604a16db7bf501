"""Weights as bytes: safetensors in and out, nothing but finite float32.

A truncated, overlapping or oversized file is refused by the safetensors parser; NaN weights load
without complaint everywhere, so they are looked for here. Half precision is refused rather than
widened: the file would then not be the model that was judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from prunegate.errors import ModelError, UnsupportedError

WEIGHTS_FILE = "model.safetensors"


def read_weights(raw: bytes, name: str = WEIGHTS_FILE) -> dict[str, Tensor]:
    """Parse the bytes of a safetensors file.

    Raises:
        ModelError: malformed, empty, or a weight that is NaN or infinite.
        UnsupportedError: tensors that are not float32.
    """
    try:
        state: dict[str, Tensor] = safetensors.torch.load(raw)
    except (SafetensorError, ValueError, RuntimeError, KeyError, OverflowError) as error:
        raise ModelError(
            f"{name}: not a whole safetensors file ({error}); copy or save it again."
        ) from error
    if not state:
        raise ModelError(f"{name}: holds no tensors; save the model again.")
    for tensor_name, tensor in state.items():
        if tensor.dtype != torch.float32:
            raise UnsupportedError(
                f"{name}: {tensor_name} is {tensor.dtype}; only float32 is supported: save the "
                "model after model.float()."
            )
    _refuse_non_finite(state, name)
    return state


def write_weights(module: nn.Module) -> bytes:
    """Serialise a module's state; the same weights give the same bytes.

    Raises:
        ModelError: a weight is NaN or infinite.
    """
    state = {
        name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()
    }
    _refuse_non_finite(state, "the model to save")
    raw: bytes = safetensors.torch.save(state, metadata={"format": "pt"})
    return raw


def weights_sha256(module: nn.Module) -> str:
    """Return the sha256 that model.safetensors of this module will have."""
    return hashlib.sha256(write_weights(module)).hexdigest()


def load_into(module: nn.Module, state: Mapping[str, Tensor], name: str = WEIGHTS_FILE) -> None:
    """Copy weights into a module of the same names and shapes, or refuse; never partly.

    Raises:
        ModelError: names missing or unexpected, or shapes that differ.
    """
    wanted = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    stored = {key: tuple(tensor.shape) for key, tensor in state.items()}
    for problem, keys in (("missing", wanted.keys() - stored), ("unknown", stored.keys() - wanted)):
        if keys:
            raise ModelError(
                f"{name}: {problem} tensors: {_some(sorted(keys))}. Save the whole model with "
                "save_pretrained, or prune it with 'prunegate run'."
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
            "'prunegate run', which writes surgery.json."
        )
    module.load_state_dict(dict(state), strict=True)


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
