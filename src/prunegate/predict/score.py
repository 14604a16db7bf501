"""Score: what one model makes of a split, in the form that the predictions table holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.predict.inputs import Inputs
from prunegate.predict.tasks.every import answers_of
from prunegate.predict.tasks.task_answers import Forward, Scored

Answers = TypeVar("Answers")


def score(
    policy: Policy,
    model: LoadedModel,
    inputs: Inputs,
    *,
    batch_size: int = 128,
    device: str = "cpu",
    progress: Progress = silent,
) -> Scored:
    """Score a split as the task asks.

    Args:
        policy: says what the task is.
        model: its config.json names its classes, where there are any.
        inputs: the split, in the order of its rows.
        batch_size: rows per forward pass, at most; documents go in smaller batches.
        device: "cpu" or "cuda".
        progress: called with ("predict", rows done, rows).

    Returns:
        What ``Scored`` says of the kind of task.

    Raises:
        ModelError: the model does not answer the policy's question.
    """
    answers = answers_of(policy)

    def scored(size: int) -> Scored:
        how = Forward(batch_size=size, device=device, progress=progress)
        return answers.scored(policy, model, inputs, how)

    most = min(batch_size, answers.most or batch_size)
    if scales_by_batch(model) and answers.most is None:  # in other batches it answers otherwise
        return scored(most)
    return within_memory(scored, most)


def scales_by_batch(model: LoadedModel) -> bool:
    """Whether a row's answer depends on the rows beside it.

    Dynamic int8 in onnxruntime takes one scale for the activations of a whole batch; such a model
    is scored in the batches that it is timed in, and that production is expected to send.
    """
    return (
        model.storage.engine == "onnxruntime" and model.storage.quantized.get("kind") == "dynamic"
    )


def within_memory(work: Callable[[int], Answers], batch: int) -> Answers:
    """What work gives in batches of some size: halved where memory ends, down to single rows.

    Args:
        work: given the batch; begins anew each time.
        batch: rows, at most.

    Raises:
        MemoryError, RuntimeError: also of one row; what the work raised.
    """
    while True:
        try:
            return work(batch)
        except (MemoryError, RuntimeError):  # torch has no type of its own for the CPU's
            if batch == 1:
                raise
            batch //= 2
