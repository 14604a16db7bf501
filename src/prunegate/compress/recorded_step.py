"""What is kept of a step that was done: in ``surgery.json`` and from there in the record.

Made from the policy's own step, in this one place. The keys and their order are part of the format
of a candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prunegate.compress.compensation import RIDGE
from prunegate.compress.finetune import WARMUP
from prunegate.compress.plan_trials import TriedPlan, least_lost
from prunegate.compress.steps import Operation
from prunegate.errors import InternalError
from prunegate.policy.naming import value_text
from prunegate.policy.steps import Amount, Finetune, Keep, Prune, Quantize, Rows, ShareBelow


def recorded_step(
    one: Operation, removed: int = 0, measured: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Spell out a step that was done, in plain JSON values; what is not set is left out.

    Args:
        one: What was done.
        removed: Units or weights that a pruning took.
        measured: What it bought on its own rows, where that was looked at.
    """
    step = one.prepared.step
    if step.prune is not None:
        values = {**_prune(step.prune), "removed": removed, **_cycle(one, step.prune)}
    elif step.finetune is not None:
        values = _finetune(step.finetune, numbers="distance_after" in (measured or {}))
    elif step.quantize is not None:
        values = _quantize(step.quantize)
    elif step.export is not None:
        return {"step": step.kind, "to": step.export}
    else:
        raise InternalError(f"nobody says what is kept of a step of kind '{step.kind}'")
    set_values = {name: value for name, value in values.items() if value is not None}
    return {"step": step.kind, **set_values, **_rows(one), **(measured or {})}


def _prune(step: Prune) -> dict[str, Any]:
    return {
        "what": step.what,
        "criterion": step.criterion,
        "scope": step.scope,
        "min_per_layer": step.min_per_layer,
        **_amount(step.amount),
        **_compensation(step),
    }


def plan_values(tried: Sequence[TriedPlan], recovery: int) -> dict[str, Any]:
    """Spell out the plans that were tried and which one was kept, from 1; nothing where none were.

    Args:
        tried: In the order of what was expected of them.
        recovery: Batches that each was recovered for.
    """
    if not tried:
        return {}
    plans = [
        {
            "kept": list(one.kept),
            "expected": float(f"{one.expected:.6g}"),
            "loss": float(f"{one.loss:.6g}"),
        }
        for one in tried
    ]
    return {"plans": plans, "plan": least_lost(tried) + 1, "plan_steps": recovery}


def _compensation(step: Prune) -> dict[str, Any]:
    return {} if step.compensate == "none" else {"compensate": step.compensate, "ridge": RIDGE}


def _amount(amount: Amount | None) -> dict[str, Any]:
    if isinstance(amount, ShareBelow | Keep):
        return amount.model_dump()
    return {"fraction": amount}


def _cycle(one: Operation, step: Prune) -> dict[str, Any]:
    cycle = {"cycle": one.cycle, "cycles": one.cycles} if one.cycles > 1 else {}
    return cycle | ({"rewind": step.rewind} if step.rewind != "none" else {})


def _finetune(step: Finetune, *, numbers: bool) -> dict[str, Any]:
    return {
        "epochs": step.epochs,
        "steps": step.steps,
        "learning_rate": step.learning_rate,
        "batch_size": step.batch_size,
        "weight_decay": step.weight_decay,
        "warmup": WARMUP,
        "flip": step.mirrors,
        **_teacher(step, numbers=numbers),
    }


def _teacher(step: Finetune, *, numbers: bool) -> dict[str, Any]:
    """The teacher's part; where models answer with numbers no temperature divides anything."""
    if step.teacher is None:
        return {}
    softened = {} if numbers else {"temperature": step.temperature}
    return {"teacher": step.teacher, "weight": step.weight, **softened}


def _quantize(step: Quantize) -> dict[str, Any]:
    return {
        "to": step.to,
        "kind": step.kind,
        "engine": step.engine,
        "per_channel": step.per_channel,
        "embeddings": step.embeddings,
    }


def _rows(one: Operation) -> dict[str, Any]:
    rows, data = one.prepared.step.rows, one.prepared.data
    if rows is None or data is None:
        return {"data": "", "rows": 0}
    return {"data": rows_in_words(rows), "rows": len(data)}


def rows_in_words(rows: Rows) -> str:
    """What a row selection is, for the record: ``train, content_type=display, at most 9,000``."""
    filters = [
        f"{key}={'|'.join(map(value_text, value if isinstance(value, tuple) else (value,)))}"
        for key, value in rows.where.items()
    ]
    limit = [f"at most {rows.limit:,}"] if rows.limit else []
    return ", ".join([rows.split, *filters, *limit])
