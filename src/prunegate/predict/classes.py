"""Classes: which of a model's numbers stands for which label of the data, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.data.labelled.rows import LabelledRows, has_label, is_positive
from prunegate.data.predictions.columns import shown
from prunegate.errors import ModelError
from prunegate.models.activation import SEVERAL_LABELS, Activation
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

_SHOWN = 5
_SAY = (
    "or name the classes in the order of its outputs: 'model: {candidate: {folder: FOLDER, "
    "classes: [...]}}' (or onnx: FILE; baseline likewise)"
)
_MANY = 10_000


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of a classifier."""

    names: tuple[str, ...]
    """The label of every class, by its number."""
    positive: int | None = None
    """binary: the number of the policy's positive label."""
    outputs: int = 0
    """Numbers that the model answers a row with; 0: one for each class."""
    sets: bool = False
    """Whether a row may have several of them."""

    def fits(self, columns: int) -> bool:
        """Whether a model's answers have this many numbers; one may stand for two classes."""
        return columns == (self.outputs or len(self.names)) or (
            columns == 1 and len(self.names) == 2 and self.positive is not None
        )

    def numbers(self, rows: LabelledRows, policy: Policy) -> NDArray[np.int64]:
        """The class number of every row's label, int64 [N]; -1 where the model has no such class.

        A binary task has two labels, so whatever is not the positive one is the other.
        """
        if self.positive is not None:
            return np.where(is_positive(rows, policy), self.positive, 1 - self.positive)
        known = {name: number for number, name in enumerate(self.names)}
        found = (known.get(value_text(label), -1) for label in rows.labels)
        return np.fromiter(found, np.int64, len(rows))

    def flags(self, rows: LabelledRows) -> NDArray[np.float32]:
        """1 for each label that a row has, else 0, [N, labels] in the order of the outputs."""
        return np.stack([has_label(rows, name) for name in self.names], axis=1).astype(np.float32)

    def require_known(
        self, rows: LabelledRows, chosen: NDArray[np.int64], numbers: NDArray[np.int64]
    ) -> None:
        """Insist that the label of every chosen row is one of the model's classes.

        Raises:
            ModelError: naming labels that are not.
        """
        strange = {value_text(rows.labels[row]) for row in chosen[numbers < 0].tolist()}
        if strange:
            some = ", ".join(shown(name) for name in sorted(strange)[:_SHOWN])
            raise ModelError(
                f"the data have labels that the model does not know: {some}; it knows "
                f"{_listed(self.names)} (id2label in config.json). Correct the labels or id2label"
            )


def model_classes(policy: Policy, config: Mapping[str, Any]) -> Classes:
    """The classes of a model, by the names in its config.

    Raises:
        ModelError: the model is no classifier of the policy's labels.
    """
    labels = _named(config)
    found = ", ".join(f"{number}: {name}" for number, name in labels.items()) or "not named"
    numbers = sorted(int(number) for number in labels if number.isdecimal())
    names = tuple(value_text(labels.get(str(number))) for number in numbers)
    whole = len(labels) >= 2 and numbers == list(range(len(labels)))
    if policy.task.traits.yes_no:
        return _binary(policy, names if whole or numbers == [0] else (), found)
    sets = policy.task.traits.sets
    listed = set(map(value_text, policy.task.labels if sets else policy.task.classes))
    if not whole or len(set(names)) != len(names) or (listed and listed != set(names)):
        wanted = f": {_listed(sorted(listed))}" if listed else " (at least two)"
        raise ModelError(
            f"the model's classes are {found} (id2label in config.json); the policy needs the "
            f"labels of the data{wanted}, numbered from 0. Correct 'task: "
            f"{'labels' if sets else 'classes'}:' or the model's id2label, {_SAY}"
        )
    return Classes(names=names, sets=sets)


def require_sigmoids(
    policy: Policy, activation: Activation, config: Mapping[str, Any], place: object
) -> None:
    """Insist that a model decides each label by itself where a row may have several.

    Raises:
        ModelError: its answers are shares of one whole; or rows have one class each, and what is
            to be trained and cut was made for several.
    """
    several = config.get("problem_type") == SEVERAL_LABELS
    if policy.compress and several and not policy.task.traits.sets:
        raise ModelError(
            f'{place}: its config.json says "problem_type": "{SEVERAL_LABELS}", so it is trained '
            "and cut as one that decides each label by itself; write 'task: {kind: multilabel}'"
        )
    if policy.task.traits.sets and activation == "softmax":
        raise ModelError(
            f"{place}: answers with a softmax, so that its labels exclude each other, and the "
            "policy's rows may have several ('kind: multilabel'). Where it was trained on several "
            f'labels a row, its config.json says "problem_type": "{SEVERAL_LABELS}"; or say '
            "'activation: sigmoid' under 'model:'"
        )


def class_names(config: Mapping[str, Any], positive: str | None = None) -> tuple[str, ...]:
    """The names of a model's classes, in the order of its outputs.

    Args:
        config: its config.json.
        positive: a class that has to be among them.

    Raises:
        ModelError: they are not named, or it is not.
    """
    labels = _named(config)
    given = [labels.get(str(number)) for number in range(len(labels))]
    names = tuple(map(value_text, given))
    if not names or len(set(names)) < len(names) or None in given or "" in names:
        raise ModelError(
            "the model's classes are not named from 0 on (id2label in config.json); give them in "
            "the order of its outputs: --classes, or 'classes:' in a policy"
        )
    if positive is not None and positive not in names:
        raise ModelError(
            f"the model has no class {positive!r}; it has {_listed(names)}. Correct --positive, or "
            "give --classes in the order of the outputs"
        )
    return names


def outputs_named(config: Mapping[str, Any]) -> tuple[str, ...]:
    """What a model's outputs are called, in their order; those without a name by their number."""
    found = _named(config) or {"0": "LABEL_0", "1": "LABEL_1"}  # two are transformers' default
    return tuple(value_text(found.get(str(n), n)) for n in range(len(found)))


def _named(config: Mapping[str, Any]) -> dict[str, Any]:
    """The names in a config, by number; as many as ``num_labels`` where it gives only that."""
    table, count = config.get("id2label"), config.get("num_labels")
    if isinstance(table, Mapping):
        return {str(number): name for number, name in table.items()}
    if type(count) is not int or not 0 < count < _MANY:
        return {}
    return {str(number): f"LABEL_{number}" for number in range(count)}


def _binary(policy: Policy, names: tuple[str, ...], found: str) -> Classes:
    positive = value_text(policy.task.positive)
    if names == (positive,):  # one output, which finds the positive label
        return Classes(names=("", positive), positive=1, outputs=1)
    if len(names) != 2 or names.count(positive) != 1:
        raise ModelError(
            f"the model's classes are {found} (id2label in config.json); the policy needs two "
            f"classes, 0 and 1, one of them named '{positive}'. Correct 'task: positive:' or the "
            f"model's id2label, {_SAY}"
        )
    return Classes(names=names, positive=names.index(positive))


def _listed(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(shown(name) for name in names[:20]) + more
