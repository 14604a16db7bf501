"""The engine that reads tables: DuckDB in memory, bounded, spilling to disk, without network.

Its errors about data become one ``TableError``; its errors about SQL are ours and stay as they are.
``Engine`` is what a table asks of whatever computes it; ``spark.py`` has the other one.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import narwhals
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.data.predictions.coded_texts import rows_as_they_are, rows_with_codes
from prunegate.data.predictions.columns import escape_glob, quoted
from prunegate.errors import TableError
from prunegate.io.beside import work_beside
from prunegate.io.partial import held_folder

MEMORY_LIMIT = "1.5GB"
"""What DuckDB may hold before it spills to the temporary folder."""
MEMORY_LIMIT_JOINED = "1.1GB"
"""The same where it joins files, and keeps what they give while counting reads it: ten million rows
of three files then take 1.9 GB in all and no more time (tests/benchmarks/inputs_at_scale.py)."""

WHOLE_NUMBERS = {
    *("tinyint", "smallint", "integer", "bigint", "hugeint"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
}
"""DuckDB's types of whole numbers."""

_OURS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


T = TypeVar("T")


class Engine(Protocol):
    """What computes a table's lazy frame."""

    def reading(self, name: str) -> AbstractContextManager[None]:
        """Wrap a collect: damage found while reading becomes a TableError about ``name``."""

    def hashes(
        self, frame: narwhals.LazyFrame[Any], column: str, share: tuple[int, int]
    ) -> NDArray[np.uint64] | None:
        """64-bit hashes of a column's values, missing ones left out; equal values, equal hashes.

        Args:
            frame: the table's frame.
            column: whose values.
            share: (i, k) asks for the hashes that leave the remainder i when divided by k.

        None where the values would have to travel for it: then whoever asks has to count.
        """

    def share_of_rows(
        self,
        frame: narwhals.LazyFrame[Any],
        by: str,
        share: tuple[int, int],
        *,
        coded: bool = False,
    ) -> pa.RecordBatchReader | None:
        """Rows in any order, part by part, with texts in Unicode's NFC.

        Args:
            frame: over the table's frame.
            by: a column of texts.
            share: (i, k) asks for the i-th of k shares, by the sha256 of that column, which every
                version of an engine computes alike.
            coded: texts of which few are distinct may come as dictionary arrays, in which a text
                may stand twice.

        None where the rows would have to travel for it.
        """

    def meanwhile(self, work: Callable[[], T]) -> AbstractContextManager[Callable[[], T]]:
        """Let work on its tables go on while a block does something else that asks it nothing.

        Gives what tells the outcome, which is asked for after the block.
        """

    def held(self, frame: narwhals.LazyFrame[Any]) -> narwhals.LazyFrame[Any]:
        """A frame of few rows, worked out once where that spares planning it again in each query.

        Args:
            frame: over the table's frame.
        """


@dataclass(frozen=True, kw_only=True)
class DuckDB:
    """The engine of every table but Spark's."""

    connection: Any
    """Kept alive with the table; a DuckDB relation given by the user has its own."""
    stored: Any = None
    """The relation before its columns were cast; None: hash what they were cast to."""

    def reading(self, name: str) -> AbstractContextManager[None]:
        """As ``Engine`` says."""
        return duckdb_errors(name)

    def hashes(
        self, frame: narwhals.LazyFrame[Any], column: str, share: tuple[int, int]
    ) -> NDArray[np.uint64]:
        """As ``Engine`` says; whole numbers are hashed as they are stored, not as texts."""
        cell, (place, shares) = quoted(column), share
        source = self._cheapest(frame, column)
        hashed = source.filter(f"{cell} IS NOT NULL").project(f"hash({cell}) AS h")
        if shares > 1:
            hashed = hashed.filter(f"h % {shares} = {place}")
        hashes: NDArray[np.uint64] = hashed.fetchnumpy()["h"]
        return hashes

    def share_of_rows(
        self,
        frame: narwhals.LazyFrame[Any],
        by: str,
        share: tuple[int, int],
        *,
        coded: bool = False,
    ) -> pa.RecordBatchReader:
        """As ``Engine`` says."""
        rows, (place, shares) = frame.to_native(), share
        kinds = zip(map(quoted, rows.columns), rows.types, strict=True)
        cells = [f"nfc_normalize({c})" if t.id == "varchar" else c for c, t in kinds]
        number = f"CAST('0x' || sha256(nfc_normalize({quoted(by)}))[1:8] AS UINTEGER)"
        where = f"{number} % {shares} = {place}" if shares > 1 else None
        return (
            rows_with_codes(rows, cells, where) if coded else rows_as_they_are(rows, cells, where)
        )

    def meanwhile(self, work: Callable[[], T]) -> AbstractContextManager[Callable[[], T]]:
        """As ``Engine`` says: in a thread, as it needs no Python for what it does."""
        return work_beside(work)

    def held(self, frame: narwhals.LazyFrame[Any]) -> narwhals.LazyFrame[Any]:
        """As ``Engine`` says; DuckDB plans a step anew wherever it is read."""
        rows = frame.to_native()
        if not hasattr(rows, "materialize"):  # before DuckDB 2
            return frame
        held: narwhals.LazyFrame[Any] = narwhals.from_native(rows.materialize())
        return held

    def _cheapest(self, frame: narwhals.LazyFrame[Any], column: str) -> Any:
        stored = self.stored
        if stored is None or stored.types[stored.columns.index(column)].id not in WHOLE_NUMBERS:
            return frame.to_native()
        return stored


def connect(files: Iterable[Path] = (), memory_limit: str = MEMORY_LIMIT) -> Any:
    """Return a private DuckDB connection that reaches nothing but some files.

    No other file, no network, no extension, no stored secret, and no way back: whatever a table
    holds, its engine cannot be talked into reading more. The spill folder goes away with it.

    Args:
        files: the table's own.
        memory_limit: what it may hold before it spills.
    """
    spill, held = held_folder(Path(tempfile.gettempdir()), "prunegate-")
    try:
        connection = _connected(spill, files, memory_limit)
    except BaseException:  # a signal, too, leaves no folder
        _release_spill(spill, held)
        raise
    weakref.finalize(connection, _release_spill, spill, held)
    return connection


def _connected(spill: Path, files: Iterable[Path], memory_limit: str) -> Any:
    """The connection that ``connect`` returns, which spills into a folder."""
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(spill),
            "threads": os.cpu_count() or 1,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
        }
    )
    # on by default in a notebook and under python -c, and printed where a verdict or JSON belongs
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")  # else a moment's name depends on the machine
    names = {name for file in files for name in (str(file), str(file.absolute()))}
    own = sorted(names | set(map(escape_glob, names)))  # as it was found, and as it is asked for
    connection.execute("SET allowed_paths = ?", [own])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _release_spill(spill: Path, held: int) -> None:
    shutil.rmtree(spill, ignore_errors=True)
    os.close(held)


@contextmanager
def duckdb_errors(name: str) -> Iterator[None]:
    """Turn what an engine says about bad data into one TableError about the table ``name``."""
    try:
        yield
    except _OURS:
        raise
    except duckdb.OutOfMemoryException as error:
        raise TableError(
            f"{name}: does not fit in memory (at most {MEMORY_LIMIT}) and the temporary folder; "
            "free disk space there, or give fewer rows."
        ) from error
    except (duckdb.Error, pa.ArrowException) as error:
        raise TableError(f"{name}: {_plain(str(error))}") from error
    except OSError as error:
        raise TableError(f"{name}: cannot be read ({error.strerror or _first(error)}).") from error


@atexit.register
def _release_duckdb() -> None:
    """Empty the cache through which narwhals outlives DuckDB at exit.

    DuckDB 2.0's bindings otherwise print a page about "leaked instances" on stderr, on every run.
    The cache is private, so its absence is no error.
    """
    namespace = getattr(narwhals, "_namespace", None)
    cached = getattr(namespace, "_builtin_namespace", None)
    if clear := getattr(cached, "cache_clear", None):
        clear()


_SAID = {
    "unterminated quote": (
        'a quoted cell does not end; close it, and write a quote inside it as "".'
    ),
    "not utf-8": "not UTF-8 text; save the table with the encoding UTF-8.",
    "Invalid unicode": "not UTF-8 text; save the table with the encoding UTF-8.",
    "Maximum line size": "longer than 2 MB; is a quote missing?",
    "state machine reached an invalid state": (
        "its lines end in different ways (some as Windows writes them), or a quote stands inside a "
        "cell; save the table again."
    ),
}
"""What is wrong, by a part of what an engine says of it."""


def _plain(message: str) -> str:
    """Say in one line what an engine says in twenty."""
    line = re.search(r"CSV Error on Line: (\d+)", message)
    where = f"line {line[1]}: " if line else ""
    if cells := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        return (
            f"{where}expected {cells[1]} columns, found {cells[2]}; quote cells that hold the "
            "delimiter, and give every row a cell per column."
        )
    if json := re.search(r"JSON in file .*? in line (\d+)", message, re.DOTALL):
        return (
            f"near line {json[1]}: not a JSON object on a line of its own; write the table again."
        )
    known = (said for part, said in _SAID.items() if part in message)
    found = next(known, f"cannot be read ({_first(message)}); write the table again.")
    if "invalid utf-8" in message.lower():
        found = _SAID["not utf-8"]
    return f"{where}{found}"


def _first(message: object) -> str:
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    first = lines[0] if lines else "no reason given"
    return first if len(first) <= 200 else first[:197] + "..."
