"""The machine that figures were taken on: what a reader needs to compare them with others."""

from __future__ import annotations

import os
import platform

import torch

from prunegate.cost.processor import processor


def machine(device: torch.device, load_before: float, load_after: float) -> dict[str, str]:
    """Describe the processor, its cores, the software, and how busy it was."""
    found = {
        **processor().facts(),
        "cores": str(cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_before": f"{load_before:.2f}",
        "load_after": f"{load_after:.2f}",
    }
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> float:
    """Return the load average of the last minute: runnable processes, on average."""
    return os.getloadavg()[0]
