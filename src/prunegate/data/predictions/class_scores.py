"""Class scores: a model's probabilities or logits per class, as its answer.

They come as a column for each class (``p_cat``, ``p_dog``), as a list, or as a structure with a
field for each class. Of several classes the answer is the one with the highest score, **the first
of equals** in the order of the classes, as argmax gives it; of a yes-or-no task it is the score of
the positive class, after the activation. A row in which any score is missing or NaN, or whose list
has another length than the classes, has no answer, and is refused as such rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prunegate.data.predictions.columns import quoted, shown, sql_text
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.errors import TableError

Activation = Literal["none", "softmax", "sigmoid"]
_SAMPLE = 2_000
"""Rows by which probabilities are told from logits."""
_NESTED = ("list", "array", "struct", "json")


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
    if scores.listed and _single(scanned, scores):
        raise TableError(
            f"{scanned.name}: column {shown(scores.column or '')} holds one answer a row, and a "
            "rule of the policy takes scores of every class; give these, or leave the rule out"
        )
    if scores.activation == "none" and _single(scanned, scores):
        return quoted(scores.column or "")  # the other model's file may hold such answers
    values = _values(scanned, scores)
    if scores.activation == "softmax":
        _refuse_probabilities(scanned, scores, list(values.values()))
    whole = _whole(scanned, scores, values)
    known = " AND ".join(f"{v} IS NOT NULL AND NOT isnan({v})" for v in values.values())
    if scores.listed:
        each = [_ACTIVATIONS[scores.activation](v, list(values.values())) for v in values.values()]
        return f"CASE WHEN {known} AND {whole} THEN [{', '.join(each)}] END"
    if scores.positive is None:
        highest = f"greatest({', '.join(values.values())})"
        cases = " ".join(f"WHEN {v} = {highest} THEN {sql_text(c)}" for c, v in values.items())
        return f"CASE WHEN NOT ({known}) OR NOT ({whole}) THEN NULL {cases} END"
    if scores.positive not in values:
        some = ", ".join(map(shown, values))
        raise TableError(
            f"{scanned.name}: there are scores of {some}, and none of the positive label "
            f"{scores.positive!r}; correct 'task: positive', or name the classes under 'data: "
            "scores: classes:' in the order of the scores"
        )
    probability = _ACTIVATIONS[scores.activation](values[scores.positive], list(values.values()))
    return f"CASE WHEN {known} AND {whole} THEN {probability} END"


def _refuse_probabilities(scanned: Scanned, scores: ClassScores, values: Sequence[str]) -> None:
    """A softmax of probabilities gives others, all nearer to each other, and nobody means it."""
    total = " + ".join(values)
    inside = " AND ".join(f"{value} BETWEEN 0 AND 1" for value in values)
    cells = ", ".join((f"{total} AS total", f"{inside} AND abs({total} - 1) < 1e-3 AS proper"))
    some = scanned.relation.project(cells).filter("total IS NOT NULL").limit(_SAMPLE)
    rows, proper = some.aggregate("count(*), count(*) FILTER (proper)").fetchall()[0]
    if rows and rows == proper and len(values) > 1:
        column = scores.column or f"{scores.prefix}..."
        raise TableError(
            f"{scanned.name}: the scores of {shown(column)} are probabilities already: they add up "
            "to 1 in every row; write 'data: scores: activation: none'"
        )


def classes_listed(scanned: Scanned, scores: ClassScores) -> tuple[str, ...]:
    """The classes of a list of probabilities, in its order."""
    return tuple(_values(scanned, scores))


def _single(scanned: Scanned, scores: ClassScores) -> bool:
    """Whether a column holds one value a row: the answer itself."""
    if scores.prefix is not None or scores.column is None:
        return False
    kind = scanned.types[scores.column]
    if kind != "json":
        return kind not in _NESTED
    nested = f"json_type({quoted(scores.column)}) IN ('OBJECT', 'ARRAY')"
    found = scanned.relation.filter(nested).limit(1)
    return not found.project("1").fetchall()


def _values(scanned: Scanned, scores: ClassScores) -> Mapping[str, str]:
    """SQL of each class's score."""
    if scores.prefix is not None:
        return {c: _number(scanned, scores.prefix + c) for c in scores.classes}
    column = scores.column or ""
    kind, cell = scanned.types[column], quoted(column)
    if kind == "struct":
        fields = [name for name, _ in scanned.relation.project(cell).types[0].children]
        classes = scores.classes or tuple(fields)
        if absent := [name for name in classes if name not in fields]:
            raise TableError(
                f"{scanned.name}: column {shown(column)} has no score of class {shown(absent[0])}; "
                f"it has {', '.join(map(shown, fields))}"
            )
        return {c: f"TRY_CAST(struct_extract({cell}, {sql_text(c)}) AS DOUBLE)" for c in classes}
    if kind not in _NESTED:
        raise TableError(
            f"{scanned.name}: column {shown(column)} holds no lists or structures of scores; name "
            "the columns' beginning under 'data: scores: prefix:', or remove 'scores'"
        )
    classes = scores.classes or (_keys(scanned, cell) if kind == "json" else ())
    if not classes:
        raise TableError(
            f"{scanned.name}: which class a score in column {shown(column)} belongs to is not "
            "known; name the classes under 'data: scores: classes:', in the order of the scores"
        )
    if kind == "json":
        return {c: _of_json(cell, c, place) for place, c in enumerate(classes)}
    return {c: f"TRY_CAST({cell}[{place}] AS DOUBLE)" for place, c in enumerate(classes, start=1)}


def _number(scanned: Scanned, column: str) -> str:
    cell, kind = quoted(column), scanned.types[column]
    if kind in (*_NESTED, "boolean"):
        raise TableError(f"{scanned.name}: column {shown(column)} holds no numbers, but is a score")
    if kind in TEXTS:
        return f"CASE WHEN NOT contains({cell}, '_') THEN TRY_CAST({cell} AS DOUBLE) END"
    return f"TRY_CAST({cell} AS DOUBLE)"


def _keys(scanned: Scanned, cell: str) -> tuple[str, ...]:
    """The classes that the first JSON object names; a row without one of them has no answer."""
    objects = scanned.relation.filter(f"json_type({cell}) = 'OBJECT'").limit(1)
    found = objects.project(f"json_keys({cell})").fetchall()
    return tuple(found[0][0]) if found else ()


def _of_json(cell: str, name: str, place: int) -> str:
    """A class's score in a JSON list or object."""
    path = sql_text('$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"')
    text = f"CASE json_type({cell}) WHEN 'ARRAY' THEN {cell} ->> {place} ELSE {cell} ->> {path} END"
    return f"TRY_CAST(({text}) AS DOUBLE)"


def _whole(scanned: Scanned, scores: ClassScores, values: Mapping[str, str]) -> str:
    """True where a list has as many scores as there are classes."""
    column = scores.column
    if column is None or scores.prefix is not None:
        return "true"
    kind, cell = scanned.types[column], quoted(column)
    if kind == "json":
        is_list = f"json_type({cell}) = 'ARRAY'"
        return f"(NOT {is_list} OR json_array_length({cell}) = {len(values)})"
    return "true" if kind == "struct" else f"len({cell}) = {len(values)}"


def _softmax(score: str, scores: Sequence[str]) -> str:
    highest = f"greatest({', '.join(scores)})"
    total = " + ".join(f"exp({one} - {highest})" for one in scores)
    return f"exp({score} - {highest}) / ({total})"


_ACTIVATIONS: Mapping[Activation, Callable[[str, Sequence[str]], str]] = {
    "none": lambda score, _: score,
    "sigmoid": lambda score, _: f"1 / (1 + exp(-({score})))",
    "softmax": _softmax,
}
