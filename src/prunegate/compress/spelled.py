"""A step as plain values: what surgery.json and the record keep of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from prunegate.compress.recipe import (
    FinetuneStep,
    Operation,
    PruneStep,
    QuantizeStep,
    Step,
)


def spelled(step: Step, one: Operation | None = None, removed: int = 0) -> dict[str, Any]:
    """Spell out a step that was done.

    Args:
        step: The step.
        one: A pruning's operation, which knows the cycle.
        removed: Units or weights that a pruning took.
    """
    if isinstance(step, PruneStep):
        return {
            "step": "prune",
            **_flat(asdict(step.cut)),
            "removed": removed,
            **({"cycle": one.cycle, "cycles": one.cycles} if one and one.cycles > 1 else {}),
            **({"rewind": step.rewind.to} if step.rewind else {}),
            **_rows(step),
        }
    if isinstance(step, FinetuneStep):
        return {"step": "finetune", **_flat(asdict(step.schedule)), **_rows(step)}
    if isinstance(step, QuantizeStep):
        settings = {
            "kind": step.kind,
            "engine": step.engine,
            "per_channel": step.per_channel,
            "embeddings": step.embeddings,
        }
        return {"step": "quantize", "to": "int8", **_flat(settings), **_rows(step)}
    return {"step": "export", "to": "onnx"}


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not set, and put the amount beside the rest."""
    amount = values.pop("amount", None) or {}
    return {name: value for name, value in {**values, **amount}.items() if value is not None}


def _rows(step: PruneStep | FinetuneStep | QuantizeStep) -> dict[str, Any]:
    return {"data": step.data_name, "rows": 0 if step.data is None else len(step.data)}
