"""Traits of a kind of task: what its rows are and what the two models say of them. Pure.

One entry per kind of task, below the policy, so that whoever reads a policy or a record asks the
entry and never compares names. How the rows are read and counted is the matter of one object per
kind in ``counting/tasks``; which metrics a kind has stands with the metrics (``catalogue.py``). The
policy's schema lists the names once more, because a policy file is a contract that nothing
registered from outside can widen; a test holds the lists against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from prunegate.registry import Registry

Answers = Literal["decisions", "labels", "label sets", "numbers"]
"""What a model says of a row: yes or no, one of several classes, any of several labels, or a
number."""
ROLES = ("id", "label", "baseline", "candidate")


@dataclass(frozen=True, kw_only=True)
class TaskTraits:
    """One kind of task."""

    name: str
    """As a policy spells it."""
    answers: Answers
    documents: bool = False
    """Whether rows are texts whose likelihood is judged, and not items with a label."""
    roles: tuple[str, ...] = ROLES
    """Fields of the policy's ``data: columns`` that are taken, so that nothing else may be."""
    weighed: bool = False
    """Whether its tallies hold design weights; another one is refused until its own do."""
    loss_unit: str = "points"
    """What the mean change of a row's loss is told in."""

    @property
    def yes_no(self) -> bool:
        """Whether a row is positive or not."""
        return self.answers == "decisions"

    @property
    def classes(self) -> bool:
        """Whether rows belong to several classes, none of which is the positive one."""
        return self.answers == "labels"

    @property
    def sets(self) -> bool:
        """Whether a row has any number of several labels, each of them a yes or no of its own."""
        return self.answers == "label sets"

    @property
    def estimated(self) -> bool:
        """Whether models answer a row with a number, and its label is one."""
        return self.answers == "numbers" and not self.documents

    @property
    def decided(self) -> bool:
        """Whether a model is right or wrong about a row."""
        return self.answers != "numbers"

    @property
    def noun(self) -> str:
        """What its rows are called, where there are several."""
        return "documents" if self.documents else "rows"


TRAITS: Registry[TaskTraits] = Registry(
    "kind of task",
    attrgetter("name"),
    (
        TaskTraits(name="binary", answers="decisions", weighed=True),
        TaskTraits(name="multiclass", answers="labels", weighed=True),
        TaskTraits(name="multilabel", answers="label sets"),
        TaskTraits(name="score", answers="numbers", loss_unit="a row"),
        TaskTraits(
            name="language",
            answers="numbers",
            documents=True,
            roles=(*ROLES, "tokens", "baseline_quality", "candidate_quality"),
            loss_unit="nats a document",
        ),
    ),
)
"""Every kind of task by the name that a policy uses."""
