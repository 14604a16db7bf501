"""Count: a predictions table -> a tally per slice, by one GROUP BY inside the engine.

The table is read once, only its needed columns, and no row is ever materialised in Python: the
engine returns one line per combination of slicing values, label and decisions. The same pass finds
out whether every row could be read; only when some could not is the table asked for examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from prunegate.counting.class_columns import (
    class_scores,
    listed_scores,
    lists_of_names,
    true_class_columns,
)
from prunegate.counting.column_reading import DIFFERS, ColumnCheck, N, Reading, number
from prunegate.counting.grouping import with_groups
from prunegate.counting.labellable import unlabelled_hint
from prunegate.counting.near_threshold import near_threshold, rounded_below
from prunegate.counting.prediction_files import PredictionFiles
from prunegate.counting.problems import of_check, of_ids, require_none
from prunegate.counting.production_counts import with_production
from prunegate.counting.scored_rows import with_scores
from prunegate.counting.slices import (
    KeyTexts,
    Piece,
    SliceCounts,
    identical,
    same_scores,
    slice_counts,
)
from prunegate.counting.spellings import spellings
from prunegate.counting.tallies import DecidedRows, JointCounts, LabelCounts, Tally
from prunegate.counting.tasks.every import task_of
from prunegate.counting.weighing import (
    looks_like_weights,
    unweighed,
    weight_aggregates,
    weights_in,
)
from prunegate.data.predictions.class_scores import ClassScores
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.lookalikes import hints_of_lookalikes
from prunegate.data.predictions.many_values import MOST, hints, too_many_values
from prunegate.data.predictions.open_table import open_wanted
from prunegate.data.predictions.separate_tables import SeparateTables
from prunegate.data.predictions.spark_files import is_for_spark
from prunegate.data.predictions.table import Kind, Table
from prunegate.data.predictions.uniqueness import duplicate_ids
from prunegate.data.predictions.wanted import WantedColumns
from prunegate.errors import InternalError, MissingColumnsError, TableError, UnsupportedError
from prunegate.policy.schema import Policy
from prunegate.text.said import said

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The tally of every slice and what was noticed while counting."""

    slices: tuple[SliceCounts, ...]
    rows: int
    warnings: tuple[str, ...]


def columns_to_count(policy: Policy) -> tuple[str, ...]:
    """Columns that judging reads, each once; ids are read apart, for uniqueness alone."""
    beside = tuple(name for name in (policy.group, policy.weight) if name is not None)
    return tuple(dict.fromkeys((*value_columns(policy), *policy.keys, *beside)))


def value_columns(policy: Policy) -> tuple[str, ...]:
    """The columns that say what is right and what the models answer."""
    task = task_of(policy)
    models = [task.model_columns(policy, role) for role in ("baseline", "candidate")]
    return (*label_columns(policy), *(column for part in models for column in part))


def label_columns(policy: Policy) -> tuple[str, ...]:
    """The column that says what is right (or, for language, how long the document is)."""
    return task_of(policy).label_columns(policy)


def open_predictions(policy: Policy, source: Any, *, with_ids: bool = False) -> Table:
    """Open a predictions table with just the columns that judging needs.

    Args:
        policy: the policy; its ``data: columns:`` maps the names.
        source: a path, a glob, several paths, or a pandas, Polars, Arrow, DuckDB or Spark frame;
            or ``PredictionFiles``.
        with_ids: also the id column.

    Raises:
        TableError: it cannot be read, is empty, or lacks a column.
    """
    source = PredictionFiles.of(source)
    ids = (policy.columns.id,) if with_ids else ()
    wanted = (*ids, *columns_to_count(policy))
    try:
        return open_columns(policy, source, wanted)
    except MissingColumnsError as error:
        if isinstance(source, PredictionFiles):
            raise
        hint = unlabelled_hint(policy)
        apart = _apart_hint(policy, error.missing)
        if hint and error.missing == (policy.columns.label,):
            raise MissingColumnsError(f"{error}\n  Or: {hint}.", error.missing) from error
        present = [column for column in wanted if column not in error.missing]
        problems = _of_incomplete(policy, open_columns(policy, source, present)) if present else []
        if not problems:
            raise MissingColumnsError(f"{error}{apart}", error.missing) from error
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise TableError(f"{error}{apart}\nBesides:\n{listed}") from error


def open_columns(policy: Policy, source: Any, wanted: Sequence[str]) -> Table:
    """Open a table with some of the policy's columns, each as it is read; raises as above."""
    columns = policy.columns
    values, lists = value_columns(policy), set(lists_of_names(policy))
    apart = isinstance(source, PredictionFiles)
    if apart and lists and source.any_for_spark:
        raise UnsupportedError(
            "several labels a row in files of their own are not joined on Spark; join them there, "
            "and give --predictions with a column for each label"
        )
    spark = bool(lists) and is_for_spark(source)
    if spark:  # which has a column for each label
        wanted = [column for column in wanted if column not in lists]
    group = () if policy.group is None else (policy.group,)
    weight = () if policy.weight is None else (policy.weight,)
    labels = values if task_of(policy).as_text else ()
    text = {columns.id, *policy.keys, *group, *labels, *lists}
    named = {c: names for c, names in spellings(policy).items() if c in wanted}
    derived = {} if spark else dict(class_scores(policy, apart=apart))
    scores = [(c, found) for c, found in derived.items() if isinstance(found, ClassScores)]
    whole = set(values).issubset(wanted)
    of_true = true_class_columns(policy) if whole and scores else {}
    found = WantedColumns(
        names=tuple(dict.fromkeys(wanted)),
        text=frozenset(text.intersection(wanted)),
        numeric=frozenset({*values, *weight}.intersection(wanted) - lists),
        named=named,
        names_rows=frozenset({columns.id, *group}.intersection(wanted)),
        left_out={columns.label: policy.task.ignore} if columns.label in wanted else {},
        intervals={key: how for key, how in policy.intervals.items() if key in wanted},
        answers={
            **{column: found for column, found in derived.items() if column in wanted},
            **listed_scores(policy, scores if of_true else ()),
        },
        of_true=of_true,
    )
    return open_wanted(joined_source(policy, source, found), found)


def _apart_hint(policy: Policy, missing: Sequence[str]) -> str:
    """That a model's answers, which a table lacks, may lie in a file of their own."""
    columns = policy.columns
    if not set(missing) <= {columns.baseline, columns.candidate}:
        return ""
    return (
        "\n  Or: where a model's answers lie in a file of their own, give --labels, "
        "--baseline-predictions and --candidate-predictions in place of --predictions."
    )


def joined_source(policy: Policy, source: Any, wanted: WantedColumns) -> Any:
    """A source of several files with what each of them gives; any other as it is."""
    if not isinstance(source, PredictionFiles):
        return source
    tables = source.tables(policy, wanted, label_columns(policy))
    given = {column for table in tables for column in (*table.columns, *table.answers)}
    return SeparateTables(
        tables=tables,
        id=policy.columns.id,
        shared=tuple(name for name in wanted.names if name not in given),
        repeated=(policy.columns.label,) if policy.columns.label in wanted.names else (),
        named=wanted.named,
    )


def _of_incomplete(policy: Policy, table: Table) -> list[str]:
    """What is wrong with the columns that are there, where others are missing."""
    kinds: dict[str, Kind] = dict.fromkeys(columns_to_count(policy), "text")
    reading = task_of(policy).reading(policy, replace(table, kinds={**kinds, **table.kinds}))
    checks = [check for check in reading.checks() if check.column in table.kinds]
    sums = [_broken_rows(check).alias(_broken(place)) for place, check in enumerate(checks)]
    problems = []
    if checks:
        with table.reading():
            line = table.frame.select(*sums).collect().rows()[0]
        found = zip(checks, line, strict=True)
        problems = [of_check(reading, check, int(rows)) for check, rows in found if rows]
    return problems + _of_ids(reading)


def _of_ids(reading: Reading, known: Callable[[], bool] | None = None) -> list[str]:
    column = reading.policy.columns.id
    if column not in reading.table.kinds:
        return []
    try:
        if known is not None and known():
            return []
    except TableError:  # of an id that is missing, perhaps: then that is what is told
        if found := of_ids(column, duplicate_ids(reading.table, column)):
            return found
        raise
    return of_ids(column, duplicate_ids(reading.table, column))


def _broken_rows(check: ColumnCheck) -> nw.Expr:
    return check.broken.cast(nw.Int32).sum()


def count_table(
    policy: Policy,
    table: Table,
    reading: Reading | None = None,
    *,
    most: int | None = MOST,
    ids_differ: Callable[[], bool] | None = None,
) -> Counted:
    """The tally of every slice of the policy; ids are checked where the table has them.

    Args:
        policy: the policy.
        table: opened with the columns that it needs.
        reading: how to read them; None: as the policy's task does.
        most: slices of one entry that are still to be judged; None: however many there are.
        ids_differ: asked once all else is readable whether each row is known to have an id of its
            own; None, no or an error: the ids are looked through here.

    Raises:
        TableError: listing everything that keeps the table from being judged: rows that cannot be
            read, labels that the task does not have, repeated ids, empty slicing values.
    """
    task = task_of(policy)
    reading = reading or task.reading(policy, table)
    lines = _grouped(reading)
    many = [] if most is None else too_many_values(policy, lines, most)
    problems = _problems(reading, lines)
    known = None if problems or many else ids_differ
    require_none(table.name, [*problems, *_of_ids(reading, known), *many])
    texts = KeyTexts(keys=policy.keys)
    slices = slice_counts(policy, _pieces(reading, texts, lines))
    rows = slices[0].rows
    return Counted(
        slices=with_production(
            policy, with_scores(reading, texts, with_groups(reading, texts, slices))
        ),
        rows=rows,
        warnings=(
            *_identical(policy, lines, rows),
            *task.warnings(policy, slices[0].tally),
            *hints(policy, lines),
            *hints_of_lookalikes(policy, lines),
            *_near_thresholds(reading, lines),
            *_of_one_label(policy, slices[0].tally),
            *_unweighed(policy, table),
            *_ignored_nowhere(table),
        ),
    )


def _ignored_nowhere(table: Table) -> tuple[str, ...]:
    """The warning of labels to leave out that no row has: a slip of the policy, perhaps."""
    absent = [shown(label) for label, rows in table.ignored.items() if not rows]
    if not absent:
        return ()
    return (said("warning.ignored", labels=", ".join(absent)),)


def _of_one_label(policy: Policy, overall: Tally) -> tuple[str, ...]:
    """The warning of a table in which every row has the same label."""
    kinds = (JointCounts, LabelCounts)
    if (
        not isinstance(overall, kinds)
        or not overall.one_class
        or policy.evidence.reference == "off"
    ):
        return ()
    return (said("warning.one_label", rows=overall.rows),)


def _unweighed(policy: Policy, table: Table) -> tuple[str, ...]:
    """The warning of a column that is called as weights are, where the policy names none."""
    found = looks_like_weights(table.beside)
    if policy.weight is not None or found is None or not policy.task.traits.decided:
        return ()
    return (unweighed(found),)


def _grouped(reading: Reading) -> Rows:
    broken = {
        _broken(place): _broken_rows(check)
        for place, check in enumerate(reading.checks())
        if check.empty is None
    }
    weights = {} if reading.weighing is None else weight_aggregates()
    near = {
        _near(place): found.sum()
        for place, (column, threshold) in enumerate(reading.thresholds().items())
        if (found := rounded_below(number(column), threshold)) is not None
    }
    counted = reading.grouped({**weights, **broken, **near})
    with reading.table.reading():
        return counted.collect().rows(named=True)


def _near(place: int) -> str:
    return f"prunegate__near_{place}"


def _near_thresholds(reading: Reading, lines: Rows) -> Iterator[str]:
    """The warnings of scores that lost the threshold to the rounding of 32 bits."""
    for place, (column, threshold) in enumerate(reading.thresholds().items()):
        if rows := sum(int(line.get(_near(place)) or 0) for line in lines):
            yield near_threshold(column, rows, threshold)


def _broken(place: int) -> str:
    return f"prunegate__broken_{place}"


def _problems(reading: Reading, lines: Rows) -> list[str]:
    problems, failed = [], set()
    for place, check in enumerate(reading.checks()):
        rows = sum(_failing(check, place, line) for line in lines)
        if rows:
            problems.append(of_check(reading, check, rows))
            failed.add(check.column)
    return problems + reading.second_look(lines, failed)


def _failing(check: ColumnCheck, place: int, line: dict[str, Any]) -> int:
    """Rows of a line that fail a check."""
    if check.empty is None:
        return int(line[_broken(place)] or 0)
    return int(line[N]) if line[check.empty] in (None, "") else 0


def _pieces(reading: Reading, texts: KeyTexts, lines: Rows) -> Iterator[Piece]:
    keys = reading.policy.keys
    for line in lines:
        yield Piece(values=texts.of([line[key] for key in keys]), tally=_tally(reading, line))


def _tally(reading: Reading, line: dict[str, Any]) -> Tally:
    """A line of the engine's answer as a tally, with the weights of its rows if they have any."""
    tally = reading.tally(line)
    if reading.weighing is None:
        return tally
    if not isinstance(tally, DecidedRows):
        raise InternalError(f"{tally.what} have no weights, and the policy was not refused")
    return replace(tally, weights=weights_in(line, reading.cell(line), reading.weighing.step))


def _identical(policy: Policy, lines: Rows, rows: int) -> tuple[str, ...]:
    if any(line[DIFFERS] for line in lines):
        return ()
    return (same_scores(rows) if policy.task.moved else identical(rows),)


def warned_if_alike(slices: Sequence[SliceCounts]) -> tuple[str, ...]:
    """The warning of models that agree exactly, from counts; nothing where they do not."""
    overall = slices[0]
    return (identical(overall.rows),) if overall.tally.agree else ()
