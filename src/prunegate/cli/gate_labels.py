"""Labels of some rows: the option for their list, and what is behind it and the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import PATH
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.audit.record import Input

labelling_option: Callable[..., Any] = click.option(
    "--labelling",
    type=PATH,
    help="labelling.json of 'prunegate label', where only the rows of its list have labels.",
)


def labelled_part(predictions: Any, labels: Sequence[Path], labelling: Path | None) -> Any:
    """The predictions with the labels of some rows; as they were where neither file is given.

    Raises:
        InputError: one was given without the other.
    """
    if not labels and labelling is None:
        return predictions
    if not labels or labelling is None:
        raise not_together()
    from prunegate.counting.labelled_part import LabelledPart

    return LabelledPart(predictions=predictions, labels=tuple(labels), frame=labelling)


def not_together() -> InputError:
    """Labels without their list, or a list without its labels."""
    return InputError(
        "--labels and --labelling go together: give to-label.csv with its labels filled in, "
        "and the labelling.json beside it"
    )


def list_inputs(labels: Sequence[Path], labelling: Path) -> tuple[Input, ...]:
    """The files by content, in the roles that a record names them by."""
    from prunegate.audit.record import Input
    from prunegate.io.hashing import file_sha256

    files = [*(("label_list", path) for path in labels), ("labelling", labelling)]
    return tuple(Input(role=role, name=path.name, sha256=file_sha256(path)) for role, path in files)
