"""Class scores: a model's probabilities or logits per class, as its answer.

They come as a column for each class (``p_cat``, ``p_dog``) or in one cell (``score_cells.py``);
a yes-or-no task may also have one logit a row. Of several classes the answer is the one with the
highest score, **the first of equals** in the order of the classes, as argmax gives it; of a
yes-or-no task it is the score of the positive class, after the activation. A row in which any score
is missing or NaN, or whose list has another length than the classes, has no answer, and is refused
as such rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.data.predictions.columns import quoted, shown, sql_text
from prunegate.data.predictions.scanned import Scanned
from prunegate.data.predictions.score_cells import (
    ScoreCells,
    score_sql,
    scores_of_column,
    scores_of_columns,
)
from prunegate.errors import TableError

Activation = Literal["none", "softmax", "sigmoid"]
_SAMPLE = 2_000
"""Rows by which probabilities are told from logits."""
_FEWEST: Mapping[Activation, int] = {"softmax": 1, "sigmoid": 20}
"""As many as it takes at least."""


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """Where a model's scores are, and what answer follows."""

    column: str | None = None
    """The column of lists or structures."""
    prefix: str | None = None
    """What the columns of scores begin with; the rest is the class."""
    classes: tuple[str, ...] = ()
    """In the order of the lists; empty: those that the columns or fields have."""
    positive: str | None = None
    """The class whose score is the answer; None: the answer is a class."""
    activation: Activation = "none"
    """What makes probabilities of the scores; the highest stays the highest."""
    listed: bool = False
    """Whether what is wanted is the probabilities themselves, as a list, and not the answer."""

    def found(self, available: Sequence[str]) -> ClassScores:
        """The same with the classes that columns stand for, where none are given."""
        if self.prefix is None or self.classes:
            return self
        named = (name for name in available if name.startswith(self.prefix))
        classes = tuple(name.removeprefix(self.prefix) for name in named)
        return replace(self, classes=classes or (self.positive or "...",))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read, once the classes are found."""
        if self.prefix is not None:
            return tuple(self.prefix + name for name in self.classes)
        return () if self.column is None else (self.column,)

    def sql(self, scanned: Scanned) -> str:
        """As ``answer_sql`` says."""
        return answer_sql(scanned, self)


def answer_sql(scanned: Scanned, scores: ClassScores) -> str:
    """SQL for the answer that a row's scores give.

    Raises:
        TableError: a column that holds no scores per class, or classes that are not known.
    """
    cells = _cells(scanned, scores)
    if cells is None:
        return _of_one_value(scanned, scores)
    values, activation = cells.values, scores.activation
    _refuse_probabilities(scanned, scores, list(values.values()))
    known = " AND ".join(f"{v} IS NOT NULL AND NOT isnan({v})" for v in values.values())
    if scores.listed:
        each = [_ACTIVATIONS[activation](v, list(values.values())) for v in values.values()]
        return f"CASE WHEN {known} AND {cells.whole} THEN [{', '.join(each)}] END"
    if scores.positive is None:
        highest = f"greatest({', '.join(values.values())})"
        cases = " ".join(f"WHEN {v} = {highest} THEN {sql_text(c)}" for c, v in values.items())
        return f"CASE WHEN NOT ({known}) OR NOT ({cells.whole}) THEN NULL {cases} END"
    if scores.positive not in values:
        some = ", ".join(map(shown, values))
        raise TableError(
            f"{scanned.name}: there are scores of {some}, and none of the positive label "
            f"{scores.positive!r}; correct 'task: positive', or name the classes under 'data: "
            "scores: classes:' in the order of the scores"
        )
    probability = _ACTIVATIONS[activation](values[scores.positive], list(values.values()))
    answer = f"CASE WHEN {known} AND {cells.whole} THEN {probability} END"
    own_precision = cells.single and activation == "none"
    return f"CAST({answer} AS FLOAT)" if own_precision else answer


def classes_listed(scanned: Scanned, scores: ClassScores) -> tuple[str, ...]:
    """The classes of a list of probabilities, in its order."""
    cells = _cells(scanned, scores)
    return () if cells is None else tuple(cells.values)


def _cells(scanned: Scanned, scores: ClassScores) -> ScoreCells | None:
    """Where the scores are; None: the column holds one value a row."""
    if scores.prefix is not None:
        return scores_of_columns(scanned, scores.prefix, scores.classes)
    return scores_of_column(scanned, scores.column or "", scores.classes)


def _of_one_value(scanned: Scanned, scores: ClassScores) -> str:
    """The answer itself, or the logit of a yes-or-no task."""
    column = scores.column or ""
    if scores.listed:
        raise TableError(
            f"{scanned.name}: column {shown(column)} holds one answer a row, and a "
            "rule of the policy takes scores of every class; give these, or leave the rule out"
        )
    if scores.activation == "none":
        return quoted(column)  # the other model's file may hold such answers
    if scores.activation == "sigmoid" and scores.positive is not None and not scores.classes:
        value = score_sql(scanned, column)
        _refuse_probabilities(scanned, scores, [value])
        return _ACTIVATIONS["sigmoid"](value, [value])
    raise TableError(
        f"{scanned.name}: column {shown(column)} holds no lists or structures of scores; name "
        "the columns' beginning under 'data: scores: prefix:', or remove 'scores'"
    )


def _refuse_probabilities(scanned: Scanned, scores: ClassScores, values: Sequence[str]) -> None:
    """An activation of probabilities gives others, all nearer to each other; nobody means it."""
    activation = scores.activation
    if activation == "none" or (activation == "softmax" and len(values) < 2):
        return
    total = " + ".join(values)
    inside = " AND ".join(f"{value} BETWEEN 0 AND 1" for value in values)
    proper = f"abs({total} - 1) < 1e-3" if activation == "softmax" else "true"
    cells = f"{total} AS total, {inside} AND {proper} AS proper"
    some = scanned.relation.project(cells).filter("total IS NOT NULL").limit(_SAMPLE)
    rows, proper_rows = some.aggregate("count(*), count(*) FILTER (proper)").fetchall()[0]
    if rows >= _FEWEST[activation] and rows == proper_rows:
        why = "they add up to 1" if activation == "softmax" else "they lie between 0 and 1"
        column = scores.column or f"{scores.prefix}..."
        raise TableError(
            f"{scanned.name}: the scores of {shown(column)} are probabilities already: {why} in "
            "every row; write 'data: scores: activation: none'"
        )


def _softmax(score: str, scores: Sequence[str]) -> str:
    highest = f"greatest({', '.join(scores)})"
    total = " + ".join(f"exp({one} - {highest})" for one in scores)
    return f"exp({score} - {highest}) / ({total})"


_ACTIVATIONS: Mapping[Activation, Callable[[str, Sequence[str]], str]] = {
    "none": lambda score, _: score,
    "sigmoid": lambda score, _: f"1 / (1 + exp(-({score})))",
    "softmax": _softmax,
}
