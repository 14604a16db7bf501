"""Shards: the files that an index names, where weights are stored in several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from prunegate.errors import ModelError
from prunegate.models.surgery import WEIGHTS_FILE

INDEX_FILE = f"{WEIGHTS_FILE}.index.json"


def shards_named(index: Path, told: Mapping[str, Any], names: Collection[str]) -> tuple[str, ...]:
    """The files that an index names, in the order of their names.

    Args:
        index: the index, as errors call it.
        told: its content.
        names: of the files that are there.

    Raises:
        ModelError: it names files that are not, or says nothing of files.
    """
    found = told.get("weight_map")
    listed: set[Any] = set(map(_hashable, found.values())) if isinstance(found, dict) else {None}
    if missing := sorted(str(one) for one in listed if one is None or one not in names):
        raise ModelError(
            f"{index}: names shards that are not in the folder ({', '.join(missing[:3])}); copy "
            "all of them, or save the model again."
        )
    return tuple(sorted(listed))


def _hashable(name: object) -> str | None:
    return name if isinstance(name, str) else None
