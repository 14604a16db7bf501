"""Identity: what a gate set and two models' answers on it are called, by content alone.

Renamed files, another order of rows, another format, mapped column names: the same digests. One
label, one row, one answer changed: others. Values are taken as the policy reads them, so a label is
positive or not, however the table spells it.

Which attempts belong together is counted by ids and labels, not by slicing values: a policy that
slices by another column, or a column that was put in order, is no fresh gate set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import LABEL, text
from prunegate.counting.count import label_columns, open_columns
from prunegate.counting.problems import of_ids, require_none
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.column_digests import column_digests
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


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A gate set and what two models answered on it."""

    gate_set: GateSet
    baseline: str
    """Of ids and the baseline's answers."""
    candidate: str
    """Of ids and the candidate's answers."""


def identity_of(policy: Policy, table: Table, *, labels: bool = True) -> Identity | None:
    """Digests of a predictions table that ``count`` has found readable.

    Args:
        policy: names the columns.
        table: the predictions.
        labels: False: some rows have none, so that the rows alone name the gate set.

    None where the engine would have to send every row for it (Spark).
    """
    digests = _digests(policy, table, ("baseline", "candidate"), labels=labels)
    if digests is None:
        return None
    return Identity(
        gate_set=_gate_set(policy, table, digests),
        baseline=_joined("answers", digests[_ID], digests[_answers(0)]),
        candidate=_joined("answers", digests[_ID], digests[_answers(1)]),
    )


def read_gate_set(policy: Policy, source: Any) -> GateSet:
    """A gate set as it will be judged, read without any model's answers.

    Args:
        policy: names the columns.
        source: as for ``open_table``; score columns may be there and are not looked at.

    Raises:
        TableError: it cannot be read, a value is missing, or an id occurs twice.
    """
    columns = policy.columns
    group = () if policy.group is None else (policy.group,)
    wanted = tuple(dict.fromkeys((columns.id, *label_columns(policy), *policy.keys, *group)))
    table = open_columns(policy, source, wanted)
    require_none(table.name, of_ids(columns.id, duplicate_ids(table, columns.id)))
    digests = _digests(policy, table, ())
    if digests is None:
        raise TableError(f"{table.name}: give a file or a frame that is not Spark's")
    return _gate_set(policy, table, digests)


_ID, _LABEL = "prunegate__id", LABEL


def _answers(place: int) -> str:
    return f"prunegate__answers_{place}"


def _digests(
    policy: Policy, table: Table, answers: Sequence[Role], *, labels: bool = True
) -> dict[str, str] | None:
    group = () if policy.group is None else (policy.group,)
    found = {_ID: nw.col(policy.columns.id)}
    if labels:
        found |= dict(zip((_LABEL,), task_of(policy).label_values(policy, table), strict=False))
    found |= {f"prunegate__by_{place}": text(key) for place, key in enumerate(policy.keys)}
    found |= {f"prunegate__group_{place}": text(key) for place, key in enumerate(group)}
    found |= {
        _answers(place): task_of(policy).answer_value(policy, table, role)
        for place, role in enumerate(answers)
    }
    frame = table.frame.select(*(value.alias(name) for name, value in found.items()))
    return column_digests(table, frame, _ID)


def _gate_set(policy: Policy, table: Table, digests: dict[str, str]) -> GateSet:
    by = [f"{key}\0{digests[f'prunegate__by_{place}']}" for place, key in enumerate(policy.keys)]
    group = digests.get("prunegate__group_0", "")
    labels = digests.get(_LABEL, "")
    contents = _joined("contents", digests[_ID], labels, group, *sorted(by))
    decided = policy.task.traits.decided
    name = _joined("labels", digests[_ID], labels) if decided and labels else contents
    if decided and not labels:
        name = _joined("rows", digests[_ID])
    return GateSet(name=name, contents=contents, rows=table.rows_hint)


def _joined(*parts: str) -> str:
    return hashlib.sha256("\0\0".join(parts).encode()).hexdigest()
