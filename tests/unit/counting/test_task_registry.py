"""A kind of task is known to the policy, to counting and to the metrics, or to none of them."""

from __future__ import annotations

import ast
from typing import get_args

import pytest
from tests.source import shapes
from tests.unit.counting import kinds

from prunegate.counting.count import open_predictions
from prunegate.counting.tasks.every import TASKS, task_of
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.data_section import Columns
from prunegate.policy.task import Task


def test_the_lists_of_kinds_are_one_list() -> None:
    spelled = get_args(Task.model_fields["kind"].annotation)
    assert spelled == tuple(TRAITS) == tuple(TASKS)
    assert {name for metric in METRICS.values() for name in metric.forms} == set(TRAITS)


LAWS_OF_THEIR_OWN = {"multilabel": "test_label_sets.py: its rows are groups of decisions"}


def test_no_kind_escapes_the_laws_of_every_kind() -> None:
    """One that is new has rows and a policy in ``kinds.py``."""
    held = {kinds.policy(kind).task.kind for kind in kinds.KINDS}
    assert held | set(LAWS_OF_THEIR_OWN) == set(TRAITS)


OWN_IDEA = "audit/opinion/facts.py"
"""The second opinion's own idea of the kinds, on purpose."""


def test_nobody_asks_for_a_kind_of_task_by_its_name() -> None:
    """What follows from a kind is a trait of its entry, so that a kind that is new has it, too."""
    asking = {
        file
        for file, nodes in shapes().items()
        for node in nodes
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in TRAITS
    }
    assert asking == {OWN_IDEA}


@pytest.mark.parametrize("name", TASKS)
def test_the_halves_of_a_kind_agree(name: str) -> None:
    task, traits = TASKS[name], TRAITS[name]
    assert task.traits is traits
    assert task.none.answers == traits.answers
    assert task.none.rows == 0
    assert (task.reads_counts is not None) == (traits.decided and not traits.sets)
    assert set(traits.roles) <= set(Columns.model_fields)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_row_on_which_the_models_part_is_told_in_words_of_its_kind(kind: str) -> None:
    policy = kinds.policy(kind)
    task = task_of(policy)
    reading = task.reading(policy, open_predictions(policy, kinds.table(kind, 1, 9), with_ids=True))
    frame = reading.frame().filter(task.parted).collect()
    for row in frame.rows(named=True):
        answers = task.answers(policy, row)
        assert answers.baseline != answers.candidate
        assert bool(answers.label) == (not policy.task.traits.documents)
