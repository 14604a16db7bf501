"""``prunegate report`` of several records: every one is checked before the page is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from prunegate.audit.read import StoredRecord


def write_comparison(records: Sequence[Path], out: Path, *, force: bool) -> int:
    """Write one page of several records.

    Raises:
        EvidenceError: a record is not what it has to be; all that is wrong is told.
        InputError: a file is no record, all are one and the same, or there are too many.
    """
    from prunegate.errors import InputError
    from prunegate.io.atomic import PAGE, require_new, write_whole
    from prunegate.report.comparison import render_comparison
    from prunegate.report.comparison.render_comparison import MOST_RECORDS

    require_new(out, force=force, kind=PAGE)
    if len(records) > MOST_RECORDS:
        raise InputError(
            f"{len(records)} records are more than a page holds that is read; give at most "
            f"{MOST_RECORDS}"
        )
    found = _each_once(_checked(records))
    write_whole(out, render_comparison(found).encode())
    click.echo(f"comparison of {len(found)} records: {out}")
    return 0


def _checked(records: Sequence[Path]) -> list[tuple[Path, StoredRecord]]:
    """Every record; what is wrong with any of them is told together."""
    from prunegate.audit.read import stored_record
    from prunegate.errors import EvidenceError, InputError

    found, unread, broken = [], [], []
    for path in records:
        try:
            found.append((path, stored_record(path)))
        except InputError as error:
            unread.append(str(error))
        except EvidenceError as error:
            broken.append(str(error))
    if broken:
        raise EvidenceError("\n".join([*broken, *unread]))
    if unread:
        raise InputError("\n".join(unread))
    return found


def _each_once(found: Sequence[tuple[Path, StoredRecord]]) -> list[StoredRecord]:
    """The records, of which one that was given twice is shown once."""
    from prunegate.errors import InputError

    paths: dict[str, Path] = {}
    once = []
    for path, stored in found:
        if stored.digest in paths:
            click.echo(f"{path} is the record of {paths[stored.digest]}: shown once", err=True)
            continue
        paths[stored.digest] = path
        once.append(stored)
    if len(once) == 1:
        raise InputError(
            f"all of them are one record (sha256 {once[0].digest[:12]}...), and there is nothing "
            "to compare; give another record, or this one alone for its report"
        )
    return once
