"""Identity: what a gate set and two models' answers on it are called, by content alone.

Renamed files, another order of rows, another format, mapped column names: the same digests. One
label, one row, one answer changed: others. Values are taken as the policy reads them, so a label is
positive or not, however the table spells it.

Which attempts belong together is counted by ids and labels, not by slicing values: a policy that
slices by another column, or a column that was put in order, is no fresh gate set. Where only some
rows have labels, the ids alone name it; labels of every row know that name as well, so that
attempts on labels of some rows and of all are counted together. Rows whose labels the policy
ignores have a part in that name: before anybody labelled they were rows like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw

from prunegate.counting.class_columns import LISTED, true_class_columns
from prunegate.counting.column_reading import LABEL, text, value_expression
from prunegate.counting.count import label_columns, open_columns
from prunegate.counting.problems import of_ids, require_none
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.column_digests import ColumnDigests, column_digests
from prunegate.data.predictions.table import Table
from prunegate.data.predictions.uniqueness import duplicate_ids
from prunegate.errors import TableError
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role


@dataclass(frozen=True, kw_only=True)
class GateSet:
    """A labelled set, by content; each a sha256 in hexadecimal."""

    name: str
    """Of ids and labels. Without labels (score, language): like ``contents``."""
    contents: str
    """Of ids, labels (or tokens), slicing values and groups."""
    rows: int
    ids: str | None = None
    """Of ids alone, those of ignored rows too, which names the set where only some rows have
    labels; None: no labels."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A gate set and what two models answered on it."""

    gate_set: GateSet
    baseline: str
    """Of ids and the baseline's answers."""
    candidate: str
    """Of ids and the candidate's answers."""
    with_ignored: tuple[str, str] | None = None
    """The same of the baseline and the candidate on all rows, where some were ignored."""
    ids_differ: bool = field(default=False, compare=False)
    """Whether each row is known to have an id of its own; False: nobody knows."""

    @property
    def baselines(self) -> tuple[str, ...]:
        """Every digest that the baseline's answers are known by."""
        return (self.baseline, *(self.with_ignored or ())[:1])

    @property
    def candidates(self) -> tuple[str, ...]:
        """Every digest that the candidate's answers are known by."""
        return (self.candidate, *(self.with_ignored or ())[1:])


def identity_of(policy: Policy, table: Table, *, labels: bool = True) -> Identity | None:
    """Digests of a predictions table that ``count`` has found readable.

    What rows are sorted by tells in passing that all ids differ, in almost every table whose do.

    Args:
        policy: names the columns.
        table: the predictions.
        labels: False: some rows have none, so that the rows alone name the gate set.

    None where the engine would have to send every row for it (Spark).
    """
    own = [_answers_of(policy, table, role) for role in LISTED]
    values = [value for of_model in own for value in of_model]
    digests = _digests(policy, table, values, labels=labels)
    if digests is None:
        return None
    baseline, candidate = _of_models(digests.of, *map(len, own))
    gate_set = _gate_set(policy, table, digests.of)
    found = Identity(
        gate_set=gate_set, baseline=baseline, candidate=candidate, ids_differ=digests.ids_differ
    )
    if table.left_out is None or gate_set.ids is None:
        return found
    every = _digests_with_ignored(policy, table, table.left_out, values)
    return replace(
        found,
        gate_set=replace(gate_set, ids=_joined("rows", every[_ID])),
        with_ignored=_of_models(every, *map(len, own)),
    )


def _of_models(digests: Mapping[str, str], before: int, after: int) -> tuple[str, str]:
    """What the answers of each model are called, which take so many columns."""
    found = [digests[_answers(place)] for place in range(before + after)]
    return (
        _joined("answers", digests[_ID], *found[:before]),
        _joined("answers", digests[_ID], *found[before:]),
    )


def _digests_with_ignored(
    policy: Policy, table: Table, left_out: nw.LazyFrame[Any], answers: Sequence[nw.Expr]
) -> Mapping[str, str]:
    """Digests of ids and answers of all rows; what an ignored row lacks counts as 0 or empty."""
    cells = {_answers(place): value for place, value in enumerate(answers)}
    cells[_ID] = nw.col(policy.columns.id)
    named = [value.alias(name) for name, value in cells.items()]
    kept, others = table.frame.select(*named), left_out.select(*named)
    kinds = others.collect_schema()
    others = others.filter(~nw.col(_ID).is_null()).with_columns(
        nw.col(name).fill_null("" if kinds[name] == nw.String else 0) for name in cells
    )
    found = column_digests(table, nw.concat([kept, others]), _ID)
    assert found is not None  # noqa: S101  # Spark, the one engine that cannot tell, ignores no rows
    return found.of


def _answers_of(policy: Policy, table: Table, role: Role) -> list[nw.Expr]:
    """What a model answered, and what rules look at of its scores per class."""
    scores = [n for n, of in true_class_columns(policy).items() if of.scores == LISTED[role]]
    own = task_of(policy).answer_values(policy, table, role)
    return [*own, *(value_expression(table, name) for name in scores)]


def read_gate_set(policy: Policy, source: Any) -> GateSet:
    """A gate set as it will be judged, read without any model's answers.

    Args:
        policy: names the columns.
        source: as for ``open_table``; score columns may be there and are not looked at.

    Raises:
        TableError: it cannot be read, a value is missing, or an id occurs twice.
    """
    columns = policy.columns
    beside = tuple(name for name in (policy.group, policy.weight) if name is not None)
    wanted = tuple(dict.fromkeys((columns.id, *label_columns(policy), *policy.keys, *beside)))
    table = open_columns(policy, source, wanted)
    require_none(table.name, of_ids(columns.id, duplicate_ids(table, columns.id)))
    digests = _digests(policy, table, ())
    if digests is None:
        raise TableError(f"{table.name}: give a file or a frame that is not Spark's")
    return _gate_set(policy, table, digests.of)


_ID, _LABEL, _WEIGHT = "prunegate__id", LABEL, "prunegate__weight"


def _answers(place: int) -> str:
    return f"prunegate__answers_{place}"


def _digests(
    policy: Policy, table: Table, answers: Sequence[nw.Expr], *, labels: bool = True
) -> ColumnDigests | None:
    group = () if policy.group is None else (policy.group,)
    found = {_ID: nw.col(policy.columns.id)}
    if labels:
        found |= dict(zip((_LABEL,), task_of(policy).label_values(policy, table), strict=False))
    found |= {f"prunegate__by_{place}": text(key) for place, key in enumerate(policy.keys)}
    found |= {f"prunegate__group_{place}": text(key) for place, key in enumerate(group)}
    if policy.weight is not None:
        found[_WEIGHT] = value_expression(table, policy.weight)
    found |= {_answers(place): value for place, value in enumerate(answers)}
    frame = table.frame.select(*(value.alias(name) for name, value in found.items()))
    return column_digests(table, frame, _ID)


def _gate_set(policy: Policy, table: Table, digests: Mapping[str, str]) -> GateSet:
    by = [f"{key}\0{digests[f'prunegate__by_{place}']}" for place, key in enumerate(policy.keys)]
    group = digests.get("prunegate__group_0", "")
    labels = digests.get(_LABEL, "")
    weight = (f"weight\0{digests[_WEIGHT]}",) if _WEIGHT in digests else ()
    contents = _joined("contents", digests[_ID], labels, group, *sorted(by), *weight)
    decided = policy.task.traits.decided
    if not decided:
        return GateSet(name=contents, contents=contents, rows=table.rows_hint)
    ids = _joined("rows", digests[_ID])
    name = _joined("labels", digests[_ID], labels) if labels else ids
    return GateSet(name=name, contents=contents, rows=table.rows_hint, ids=ids)


def _joined(*parts: str) -> str:
    return hashlib.sha256("\0\0".join(parts).encode()).hexdigest()
