"""Which models made a table of predictions, by digest, where prunegate did not run them itself.

A decision on a table binds the models too, as far as they can be known: from what the table says of
its making (``prediction_metadata.py``; its maker's word), else from the folders that the policy
names (hashed here; that they made the table is the policy's word). The record says which of the two
it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.audit.prediction_metadata import Notes
from prunegate.audit.record import NamedModel
from prunegate.errors import InputError, ModelError
from prunegate.models.digest import tree_digest
from prunegate.policy.task import ROLES
from prunegate.text.escape import one_line

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile

MOST_BYTES = 4 << 30
"""Size of a folder up to which ``gate`` hashes it: some seconds of work."""
_DIGEST = re.compile("[0-9a-f]{64}")


def named_models(
    source: PolicyFile, notes: Sequence[Notes], made: Mapping[str, Any]
) -> tuple[tuple[NamedModel, ...], tuple[str, ...]]:
    """The models that a table or the policy names, and in words what could not be told of them.

    Args:
        source: the policy.
        notes: what each of the table's files says.
        made: the record's fields on the making; a role in it was run here and needs no more.
    """
    found, limits = [], []
    for role in ROLES:
        if made.get(role) is not None:
            continue
        said = {digest for one in notes if _DIGEST.fullmatch(digest := one.digests.get(role, ""))}
        if len(said) == 1 and all(role in one.digests for one in notes):
            found.append(NamedModel(role=role, digest=said.pop(), source="predictions"))
            continue
        if said:
            limits.append(f"Which {role} made the predictions is not known: their files differ.")
            continue
        place = source.model_place(role)
        if place is None:
            continue
        try:
            digest = _hashed(place)
        except (InputError, OSError) as error:
            words = one_line(str(error).replace(str(place), source.public_place(role)))
            limits.append(f"The {role}'s folder is not bound by its digest: {words}")
        else:
            found.append(NamedModel(role=role, digest=digest, source="folder"))
    return tuple(found), tuple(limits)


def _hashed(folder: Path) -> str:
    """The folder's digest, where it is small enough to be worked out on the way.

    Raises:
        ModelError: it is not, or cannot be hashed.
    """
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MOST_BYTES:
        raise ModelError(
            f"it has {size:,} bytes, more than the {MOST_BYTES:,} that are hashed here"
        )
    return tree_digest(folder)
