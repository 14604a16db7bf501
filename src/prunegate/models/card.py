"""The model card of a candidate: README.md for people who find the folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prunegate.models.family import OWN_CLASS
from prunegate.models.surgery import Surgery

_LOADED = {
    "float32": "It runs, trains, saves and reloads as the unpruned model does.",
    "int8": "Its weights are eight-bit: it runs in torch, and cannot be trained.",
    "onnx": "`model.onnx` runs in onnxruntime (on servers, phones, in browsers) without prunegate.",
}


def card(surgery: Surgery) -> str:
    """Describe a candidate in Markdown."""
    left = "\n".join(f"- {surgery.kept.total(kind):,} {kind}" for kind in surgery.kept.kinds)
    zeros = (
        f"\n{surgery.zeros:,} of them are zero, in place: that saves no bytes and, without sparse "
        "kernels, no time.\n"
        if surgery.zeros is not None
        else ""
    )
    steps = "\n".join(f"- {_spelled(step)}" for step in surgery.recipe)
    load = (
        "prunegate.models.cnn.load_cnn(folder, build)"
        if surgery.architecture == OWN_CLASS
        else "prunegate.load_candidate(folder)"
    )
    return f"""# Compressed {surgery.architecture}

{surgery.parameters:,} parameters, stored as {surgery.storage.format}. What is left:

{left}
{zeros}
Load it with `{load}`. {_LOADED[surgery.storage.format]}
There is no config.json on purpose: with one, `from_pretrained` would fill what was removed with
random weights. `surgery.json` lists what was kept, in the numbering of the baseline.

Baseline digest: {surgery.baseline_digest}
Model file sha256: {surgery.weights_sha256}
Seed: {surgery.seed}

## Recipe

{steps}

This card says how the model was made, not how good it is: that is the gate's to decide.
"""


def _spelled(step: Mapping[str, Any]) -> str:
    unused = () if step.get("data") else ("data", "rows")  # the step looked at no rows
    told = {name: " ".join(str(value).split()) for name, value in step.items()}
    return ", ".join(f"{name}: {value}" for name, value in told.items() if name not in unused)
