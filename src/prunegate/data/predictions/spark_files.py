"""Files that Spark reads: paths, globs and folders on any file system that Spark knows.

Spark finds the files; what they hold is read as everywhere here (``csv.py``): every CSV cell
as the text it is, an empty cell missing, a column that is asked for as a number one if all of it is
numbers; the delimiter is the first of comma, semicolon, tab and bar under which the header has the
columns needed. Quoted cells may hold line ends, so Spark reads each CSV file in one task: write
large tables as Parquet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import narwhals as nw
from narwhals import dependencies

from prunegate.data.predictions.columns import DELIMITERS, match_columns
from prunegate.errors import TableError

_FORMATS: dict[str, Literal["csv", "parquet"]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = {".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate"}
_DIALECT = {
    "quote": '"',
    "escape": '"',
    "multiLine": True,
    "encoding": "UTF-8",
    # Ragged rows, open quotes and headers that differ are errors, and columns that nobody asked for
    # are parsed too: Spark finds a ragged row only where it looks at all of it.
    "mode": "FAILFAST",
    "unescapedQuoteHandling": "RAISE_ERROR",
    "columnPruning": False,
    "enforceSchema": False,
}
_NUMBER = r"\A\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|(?i:nan|inf|infinity))\s*\z"
_WHOLE = r"\A\s*[+-]?\d{1,18}\s*\z"
_UNDECODED = "\ufffd"
"""What Spark puts for bytes that are not UTF-8."""


@dataclass(frozen=True, kw_only=True)
class SparkFiles:
    """Paths to be read by a Spark session."""

    session: Any
    paths: tuple[str, ...]
    """As Spark takes them: files, globs, folders, with or without a scheme; at least one."""

    @property
    def name(self) -> str:
        """For messages and the record."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"


def is_for_spark(source: object) -> bool:
    """Whether Spark computes a source; imports nothing to find out."""
    if isinstance(source, SparkFiles):
        return True
    frame: Any = nw.to_native(source, pass_through=True)
    return dependencies.is_pyspark_dataframe(frame) or dependencies.is_pyspark_connect_dataframe(
        frame
    )


def scan_files(
    source: SparkFiles, wanted: Sequence[str], numeric: frozenset[str]
) -> tuple[Any, tuple[Path, ...]]:
    """Find the files and return the wanted columns as a lazy Spark frame, CSV's as text or numbers.

    Returns:
        The frame, and the files if all of them are local, else none.

    Raises:
        TableError: no files, of several or unknown kinds, or their columns do not do.
        pyspark.errors.PySparkException: what Spark says (see ``spark.spark_errors``).
    """
    paths = [_spelled(path) for path in source.paths]
    files = source.session.read.text(paths).inputFiles()
    if _format(files, source.name) == "csv":
        frame = _numbers(_csv(source, paths, wanted), wanted, numeric, source.name)
    else:
        frame = select_columns(source.session.read.parquet(*paths), wanted, source.name)
    return frame, _local(files)


def columns_of(source: SparkFiles, wanted: Sequence[str]) -> Sequence[str]:
    """Every column name of a table, of which some are wanted; raises as ``scan_files``."""
    paths = [_spelled(path) for path in source.paths]
    files = source.session.read.text(paths).inputFiles()
    if _format(files, source.name) == "csv":
        return _header(source, paths, wanted)[1]
    names: Sequence[str] = source.session.read.parquet(*paths).columns
    return names


def select_columns(frame: Any, wanted: Sequence[str], name: str) -> Any:
    """Keep the wanted columns of a Spark frame, under the names wanted.

    Raises:
        TableError: missing or clashing columns, or a name that means something to Spark.
    """
    found = match_columns(wanted, frame.columns, name)
    for column in wanted:
        if set(column) & set(".`*"):
            raise TableError(
                f"{name}: the column name {column!r} holds a character that Spark takes for "
                "something else (one of . ` *); rename the column and name it so in the policy."
            )
    return frame.selectExpr(
        *(f"{sql_name(spelt)} AS {sql_name(name)}" for name, spelt in found.items())
    )


def sql_name(name: str) -> str:
    """Return a column name as a Spark SQL identifier.

    >>> print(sql_name("a ` b"))
    `a `` b`
    """
    return "`" + name.replace("`", "``") + "`"


def _spelled(path: str) -> str:
    """Take a path that exists literally, even if its name holds glob characters."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path) if os.path.lexists(path) else path


def _format(files: Sequence[str], name: str) -> Literal["csv", "parquet"]:
    suffixes = {_suffix(file) for file in files}
    if not suffixes:
        raise TableError(f"{name}: no files there; check the path.")
    if unknown := sorted(suffixes - _FORMATS.keys()):
        raise TableError(
            f"{name}: Spark is not asked to read tables of kind '{unknown[0]}'; write CSV (.csv, "
            ".tsv) or Parquet (.parquet)."
        )
    formats = {_FORMATS[suffix] for suffix in suffixes}
    if len(formats) > 1:
        kinds = ", ".join(sorted(formats))
        raise TableError(f"the files have different formats ({kinds}); give files of one format.")
    return formats.pop()


def _suffix(file: str) -> str:
    path = PurePosixPath(urlsplit(file).path.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in _PACKED else path.suffix


def _local(files: Sequence[str]) -> tuple[Path, ...]:
    parts = [urlsplit(file) for file in files]
    if any(part.scheme != "file" for part in parts):
        return ()
    return tuple(sorted(Path(unquote(part.path)) for part in parts))


def _csv(source: SparkFiles, paths: list[str], wanted: Sequence[str]) -> Any:
    """The wanted columns of CSV files as text, empty cells as null."""
    from pyspark.sql.types import StringType, StructField, StructType

    _require_closed_quotes(source, paths)
    delimiter, header = _header(source, paths, wanted)
    match_columns(wanted, header, source.name)  # before Spark refuses names that clash
    schema = StructType([StructField(name, StringType()) for name in header])
    reader = source.session.read.options(**_DIALECT, sep=delimiter, header=True)
    return select_columns(reader.schema(schema).csv(paths), wanted, source.name)


def _require_closed_quotes(source: SparkFiles, paths: list[str]) -> None:
    """Refuse a file with an odd number of quotes: Spark takes all behind an open one for a cell."""
    quotes = "length(value) - length(replace(value, '\"', '')) AS quotes"
    lines = source.session.read.text(paths).selectExpr("_metadata.file_path AS file", quotes)
    odd = lines.groupBy("file").sum("quotes").where("`sum(quotes)` % 2 = 1").head(1)
    if odd:
        raise TableError(
            f"{odd[0][0]}: an odd number of quotes; close every quoted cell, quote every cell that "
            'holds a quote, and write that quote as "".'
        )


def _header(source: SparkFiles, paths: list[str], wanted: Sequence[str]) -> tuple[str, list[str]]:
    """Return the delimiter and the header's cells."""
    headers = {}
    for delimiter in DELIMITERS:
        reader = source.session.read.options(**_DIALECT, sep=delimiter, header=False)
        header = [name or "" for record in reader.csv(paths).head(1) for name in record]
        if set(wanted) <= set(header):
            return delimiter, header
        headers[delimiter] = header
    delimiter, header = max(headers.items(), key=lambda item: len(item[1]))
    if not any(header):
        raise TableError(
            f"{source.name}: the first line is empty; it has to hold the column names."
        )
    return delimiter, header


def _numbers(frame: Any, wanted: Sequence[str], numeric: frozenset[str], name: str) -> Any:
    """Turn each column asked for as a number into one if every cell is, in one pass over all."""
    asked = [column for column in wanted if column in numeric]
    undecoded = " OR ".join(f"contains({sql_name(column)}, '{_UNDECODED}')" for column in wanted)
    tests = [f"count_if({undecoded})"]
    for text in map(sql_name, asked):
        others = (f"count_if(NOT rlike({text}, r'{pattern}'))" for pattern in (_NUMBER, _WHOLE))
        tests += [f"count({text})", *others]
    broken, *found = frame.selectExpr(*tests).head()
    if broken:
        raise TableError(
            f"{name}: not UTF-8 text in {broken:,} rows (or the character U+FFFD, which Spark puts "
            "for such bytes); save the table with the encoding UTF-8."
        )
    types = {
        column: _number_type(*found[3 * place : 3 * place + 3])
        for place, column in enumerate(asked)
    }
    return frame.selectExpr(
        *(
            f"try_cast({sql_name(column)} AS {types.get(column, 'STRING')}) AS {sql_name(column)}"
            for column in wanted
        )
    )


def _number_type(cells: int, others: int, fractions: int) -> str:
    """BIGINT keeps long integer labels exact; as in DuckDB's table, ``1_000`` is no number."""
    if cells == 0 or others:
        return "STRING"
    return "DOUBLE" if fractions else "BIGINT"
