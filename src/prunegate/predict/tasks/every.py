"""Every kind of task that models are run for, by the name that a policy uses."""

from __future__ import annotations

from prunegate.policy.schema import Policy
from prunegate.predict.tasks.classified import BinaryAnswers, MulticlassAnswers, MultilabelAnswers
from prunegate.predict.tasks.documents import LanguageAnswers
from prunegate.predict.tasks.numbers import ScoreAnswers
from prunegate.predict.tasks.task_answers import TaskAnswers
from prunegate.registry import Registry

ANSWERS: Registry[TaskAnswers] = Registry(
    "kind of task",
    lambda task: task.traits.name,
    (
        BinaryAnswers(),
        MulticlassAnswers(),
        MultilabelAnswers(),
        ScoreAnswers(),
        LanguageAnswers(),
    ),
)


def answers_of(policy: Policy) -> TaskAnswers:
    """What models answer in a policy's kind of task."""
    return ANSWERS[policy.task.kind]
