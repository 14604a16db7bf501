"""Were the models that were measured the ones that made the predictions?

Digests decide, never names. Those of the models behind a table of predictions are known from the
run that made it, from the table itself (``prediction_metadata.py``), or from the folders that the
policy names, if they are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.audit.prediction_metadata import read_notes
from prunegate.cost.measurement import Measurements
from prunegate.cost.measurements_file import check_digests
from prunegate.models.digest import digests_by_path, list_digest, tree_digest, tree_files
from prunegate.policy.task import ROLES, Role

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile


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
        MeasurementError: another model was measured; both digests are named, and the files that
            differ where both are known.
        ModelError: a model's folder cannot be hashed.
    """
    here = {role: _digest(role, source, files, made) for role in ROLES}
    files_of = partial(_files, source, here)
    check_digests(measurements, here["baseline"], here["candidate"], files_of)
    return tuple(role for role in ROLES if here[role] is None)


def _files(
    source: PolicyFile, here: Mapping[Role, str | None], role: Role
) -> Mapping[str, str] | None:
    """The files of the model at hand, where the policy's folder is it."""
    place = source.model_place(role)
    if place is None or not place.exists():
        return None
    files = tree_files(place)
    return digests_by_path(files) if list_digest(files) == here[role] else None


def _digest(
    role: Role, source: PolicyFile, files: Sequence[Path], made: Mapping[str, Any]
) -> str | None:
    if made.get(role) is not None:
        return str(made[role].digest)
    for path in files:
        if found := read_notes(path).digests.get(role):
            return found
    place = source.model_place(role)
    return None if place is None else tree_digest(place)
