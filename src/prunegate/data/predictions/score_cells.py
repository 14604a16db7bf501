"""Score cells: where in a row the score of each class is.

A score may have a column of its own, or lie with the others in one cell: a list in the order of the
classes, a structure with a field for each, a list of ``{label, score}`` as pipelines write them, or
a text that holds one of these as JSON, or as Python prints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prunegate.data.predictions.columns import quoted, shown, sql_text
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.errors import TableError

_NESTED = ("list", "array", "struct", "json")
_OPENS = ("[", "{")
_SAMPLE = 1_000
"""Rows in which a class has to be named."""
_LABEL, _SCORE = "label", "score"
"""Fields of a pipeline's answers."""


@dataclass(frozen=True, kw_only=True)
class ScoreCells:
    """A row's scores."""

    classes: tuple[str, ...]
    scores: str
    """SQL of a list of numbers in the order of the classes, null where a score is; no list at all,
    or one of another length, where a row has none."""
    single: bool = False
    """Whether they are stored in 32 bits."""


def scores_of_columns(scanned: Scanned, prefix: str, classes: Sequence[str]) -> ScoreCells:
    """The scores of columns that are called after their classes.

    Raises:
        TableError: one of them holds no numbers.
    """
    kinds = {scanned.types[prefix + name] for name in classes}
    scores = ", ".join(score_sql(scanned, prefix + name) for name in classes)
    return ScoreCells(classes=tuple(classes), scores=f"[{scores}]", single=kinds == {"float"})


def scores_of_column(scanned: Scanned, column: str, classes: Sequence[str]) -> ScoreCells | None:
    """The scores in the cells of one column; None: each holds a single value.

    Args:
        scanned: the table.
        column: its name.
        classes: in the order of lists; none: those that the cells name.

    Raises:
        TableError: texts that are no JSON, or classes that are not known or lack a score.
    """
    kind, cell = scanned.types[column], quoted(column)
    if kind == "struct":
        return _of_fields(scanned, column, classes)
    if kind in ("list", "array"):
        if not _of_pairs(_type_of(scanned, column)):
            return _of_list(scanned, column, classes)
        kind, found = "pairs", f"to_json({cell})"
    else:
        found = _json_sql(scanned, column) or ""
    if not found:
        return None
    named = classes or _named(scanned, found)
    _require_classes(scanned, column, named)
    _require_named(scanned, column, found, named)
    single = kind == "pairs" and "score FLOAT" in str(_type_of(scanned, column)).replace('"', "")
    return ScoreCells(classes=tuple(named), scores=_in_json(found, named), single=single)


def score_sql(scanned: Scanned, column: str) -> str:
    """SQL of a column's number.

    Raises:
        TableError: the column holds none.
    """
    cell, kind = quoted(column), scanned.types[column]
    if kind in (*_NESTED, "boolean"):
        raise TableError(f"{scanned.name}: column {shown(column)} holds no numbers, but is a score")
    if kind in TEXTS:
        return f"CASE WHEN NOT contains({cell}, '_') THEN TRY_CAST({cell} AS DOUBLE) END"
    return f"TRY_CAST({cell} AS DOUBLE)"


def _type_of(scanned: Scanned, column: str) -> Any:
    return scanned.relation.project(quoted(column)).types[0]


def _of_pairs(kind: Any) -> bool:
    """Whether a type of lists is one of ``{label, score}``."""
    child = kind.children[0][1]
    return child.id == "struct" and {_LABEL, _SCORE} <= {name for name, _ in child.children}


def _of_fields(scanned: Scanned, column: str, classes: Sequence[str]) -> ScoreCells:
    kinds = {name: kind.id for name, kind in _type_of(scanned, column).children}
    classes = tuple(classes) or tuple(kinds)
    _refuse_absent(scanned, column, classes, tuple(kinds))
    fields = (f"struct_extract({quoted(column)}, {sql_text(name)})" for name in classes)
    scores = ", ".join(f"TRY_CAST({field} AS DOUBLE)" for field in fields)
    single = {kinds[name] for name in classes} == {"float"}
    return ScoreCells(classes=classes, scores=f"[{scores}]", single=single)


def _of_list(scanned: Scanned, column: str, classes: Sequence[str]) -> ScoreCells:
    _require_classes(scanned, column, classes)
    scores, child = (
        f"TRY_CAST({quoted(column)} AS DOUBLE[])",
        _type_of(scanned, column).children[0][1],
    )
    return ScoreCells(classes=tuple(classes), scores=scores, single=child.id == "float")


def _require_classes(scanned: Scanned, column: str, classes: Sequence[str]) -> None:
    if not classes:
        raise TableError(
            f"{scanned.name}: which class a score in column {shown(column)} belongs to is not "
            "known; name the classes under 'data: scores: classes:', in the order of the scores"
        )


def _json_sql(scanned: Scanned, column: str) -> str | None:
    """SQL of a column's cells as JSON; None where they hold neither lists nor objects.

    Raises:
        TableError: the first text looks like one, and is none.
    """
    kind, cell = scanned.types[column], quoted(column)
    if kind == "json":
        nested = scanned.relation.filter(f"json_type({cell}) IN ('OBJECT', 'ARRAY')")
        if nested.limit(1).project("1").fetchall():
            return cell
    elif kind not in TEXTS:
        return None
    text = f"({cell} ->> '$')" if kind == "json" else f"CAST({cell} AS VARCHAR)"
    python = f"replace({text}, '''', '\"')"
    found = (
        f"CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) "
        f"WHEN json_valid({python}) THEN CAST({python} AS JSON) END"
    )
    first = scanned.relation.filter(f"{text} IS NOT NULL").limit(1)
    for some, parsed in first.project(f"{text}, {found} IS NOT NULL").fetchall():
        if some.lstrip()[:1] not in _OPENS:
            return None
        if not parsed:
            raise TableError(
                f"{scanned.name}: column {shown(column)} holds texts such as {shown(some)}, which "
                "are no JSON lists or objects; write scores as [0.1, 0.9] or "
                '{"cat": 0.1, "dog": 0.9}'
            )
        return found
    return None


def _named(scanned: Scanned, found: str) -> tuple[str, ...]:
    """The classes that the first object or list of pairs names; later ones have to name them."""
    first = scanned.relation.filter(f"json_type({found}) IN ('OBJECT', 'ARRAY')").limit(1)
    labels = f"json_extract_string({found}, '$[*].{_LABEL}')"
    for kind, keys, pairs in first.project(
        f"json_type({found}), json_keys({found}), {labels}"
    ).fetchall():
        if kind == "OBJECT":
            return tuple(keys)
        return tuple(sorted({name for name in pairs if name is not None}))
    return ()


def _require_named(scanned: Scanned, column: str, found: str, classes: Sequence[str]) -> None:
    """Refuse names that no cell of many has; one that some rows lack is told of these rows."""
    labels = f"json_extract_string({found}, '$[*].{_LABEL}')"
    names = f"CASE json_type({found}) WHEN 'OBJECT' THEN json_keys({found}) ELSE {labels} END"
    some = scanned.relation.filter(f"{found} IS NOT NULL").limit(_SAMPLE)
    there = some.project(f"unnest({names}) AS name").filter("name IS NOT NULL").distinct()
    known = tuple(name for (name,) in there.order("name").fetchall())
    if known:  # lists of numbers name nothing
        _refuse_absent(scanned, column, classes, known)


def _refuse_absent(
    scanned: Scanned, column: str, classes: Sequence[str], known: Sequence[str]
) -> None:
    if absent := [name for name in classes if name not in known]:
        raise TableError(
            f"{scanned.name}: column {shown(column)} has no score of class {shown(absent[0])}; "
            f"it has {', '.join(map(shown, known))}"
        )


def _in_json(found: str, classes: Sequence[str]) -> str:
    """The scores of a JSON object, list, or list of pairs."""
    quotes = (name.replace("\\", "\\\\").replace('"', '\\"') for name in classes)
    paths = ", ".join(sql_text(f'$."{name}"') for name in quotes)
    labels, nowhere = f"json_extract_string({found}, '$[*].{_LABEL}')", len(classes) + 1
    places = (f"list_position({labels}, {sql_text(name)})" for name in classes)
    order = ", ".join(f"coalesce(nullif({place}, 0), {nowhere})" for place in places)
    pairs = f"json_extract_string({found}, '$[*].{_SCORE}')"
    texts = (
        f"CASE WHEN json_type({found}) = 'OBJECT' THEN json_extract_string({found}, [{paths}]) "
        f"WHEN json_array_length({found}) <> {len(classes)} THEN NULL "
        f"WHEN json_type({found}, '$[0]') = 'OBJECT' THEN list_select({pairs}, [{order}]) "
        f"ELSE json_extract_string({found}, '$[*]') END"
    )
    return f"TRY_CAST({texts} AS DOUBLE[])"
