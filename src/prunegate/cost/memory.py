"""Peak memory: what one model adds to a process of its own while it serves.

Each model is loaded in a fresh process (``memory_process.py``), after the libraries it needs. Its
figure for a batch is the highest resident memory during a few calls, less the resident memory
before the model was there: weights, activations and the engine's buffers; neither interpreter nor
libraries nor the inputs. What loading needs for a moment is given back before. Only Linux tells the
highest memory since a moment of one's choice; elsewhere the figure is None.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from prunegate.errors import MeasurementError

PROGRAM = "import gc; gc.disable(); from prunegate.cost.memory_process import main; main()"
"""While libraries load, classes are made by the thousand, and none is garbage."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A model as the process finds it: what is deployed, not what is in memory here."""

    path: Path
    """A folder that ``open_model`` takes; for ONNX, the model.onnx itself."""
    architecture: str
    """Its class, so that the library is loaded before the model."""
    onnx: bool
    pickles: bool = False
    """Whether its weights are read from one."""


def peak_memory(
    model: Stored, inputs: Mapping[str, Tensor], batches: Sequence[int], threads: int
) -> dict[int, int | None]:
    """Measure the peak memory of a model in batches of several sizes.

    Args:
        model: What to load.
        inputs: Samples, by argument name.
        batches: Sizes of a batch.
        threads: As in the timing.

    Returns:
        Bytes by batch size; None where the system does not tell.

    Raises:
        MeasurementError: the process ended early (out of memory, for example).
    """
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "inputs.npz"
        arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in inputs.items()}
        np.savez(samples, **arrays)
        sizes = sorted(batches)  # an engine's buffers grow, and stay
        asked = {
            "path": str(model.path.resolve()),
            "architecture": model.architecture,
            "onnx": model.onnx,
            "pickles": model.pickles,
            "inputs": str(samples),
            "threads": threads,
            "batches": sizes,
        }
        # -P: nothing in the working folder may stand in for a library.
        done = subprocess.run(  # noqa: S603  # our own interpreter and program
            [sys.executable, "-P", "-c", PROGRAM],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise MeasurementError(
            f"{model.path}: the process that measures its memory ended early ({last}); is there "
            "memory enough for the model and its batch?"
        )
    return dict(zip(sizes, json.loads(done.stdout), strict=True))
