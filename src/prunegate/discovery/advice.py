"""Advice: undeclared slices that lost, looked for in passing after a run.

Looked at are the slicing keys, for crosses that the policy does not declare, and what else the
labelled table says of its rows in a few words. Kept is only what stands out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from prunegate.data.predictions.metadata import column_names, few_valued
from prunegate.discovery.discover import DiscoveryRequest, discover
from prunegate.discovery.discovered import DiscoveredSlice
from prunegate.discovery.open_table import open_for_discovery, unusable
from prunegate.errors import InputError
from prunegate.policy.schema import Policy
from prunegate.text.said import said

MOST_COLUMNS = 8
"""Slicing keys and other columns together."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What was found, or why nothing could be looked for."""

    slices: tuple[DiscoveredSlice, ...] = ()
    warnings: tuple[str, ...] = ()


def advice(policy: Policy, labelled: Path, predictions: Path, seed: int = 0) -> Advice:
    """Undeclared slices of a run's predictions that lost beyond chance.

    A column that cannot be looked through (two spellings of one value, say) must not cost anybody
    a finished run, so it becomes a warning.

    Args:
        policy: the policy.
        labelled: the labelled data table, which describes every row of ``predictions`` by id.
        predictions: a Parquet file of both models' predictions.
        seed: of the sign flips.
    """
    try:
        return Advice(slices=_standing_out(policy, labelled, predictions, seed))
    except InputError as error:
        return Advice(warnings=(said("warning.undiscovered", why=str(error)),))


def _standing_out(
    policy: Policy, labelled: Path, predictions: Path, seed: int
) -> tuple[DiscoveredSlice, ...]:
    keys = tuple(key for key in policy.keys if not unusable(policy, key))[:MOST_COLUMNS]
    table, described = _described(policy, labelled, predictions, MOST_COLUMNS - len(keys))
    columns = (*keys, *described)
    if not columns:
        return ()
    opened = open_for_discovery(policy, table, columns)
    found = discover(policy, opened, DiscoveryRequest(columns=columns, seed=seed))
    return tuple(one for one in found.slices if one.stands_out)


def _described(
    policy: Policy, labelled: Path, predictions: Path, most: int
) -> tuple[pa.Table, tuple[str, ...]]:
    """The predictions with the labelled table's other columns, and the names of these."""
    columns = policy.columns
    table = pq.read_table(predictions)
    content = (columns.image, columns.text, columns.prompt, columns.reference)
    used = {*content, columns.split, *policy.keys, *_truth(policy)}
    told = (columns.reference,) if policy.task.traits.documents else (columns.label,)
    names = [
        name
        for name in column_names(labelled, (columns.id, *(() if policy.task.traits.sets else told)))
        if name not in used and not unusable(policy, name)
    ]
    if not names or most < 1:
        return table, ()
    found = few_valued(labelled, columns.id, names, most)
    ids = [str(value) for value in table[columns.id].to_pylist()]
    for name, by_id in found.items():
        values = pa.array([by_id[row] for row in ids], pa.string())
        place = table.schema.get_field_index(name)
        table = table.drop_columns(name) if place >= 0 else table
        table = table.append_column(name, values)
    return table, tuple(found)


def _truth(policy: Policy) -> tuple[str, ...]:
    """The columns that say which of several labels a row has: they sort nothing into kinds."""
    if not policy.task.traits.sets:
        return ()
    own = (policy.label_column("label", label) for label in policy.task.labels)
    return (policy.columns.label, *own)
