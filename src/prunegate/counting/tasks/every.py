"""Every kind of task that is counted, by the name that a policy uses."""

from __future__ import annotations

from prunegate.counting.tasks.binary import BinaryTask
from prunegate.counting.tasks.language import LanguageTask
from prunegate.counting.tasks.multiclass import MulticlassTask
from prunegate.counting.tasks.multilabel import MultilabelTask
from prunegate.counting.tasks.score import ScoreTask
from prunegate.counting.tasks.task_counting import TaskCounting
from prunegate.policy.schema import Policy
from prunegate.registry import Registry

TASKS: Registry[TaskCounting] = Registry(
    "kind of task",
    lambda task: task.traits.name,
    (BinaryTask(), MulticlassTask(), MultilabelTask(), ScoreTask(), LanguageTask()),
)


def task_of(policy: Policy) -> TaskCounting:
    """How the rows of a policy's task are counted."""
    return TASKS[policy.task.kind]
