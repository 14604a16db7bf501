"""Class scores: a model's probabilities or logits per class, as its answer.

They come as a column for each class (``p_cat``, ``p_dog``) or in one cell (``score_cells.py``);
a yes-or-no task may also have one logit a row. Of several classes the answer is the one with the
highest score, **the first of equals** in the order of the classes, as argmax gives it; of a
yes-or-no task it is the score of the positive class, after the activation. A row in which any score
is missing, NaN or infinite, or whose list has another length than the classes, has no answer, and
is refused as such rows are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.data.predictions.columns import let_sql, quoted, shown, sql_text
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
    _refuse_probabilities(scanned, scores, cells.scores, len(cells.classes))
    if scores.listed:
        return _of_known(cells, _LISTS[scores.activation])
    if scores.positive is None:
        names = ", ".join(map(sql_text, cells.classes))
        return _of_known(cells, f"list_extract([{names}], list_position(s, list_max(s)))")
    if scores.positive not in cells.classes:
        some = ", ".join(map(shown, cells.classes))
        raise TableError(
            f"{scanned.name}: there are scores of {some}, and none of the positive label "
            f"{scores.positive!r}; correct 'task: positive', or name the classes under 'data: "
            "scores: classes:' in the order of the scores"
        )
    place = cells.classes.index(scores.positive) + 1
    answer = _of_known(cells, f"({_LISTS[scores.activation]})[{place}]")
    own_precision = cells.single and scores.activation == "none"
    return f"CAST({answer} AS FLOAT)" if own_precision else answer


def _of_known(cells: ScoreCells, answer: str) -> str:
    """SQL of what follows from the scores ``s`` of a row that has all of them, each finite."""
    size = len(cells.classes)
    known = f"len(s) = {size} AND len([x for x in s if isfinite(x)]) = {size}"
    return let_sql("s", cells.scores, f"CASE WHEN {known} THEN {answer} END")


def classes_listed(scanned: Scanned, scores: ClassScores) -> tuple[str, ...]:
    """The classes of a list of probabilities, in its order."""
    cells = _cells(scanned, scores)
    return () if cells is None else cells.classes


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
        _refuse_probabilities(scanned, scores, f"[{value}]", 1)
        return f"CASE WHEN isfinite({value}) THEN 1 / (1 + exp(-({value}))) END"
    raise TableError(
        f"{scanned.name}: column {shown(column)} holds no lists or structures of scores; name "
        "the columns' beginning under 'data: scores: prefix:', or remove 'scores'"
    )


def _refuse_probabilities(scanned: Scanned, scores: ClassScores, cells: str, size: int) -> None:
    """An activation of probabilities gives others, all nearer to each other; nobody means it."""
    activation = scores.activation
    if activation == "none" or (activation == "softmax" and size < 2):
        return
    some = scanned.relation.project(f"{cells} AS s").filter("list_count(s) > 0").limit(_SAMPLE)
    total = "abs(list_sum(s) - 1) < 1e-3" if activation == "softmax" else "true"
    proper = f"list_min(s) >= 0 AND list_max(s) <= 1 AND {total}"
    counts = f"count(*), count(*) FILTER ({proper})"
    rows, proper_rows = some.aggregate(counts).fetchall()[0]
    if rows >= _FEWEST[activation] and rows == proper_rows:
        why = "they add up to 1" if activation == "softmax" else "they lie between 0 and 1"
        column = scores.column or f"{scores.prefix}..."
        raise TableError(
            f"{scanned.name}: the scores of {shown(column)} are probabilities already: {why} in "
            "every row; write 'data: scores: activation: none'"
        )


_TOTAL = "list_sum([exp(x - highest) for x in s])"
_LISTS: Mapping[Activation, str] = {
    "none": "s",
    "sigmoid": "[1 / (1 + exp(-x)) for x in s]",
    "softmax": let_sql(
        "highest", "list_max(s)", let_sql("total", _TOTAL, "[exp(x - highest) / total for x in s]")
    ),
}
"""SQL of the probabilities that an activation makes of the scores ``s``."""
