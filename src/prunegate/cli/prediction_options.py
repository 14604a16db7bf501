"""Options that say where the predictions are: in one table, or in files of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from prunegate.errors import InputError

_KINDS = "CSV, JSON lines, Parquet or Arrow"
_SEPARATE = {
    "labels": "File of labels (and, without --baseline-predictions, of the baseline's answers).",
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

    @contextmanager
    def readable(self, engine: str) -> Iterator[Any]:
        """The paths as the engine takes them, while it is there.

        Raises:
            InputError: no file was given, or Spark is to join several.
        """
        found = {role: list(paths) for role, paths in vars(self).items() if paths}
        if not found:
            raise InputError(
                "give --predictions FILE, or --labels FILE --baseline-predictions FILE "
                "--candidate-predictions FILE"
            )
        if engine == "duckdb":
            yield found["predictions"] if list(found) == ["predictions"] else found
            return
        if list(found) != ["predictions"]:
            raise InputError(
                "files of their own are joined without --engine spark; leave it out, or join them "
                "in Spark and give --predictions"
            )
        from prunegate.data.predictions.spark_files import SparkFiles
        from prunegate.data.predictions.spark_session import spark_session

        with spark_session() as session:
            yield SparkFiles(session=session, paths=self.predictions)


def prediction_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --predictions, --labels and the two models' files; the command gets one ``Given``."""

    @click.option(
        "--predictions",
        multiple=True,
        help=f"{_KINDS}: a file or a glob; may be given several times.",
    )
    @wraps(function)
    def command(**arguments: Any) -> Any:
        given = Given(
            predictions=arguments.pop("predictions"),
            **{role: arguments.pop(role) for role in _SEPARATE},
        )
        return function(given=given, **arguments)

    for role, words in reversed(_SEPARATE.items()):
        option = f"--{role.replace('_', '-')}"
        command = click.option(option, role, multiple=True, help=words)(command)
    return command
