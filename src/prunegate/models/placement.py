"""Where a model computes, for the length of a context: device and mode, both put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from torch import nn

from prunegate.errors import UnsupportedError


@contextmanager
def placed(module: nn.Module, device: str, *, training: bool) -> Iterator[torch.device]:
    """Move a model to a device in training or evaluation mode; yield the device.

    Args:
        module: Moved in place; parameters keep their identity.
        device: "cpu", "cuda" or "cuda:N".
        training: True switches dropout on.

    Raises:
        UnsupportedError: the device is unknown or not there, or the model is one that cannot move.
    """
    target = _device(device)
    tensor = next(chain(module.parameters(), module.buffers()), None)
    if tensor is None and target.type != "cpu":
        raise UnsupportedError(f"device {device!r}: model.onnx is run on the CPU here; use cpu.")
    home = torch.device("cpu") if tensor is None else tensor.device
    modes = {part: part.training for part in module.modules()}
    try:
        module.to(target).train(training)
        yield target
    finally:
        module.to(home)
        for part, mode in modes.items():
            part.training = mode


def engine_of(module: nn.Module) -> str:
    """Return what computes a module: "torch 2.13.0", or what the module says of itself."""
    return str(getattr(module, "engine", f"torch {torch.__version__.split('+')[0]}"))


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise UnsupportedError(f"device {name!r} is not supported; use cpu or cuda.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UnsupportedError(f"device {name!r}: torch sees no such GPU here; use cpu.")
    return device
