"""Steps as a policy writes them, with their rows put in by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from prunegate.policy.steps import Step


def prepared(data: Any = None, rewind_to: Any = None, **step: Any) -> Any:
    """A step from its plain values: ``prepared(rows, finetune={"steps": 3})``."""
    from prunegate.compress.steps import PreparedStep

    return PreparedStep(step=Step.model_validate(step), data=data, rewind_to=rewind_to)


def amount_of(amount: dict[str, Any]) -> Any:
    """``{"fraction": 0.5}`` as a policy writes it, 0.5; the others as they are; None of nothing."""
    return amount.get("fraction", amount or None)


def unvalidated(one: Any, **changes: Any) -> Any:
    """The same prune step with other values that no policy is asked about."""
    prune = one.step.prune.model_copy(update=changes)
    return replace(one, step=one.step.model_copy(update={"prune": prune}))
