"""The order of steps: which may come after which, and what has to follow.

One rule book for both ways in. The policy's check names the line of each mistake; ``compress``,
given steps by a program, refuses with the first. Pure: steps in, mistakes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunegate.policy.steps import Step

FINISHING = ("quantize", "export")
"""Steps after which a model is neither pruned nor trained; each at most once, in either order."""


@dataclass(frozen=True, kw_only=True)
class MisplacedStep:
    """A step that cannot stand where it stands."""

    index: int
    """Which step, from 0."""
    key: tuple[str, ...] = ()
    """The key of it that is to blame, where one is."""
    message: str
    """For who wrote the policy, who is told the line."""
    refusal: str
    """For a program that handed the steps in."""


def misplaced(steps: Sequence[Step]) -> Iterator[MisplacedStep]:
    """Every step that cannot stand where it stands."""
    finished: dict[str, int] = {}
    for index, step in enumerate(steps):
        if step.kind not in FINISHING:
            if finished:
                yield _too_late(index, next(iter(finished)))
        elif (first := finished.setdefault(step.kind, index)) != index:
            yield MisplacedStep(
                index=index,
                message=f"compress[{first}] is '{step.kind}' already; keep one",
                refusal=f"'{step.kind}' stands twice in the recipe; keep one.",
            )
    if "export" in finished and any(s.quantize and s.quantize.engine == "torch" for s in steps):
        yield MisplacedStep(
            index=finished["export"],
            message="int8 of torch cannot be exported; set 'quantize: {engine: onnxruntime}'",
            refusal="int8 of torch cannot be exported; quantize with engine onnxruntime.",
        )
    yield from _not_followed(steps)
    yield from _not_recovered(steps)
    yield from _fills_zeros(steps)


def _fills_zeros(steps: Sequence[Step]) -> Iterator[MisplacedStep]:
    """Fitting weights anew would fill zeros that an earlier step set."""
    zeroing = [index for index, step in enumerate(steps) if step.prune and not step.prune.units]
    for index, step in enumerate(steps):
        if not step.prune or step.prune.compensate == "none" or not any(i < index for i in zeroing):
            continue
        yield MisplacedStep(
            index=index,
            key=("prune", "compensate"),
            message=f"'compensate' would fill the zeros of compress[{zeroing[0]}]; move this step "
            "before it",
            refusal=f"step {index + 1}: compensation would fill the zeros of step "
            f"{zeroing[0] + 1}; move it before that one.",
        )


def _too_late(index: int, finished: str) -> MisplacedStep:
    after = f"a model after '{finished}' cannot be"
    return MisplacedStep(
        index=index,
        message=f"{after} pruned or trained any more; move this step up",
        refusal=f"{after} changed any more.",
    )


def _not_followed(steps: Sequence[Step]) -> Iterator[MisplacedStep]:
    """Cycles and rewinding end in a fine-tuning: without it they would do nothing for the model."""
    for index, step in enumerate(steps):
        followed = index + 1 < len(steps) and steps[index + 1].finetune is not None
        if step.prune is None or not step.prune.repeats or followed:
            continue
        word = "cycles" if step.prune.cycles > 1 else "rewind"
        yield MisplacedStep(
            index=index,
            key=("prune", word),
            message=f"'{word}' needs a finetune step right after this one",
            refusal=f"step {index + 1}: cycles and rewind need a fine-tuning right after it.",
        )


def _not_recovered(steps: Sequence[Step]) -> Iterator[MisplacedStep]:
    """Plans are ranked after a recovery, whose schedule a later step gives."""
    for index, step in enumerate(steps):
        if step.prune is None or step.prune.plans == 1:
            continue
        if any(later.finetune is not None for later in steps[index + 1 :]):
            continue
        yield MisplacedStep(
            index=index,
            key=("prune", "plans"),
            message="'plans' needs a finetune step after this one, to recover each plan by",
            refusal=f"step {index + 1}: several plans need a fine-tuning after it.",
        )
