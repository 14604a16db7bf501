"""The process that holds one model and says how much memory that took; see ``memory.py``.

Asked on stdin, answers on stdout, both JSON. It runs nothing that the caller has not checked: the
caller has loaded the same model before, and insists afterwards that its files are unchanged.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prunegate.cost.rounds import take

CALLS = 3
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"

Call = Callable[[Mapping[str, Tensor]], object]


def peaks_of(asked: Mapping[str, Any]) -> list[int | None]:
    """Load what is asked for and return the peak bytes of each batch."""
    torch.set_num_threads(asked["threads"])
    with np.load(asked["inputs"], allow_pickle=False) as arrays:
        samples = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    batches = {size: take(samples, size) for size in asked["batches"]}
    _load_libraries(asked)
    before = _resident("VmRSS")
    call = _loaded(asked)
    with torch.inference_mode():
        return [_peak(call, inputs, before) for inputs in batches.values()]


def _peak(call: Call, inputs: Any, before: int | None) -> int | None:
    if before is None or not _forget_peak():
        return None
    for _ in range(CALLS):
        call(inputs)
    peak = _resident("VmHWM")
    return None if peak is None else max(0, peak - before)


def _load_libraries(asked: Mapping[str, Any]) -> None:
    """Load what would otherwise be counted as the model's."""
    from prunegate.models.family import architectures, family_of
    from prunegate.models.onnx_file import edge

    if asked["onnx"]:
        edge("onnxruntime")
    elif asked["architecture"] in architectures():
        family_of(asked["architecture"])
    else:
        import prunegate.models.library  # noqa: F401  # for what it brings
    torch.ones(64, 64) @ torch.ones(64, 64)  # starts torch's threads and kernels
    _give_back()
    gc.freeze()  # looking through the libraries again, at each batch, takes longer than a call
    gc.enable()


def _loaded(asked: Mapping[str, Any]) -> Call:
    if asked["onnx"]:
        from prunegate.models.onnx_module import open_session

        # By path: from bytes, the session would hold the file a second time.
        session = open_session(asked["path"], asked["path"], asked["threads"])
        return lambda inputs: session.run(None, {n: tensor.numpy() for n, tensor in inputs.items()})
    from prunegate.models.open_model import open_model

    place, pickles = Path(asked["path"]), bool(asked.get("pickles"))
    module = open_model(place, classes=False, pickles=pickles).module
    return lambda inputs: module(**inputs)


def _give_back() -> None:
    """Return freed memory to the system, where the C library can."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _forget_peak() -> bool:
    """Make the highest memory so far the present one; False where the system cannot."""
    _give_back()
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _resident(name: str) -> int | None:
    """Resident memory in bytes, now (VmRSS) or at its highest (VmHWM)."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)


def main() -> None:
    """Answer what is asked on standard input."""
    json.dump(peaks_of(json.load(sys.stdin)), sys.stdout)
