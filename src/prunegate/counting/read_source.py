"""Read source: whatever is to be judged, opened and counted, and what it cannot tell.

Rows with labels tell everything. Rows of which some have labels do not name a gate set by these.
Joint counts have no rows: no ids, no examples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prunegate.counting.count import Counted, count_table, open_predictions, warned_if_alike
from prunegate.counting.counts_file import read_counts_file
from prunegate.counting.counts_table import read_counts
from prunegate.counting.gate_set import Identity
from prunegate.counting.labelled_part import LabelledPart, PartlyCounted, count_part
from prunegate.data.file_hashes import hash_files
from prunegate.data.predictions.table import Table
from prunegate.io.hashing import FileHash
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

COUNTS = "counts"
"""What a file of joint counts gives."""


@dataclass(frozen=True, kw_only=True)
class JointCountsFile:
    """A file of joint counts, as ``prunegate sql`` has them made."""

    path: Path


@dataclass(frozen=True, kw_only=True)
class ReadSource:
    """What is judged, counted."""

    table: Table
    hashes: tuple[FileHash, ...]
    """Of its files, taken before they were counted; empty where nobody asked for them."""
    counted: Counted
    part: PartlyCounted | None = None
    """Where only some rows have labels: which."""
    identity: Identity | None = None
    """What its gate set is called; None: nobody asked, or nobody can tell."""
    query: str | None = None
    """Fingerprint of the query that counted; None: no query did, or none says so."""

    @property
    def has_rows(self) -> bool:
        """Whether there are rows to look at, with ids."""
        return COUNTS not in self.table.roles


Identify = Callable[[Policy, Table], Identity | None]
"""Names a gate set, as ``identity_of``."""


def read_source(
    policy: Policy, source: Any, *, hashed: bool = False, identify: Identify | None = None
) -> ReadSource:
    """Open and count what is to be judged.

    Args:
        policy: what is counted.
        source: as for ``judge``; or a ``LabelledPart``, or a ``JointCountsFile``.
        hashed: whether its files are to be named by content, which reads them once more.
        identify: names the gate set of rows that all have labels, once these are known to be
            readable, and so spares a look through the ids; None: nobody asked.

    Raises:
        InputError: it cannot be read or counted.
    """
    if isinstance(source, JointCountsFile):
        return _of_counts(policy, source.path, hashed=hashed)
    if isinstance(source, LabelledPart):
        part = count_part(policy, source)
        hashes = _hashes(part.table.files, hashed=hashed)
        return ReadSource(table=part.table, hashes=hashes, counted=part.counted, part=part)
    table = open_predictions(policy, source, with_ids=True)
    hashes = _hashes(table.files, hashed=hashed)
    if identify is None:
        return ReadSource(table=table, hashes=hashes, counted=count_table(policy, table))
    named: list[Identity | None] = []

    def differ() -> bool:
        named.append(identify(policy, table))
        return named[0] is not None and named[0].ids_differ

    counted = count_table(policy, table, ids_differ=differ)
    return ReadSource(table=table, hashes=hashes, counted=counted, identity=named.pop())


def _hashes(files: Sequence[Path], *, hashed: bool) -> tuple[FileHash, ...]:
    return tuple(hash_files(files)) if hashed else ()


def _of_counts(policy: Policy, path: Path, *, hashed: bool) -> ReadSource:
    hashes = _hashes((path,), hashed=hashed and path.is_file())  # else reading it says why not
    found = read_counts_file(policy, path)
    slices = read_counts(policy, found.frame)
    left_out = ", ".join(value_text(label) for label in policy.task.ignore)
    ignored = {left_out: found.ignored} if found.ignored else {}
    return ReadSource(
        table=replace(found.table, roles=(COUNTS,), ignored=ignored),
        hashes=hashes,
        counted=Counted(slices=slices, rows=slices[0].rows, warnings=warned_if_alike(slices)),
        query=found.fingerprint,
    )
