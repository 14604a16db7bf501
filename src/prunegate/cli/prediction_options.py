"""Options that say where the predictions are: in one table, or in files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.gate_labels import labelled_part, labelling_option, list_inputs, not_together
from prunegate.cli.options import PATH, gathered
from prunegate.cli.written_paths import READ_TABLES
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.audit.record import Input

_KINDS = "CSV, JSON lines, Parquet or Arrow"
_SEPARATE = {
    "labels": (
        "File of labels (and, without --baseline-predictions, of the baseline's answers); with "
        "--labelling, to-label.csv with its labels filled in, one of each round."
    ),
    "baseline_predictions": "File of the baseline's answers.",
    "candidate_predictions": "File of the candidate's answers.",
}


@dataclass(frozen=True, kw_only=True)
class Given:
    """The files that were given, each a path or a glob, any number of each."""

    predictions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    baseline_predictions: tuple[str, ...] = ()
    candidate_predictions: tuple[str, ...] = ()
    labelling: Path | None = None
    """The list that was labelled; None: every row has its label."""
    counts: Path | None = None
    """Joint counts, in place of rows."""

    def inputs(self) -> tuple[Input, ...]:
        """The list and its labels by content; nothing where there is no list."""
        if self.labelling is None:
            return ()
        return list_inputs([Path(path) for path in self.labels], self.labelling)

    @contextmanager
    def readable(self, engine: str) -> Iterator[Any]:
        """The paths as the engine takes them, while it is there.

        Raises:
            InputError: no file was given, or a list without its labels.
        """
        if self.counts is not None:
            yield self._counted(self.counts, engine)
            return
        if self.labelling is not None:
            with self._without_list().readable(engine) as predictions:
                labels = [Path(path) for path in self.labels]
                yield labelled_part(predictions, labels, self.labelling)
            return
        found = {role: list(paths) for role, paths in vars(self).items() if paths}
        if not found:
            raise InputError(
                "give --predictions FILE, or --labels FILE --baseline-predictions FILE "
                "--candidate-predictions FILE, or --counts FILE"
            )
        if engine == "duckdb":
            yield found["predictions"] if list(found) == ["predictions"] else found
            return
        from prunegate.data.predictions.spark_files import SparkFiles
        from prunegate.data.predictions.spark_session import spark_session

        with spark_session() as session:
            files = {
                role: SparkFiles(session=session, paths=tuple(paths))
                for role, paths in found.items()
            }
            yield files["predictions"] if list(files) == ["predictions"] else files

    def _counted(self, counts: Path, engine: str) -> Any:
        others = [name for name, given in vars(self).items() if given and name != "counts"]
        if others or engine != "duckdb":
            other = f"--{others[0].replace('_', '-')}" if others else "--engine spark"
            raise InputError(f"--counts stands for all rows; leave {other} out")
        from prunegate.counting.read_source import JointCountsFile

        return JointCountsFile(path=counts)

    def _without_list(self) -> Given:
        if not self.labels:
            raise not_together()
        return replace(self, labels=(), labelling=None)


prediction_options = gathered(
    Given,
    "given",
    *(
        click.option(
            f"--{role.replace('_', '-')}", role, type=READ_TABLES, multiple=True, help=told
        )
        for role, told in _SEPARATE.items()
    ),
    click.option(
        "--predictions",
        type=READ_TABLES,
        multiple=True,
        help=f"{_KINDS}: a file or a glob; may be given several times.",
    ),
    click.option(
        "--counts",
        type=PATH,
        help="Joint counts in place of rows, as the query of 'prunegate sql' makes them.",
    ),
    labelling_option,
)
"""Where predictions are: in one table, or in files of their own, or counted; as ``given``."""
