"""Spark: a Spark frame as a table, counted inside Spark.

Columns are handed over in the same meaning as DuckDB's (``tables.py``): text, number or boolean,
the same texts for the same numbers. Nothing but counts, and the few rows that a message or the
report shows, comes to the driver. The frame is computed anew for every question (about four times a
gate), so one that gives other rows each time has to be stored first.

Works on classic Spark frames and on Spark Connect's.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import narwhals as nw

from prunegate.data.predictions.separate_tables import SeparateTables
from prunegate.data.predictions.spark_cells import cell_sql, kind_in_spark
from prunegate.data.predictions.spark_files import SparkFiles, scan_files, select_columns, sql_name
from prunegate.data.predictions.spark_join import join_frames, spark_name
from prunegate.data.predictions.table import Kind, Table, require_rows
from prunegate.data.predictions.wanted import WantedColumns
from prunegate.errors import TableError, UnsupportedError
from prunegate.io.beside import work_later

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Spark:
    """The engine of a Spark frame; the session is the user's."""

    def reading(self, name: str) -> AbstractContextManager[None]:
        """As ``Engine`` says."""
        return spark_errors(name)

    def meanwhile(self, work: Callable[[], T]) -> AbstractContextManager[Callable[[], T]]:
        """The work is done when it is asked for: a session tells each thread what it says."""
        return work_later(work)

    def hashes(self, frame: nw.LazyFrame[Any], column: str, share: tuple[int, int]) -> None:
        """None: the values would have to come to the driver."""
        del frame, column, share

    def share_of_rows(
        self, frame: nw.LazyFrame[Any], by: str, share: tuple[int, int], *, coded: bool = False
    ) -> None:
        """None: the rows would have to come to the driver."""
        del frame, by, share, coded

    def held(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """As it is: what a session keeps is for whoever owns it to say."""
        return frame


def open_spark(source: Any, wanted: WantedColumns) -> Table:
    """Open a Spark frame, or files to be read by Spark, as a table.

    Args:
        source: what ``spark_files.is_for_spark`` says yes to, or ``SeparateTables`` of such.
        wanted: as of ``open_wanted``.

    Raises:
        TableError: as ``open_table``.
        UnsupportedError: the policy leaves rows out, or puts numbers into intervals.
    """
    if any(wanted.left_out.values()) or wanted.intervals or wanted.answers:
        raise UnsupportedError(
            "'ignore', 'scores', 'bins', 'quantiles' and 'every' are not built for Spark; prepare "
            "the column in Spark, or judge without --engine spark"
        )
    name = spark_name(source)
    files: tuple[Path, ...] = ()
    roles: tuple[str, ...] = ()
    with spark_errors(name):
        if isinstance(source, SeparateTables):
            frame, files, roles = join_frames(source, wanted.numeric)
        elif isinstance(source, SparkFiles):
            frame, files = scan_files(source, wanted.names, wanted.numeric)
        else:
            frame = select_columns(nw.to_native(source, pass_through=True), wanted.names, name)
        single = {
            field.name for field in frame.schema.fields if field.dataType.typeName() == "float"
        }
        frame, kinds = _typed(frame, name, wanted.text)
        rows = int(frame.count())
    require_rows(rows, name)
    return Table(
        name=name,
        frame=nw.from_native(frame),
        kinds=kinds,
        rows_hint=rows,
        files=files,
        engine=Spark(),
        roles=roles,
        singles=frozenset(column for column in single if kinds[column] == "number"),
    )


@contextmanager
def spark_errors(name: str) -> Iterator[None]:
    """Turn what Spark says about bad data into one TableError about the table ``name``.

    Raises:
        TableError: in the place of them.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        with _hushed():
            yield
    except (PySparkException, Py4JError) as error:
        raise TableError(f"{name}: {spark_error_in_words(error)}") from error


def spark_error_in_words(error: Exception) -> str:
    """Say in one line what Spark says in a hundred: the file, if it names one, and the cause."""
    lines = [_first(message) for message in _messages(error)]
    cause = lines[-1]
    file = next((found[1] for line in lines if (found := _FILE.search(line))), None)
    where = f"{file}: " if file and file not in cause else ""
    if "Malformed CSV record" in cause or "Unescaped quote" in cause:
        said = cause.partition(". To allow")[0]
        return (
            f"{where}{said}; quote cells that hold the delimiter, close every quote, and give "
            "every row a cell per column."
        )
    if "CSV header does not conform" in cause:
        return (
            f"{where}its columns differ from those of the other files; give files with the same "
            "columns in the same order."
        )
    if "Path does not exist" in cause:
        return f"{cause}; check the path."
    return f"{where}Spark cannot read it ({cause}); correct the table or the query behind it."


def spark_cause(error: Exception) -> str:
    """The first cause of an error of Spark's in a line: of a Python function, its own error."""
    return _first(_messages(error)[-1])


_FILE = re.compile(r"while reading file (\S+?)\.?(\s|$)")
_CONDITION = re.compile(r"^\[[A-Z_.0-9]+\] |(^| )SQLSTATE: \w+\s*$")


def _messages(error: Exception) -> list[str]:
    """Messages from the outermost error to its cause."""
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    messages = []
    while java is not None:
        messages.append(str(java.getMessage() or java.getClass().getSimpleName()))
        java = java.getCause()
    return messages or [str(error)]


def _first(message: str) -> str:
    """The first line that says something; of a Python traceback, the last."""
    lines = [line.strip() for line in message.splitlines() if line.strip()] or ["no reason given"]
    said = [_CONDITION.sub("", line) for line in lines]
    traceback = any("Traceback (most recent call last)" in line for line in lines)
    text = next((line for line in reversed(said) if line), "") if traceback else said[0]
    return text.rstrip(".") if len(text) <= 200 else text[:197] + "..."


@contextmanager
def _hushed() -> Iterator[None]:
    """Without Spark's own account of errors on stderr, and what it says of a pandas unused here."""
    from pyspark.logger import PySparkLogger

    loggers = [
        PySparkLogger.getLogger(f"{kind}QueryContextLogger") for kind in ("SQL", "DataFrame")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _typed(frame: Any, name: str, as_text: frozenset[str]) -> tuple[Any, dict[str, Kind]]:
    """Cast each column to what it is handed over as; refuse what is no single value."""
    kinds: dict[str, Kind] = {}
    cells = []
    for field in frame.schema.fields:
        column, spark = field.name, field.dataType.typeName()
        found = kind_in_spark(spark, column, name)
        kinds[column] = "text" if column in as_text else found
        cells.append(f"{cell_sql(sql_name(column), spark, kinds[column])} AS {sql_name(column)}")
    return frame.selectExpr(*cells), kinds
