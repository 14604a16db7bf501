"""Were the models that were measured the ones that made the predictions?

Digests decide, never names. Those of the models behind a table of predictions are known from the
run that made it, from the table itself (``run`` notes them in the Parquet file), or from the
folders that the policy names, if they are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.cost.measurement import Measurements
from prunegate.cost.measurements_file import check_digests
from prunegate.models.digest import tree_digest

if TYPE_CHECKING:
    import pyarrow as pa

    from prunegate.policy.load import PolicyFile

ROLES = ("baseline", "candidate")
_NOTE = "prunegate.{role}.digest"


def noted(table: pa.Table, digests: Mapping[str, str]) -> pa.Table:
    """Return a predictions table that says which models made it.

    Args:
        table: The predictions.
        digests: ``tree_digest`` of each model's folder, by role.
    """
    notes = {_NOTE.format(role=role): digest for role, digest in digests.items()}
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **notes})


def require_same_models(
    measurements: Measurements,
    source: PolicyFile,
    files: Sequence[Path],
    made: Mapping[str, Any],
) -> tuple[str, ...]:
    """Refuse measurements of other models than those that are judged.

    Args:
        measurements: From a file, or from a run.
        source: The policy.
        files: What the predictions were read from.
        made: The record's fields on the making; may hold ``baseline`` and ``candidate``.

    Returns:
        The roles whose model is not known here, so that nothing could be compared.

    Raises:
        MeasurementError: another model was measured; both digests are named.
        ModelError: a model's folder cannot be hashed.
    """
    here = {role: _digest(role, source, files, made) for role in ROLES}
    check_digests(measurements, here["baseline"], here["candidate"])
    return tuple(role for role in ROLES if here[role] is None)


def _digest(
    role: str, source: PolicyFile, files: Sequence[Path], made: Mapping[str, Any]
) -> str | None:
    if made.get(role) is not None:
        return str(made[role].digest)
    for path in files:
        if found := _note(path, role):
            return found
    named = getattr(source.policy.model, role, None)
    if named is None or not (source.folder / named).is_dir():
        return None
    return tree_digest(source.folder / named)


def _note(path: Path, role: str) -> str | None:
    """What a Parquet file says of a model; None of any other file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        notes = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        return None
    raw = notes.get(_NOTE.format(role=role).encode())
    return raw.decode("utf-8", "replace") if raw else None
