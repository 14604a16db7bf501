"""Where a model computes, for the length of a context: device and mode, both put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
        UnsupportedError: the device is unknown or not there.
    """
    target = _device(device)
    home = next(module.parameters()).device
    modes = {part: part.training for part in module.modules()}
    try:
        module.to(target).train(training)
        yield target
    finally:
        module.to(home)
        for part, mode in modes.items():
            part.training = mode


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
