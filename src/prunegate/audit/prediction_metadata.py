"""Notes: what a predictions file says of its making, in the metadata of the Parquet file.

``run`` writes them beside the columns, so that ``gate``, on another machine and a year later, still
knows which models made the predictions and on what processor. They are the maker's word: nothing
here proves them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.audit.provenance import MOMENT, now
from prunegate.audit.record import ModelRef, Saturating
from prunegate.cost.processor import processor
from prunegate.text.said import said

if TYPE_CHECKING:
    import pyarrow as pa

_NOTE = b"prunegate.predicted"
_DIGEST = "prunegate.{role}.digest"
_ROLES = ("baseline", "candidate")
_LONGEST, _LONGEST_DIGEST = 1 << 16, 128
"""Bytes of a note and of a digest; ours are far shorter."""
_MOST = 2**53 - 1
"""The largest number that a record keeps."""


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What a predictions file says; empty where it says nothing."""

    digests: Mapping[str, str] = field(default_factory=dict)
    """``tree_digest`` of each model's folder, by role."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The processor that the models ran on, as ``Processor.facts`` words it."""
    created: str | None = None
    """When the predictions were made: UTC, ISO 8601, seconds."""
    saturating: Mapping[str, Saturating] = field(default_factory=dict)
    """Models that compute otherwise on other processors, by role."""


def noted(table: pa.Table, models: Mapping[str, ModelRef]) -> pa.Table:
    """Return a predictions table that says which models made it, and on what processor.

    Args:
        table: The predictions.
        models: By role, as they were scored here.
    """
    said = {
        "created": now(),
        "environment": processor().facts(),
        "saturating": {
            role: asdict(model.saturating) for role, model in models.items() if model.saturating
        },
    }
    notes: dict[str | bytes, str | bytes] = {
        _DIGEST.format(role=role): model.digest for role, model in models.items()
    }
    notes[_NOTE] = json.dumps(said, sort_keys=True)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **notes})


def read_notes(path: Path) -> Notes:
    """Read what a file says; nothing of any file but Parquet, or where the notes are malformed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError, UnicodeError):
        return Notes()
    return notes_of(found)


def notes_of(found: Mapping[bytes, bytes]) -> Notes:
    """What the metadata of a Parquet file say; nothing where they are malformed."""
    digests = {
        role: raw.decode("utf-8", "replace")
        for role in _ROLES
        if (raw := found.get(_DIGEST.format(role=role).encode())) and len(raw) <= _LONGEST_DIGEST
    }
    try:
        return _notes(found.get(_NOTE, b"{}"), digests)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return Notes(digests=digests)


def _notes(raw: bytes, digests: Mapping[str, str]) -> Notes:
    if len(raw) > _LONGEST:
        raise ValueError
    said: Any = json.loads(raw)
    saturating = said.get("saturating", {}).items()
    return Notes(
        digests=digests,
        created=_moment(said.get("created")),
        environment={_text(k): _text(v) for k, v in said.get("environment", {}).items()},
        saturating={role: _saturating(one) for role, one in saturating if role in _ROLES},
    )


def _text(said: Any) -> str:
    """What is said, as a text that UTF-8 can hold."""
    return str(said).encode().decode()


def predicted_at(notes: Sequence[Notes]) -> str | None:
    """When the first of the predictions were made; None where one of the files does not say.

    When a file was written or changed is no evidence: copying a file changes that.
    """
    said = [one.created for one in notes]
    return min(filter(None, said)) if said and all(said) else None


def environment_of(notes: Sequence[Notes]) -> dict[str, str]:
    """Return the processor that judges, and those that the predictions were made on."""
    made: dict[str, list[str]] = {}
    for one in notes:
        for key, value in one.environment.items():
            made.setdefault(f"predictions_{key}", []).append(value)
    said = {key: "; ".join(dict.fromkeys(values)) for key, values in sorted(made.items())}
    return {**processor().facts(), **said}


def saturation_warnings(found: Mapping[str, Saturating]) -> tuple[str, ...]:
    """That models, by role, are others on other processors, and how much of it shows here."""
    return tuple(
        said("warning.saturates", model=role, told=_saturating_in_words(one))
        for role, one in found.items()
    )


def _saturating_in_words(found: Saturating) -> str:
    products = {"n": found.saturating, "whole": found.products}
    if not found.here:
        return said("warning.saturates_there", **products)
    if found.rows is None or found.changed is None:
        return said("warning.saturates_here", **products)
    rows = {"changed": found.changed, "rows": found.rows, "part": found.changed / found.rows}
    return said("warning.saturates_rows", **products, **rows)


def _moment(said: Any) -> str | None:
    if said is None:
        return None
    return datetime.strptime(said, MOMENT).strftime(MOMENT)


def _saturating(said: Any) -> Saturating:
    """One model's note; a malformed one is refused."""
    whole = {name: said[name] for name in ("products", "saturating", "rows", "changed")}
    if not all(isinstance(v, int | None) and not isinstance(v, bool) for v in whole.values()):
        raise TypeError
    products, saturating, rows, changed = whole.values()
    if not 0 <= saturating <= products <= _MOST or (rows is None) is not (changed is None):
        raise ValueError
    if rows == 0 or (rows is not None and not 0 <= changed <= rows <= _MOST):
        raise ValueError
    return Saturating(here=bool(said["here"]), **whole)
