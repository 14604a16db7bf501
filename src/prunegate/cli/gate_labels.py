"""The options for labels of some rows (``gate``, ``audit replay``), and what is behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.audit.record import Input


def labelling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --labels and --labelling."""
    function = click.option(
        "--labelling",
        type=click.Path(path_type=Path),
        help="labelling.json of 'prunegate label', where only the rows of its list have labels.",
    )(function)
    return click.option(
        "--labels",
        type=click.Path(path_type=Path),
        help="to-label.csv with its labels filled in; goes with --labelling.",
    )(function)


def labelled_part(
    predictions: Any, labels: Path | None, labelling: Path | None
) -> tuple[Any, tuple[Input, ...]]:
    """The predictions with the labels of some rows, and both files by content.

    Where neither is given every row has its label, and the predictions are as they were.

    Raises:
        InputError: one was given without the other, or cannot be read.
    """
    if labels is None and labelling is None:
        return predictions, ()
    if labels is None or labelling is None:
        raise InputError(
            "--labels and --labelling go together: give to-label.csv with its labels filled in, "
            "and the labelling.json beside it"
        )
    from prunegate.audit.record import Input
    from prunegate.counting.labelled_part import LabelledPart
    from prunegate.io.hashing import file_sha256

    behind = tuple(
        Input(role=role, name=path.name, sha256=file_sha256(path))
        for role, path in (("labels", labels), ("labelling", labelling))
    )
    part = LabelledPart(predictions=predictions, labels=labels, frame=labelling)
    return part, behind
