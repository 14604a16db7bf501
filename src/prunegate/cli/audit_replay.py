"""``prunegate audit replay``: count the stored predictions again; any difference is exit 6."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from prunegate.cli.gate_labels import labelled_part, labelling_option
from prunegate.cli.options import PATH, audit_option, json_option
from prunegate.cli.printed_json import echo_json


@click.command("replay", short_help="Count the predictions again and compare every number.")
@click.argument("record")
@click.option(
    "--predictions",
    multiple=True,
    help="The files that were judged: a path or a glob; may be given several times [default: "
    "those kept under evidence/ in the audit folder].",
)
@audit_option
@click.option(
    "--labels",
    type=PATH,
    multiple=True,
    help="to-label.csv with its labels filled in, one of each round; goes with --labelling.",
)
@labelling_option
@json_option("Print what was replayed as JSON.")
def command(
    *,
    record: str,
    predictions: tuple[str, ...],
    audit: Path,
    labels: tuple[Path, ...],
    labelling: Path | None,
    as_json: bool,
) -> int:
    """Work out RECORD (a file, or a digest in the audit folder) again from its predictions.

    The files have to be the very ones that the record names by sha256. Counts, statistics, verdict
    and every number of every finding have to come out as they stand there, and the second opinion
    (Great Expectations) is asked again.

    \b
    Exit codes: 0 no difference, 6 a difference or other files, 2 bad input.

    \b
    Example:
      prunegate audit replay 1f2e3d4c5b6a --predictions predictions.parquet
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain_json
    from prunegate.audit.read import stored_record
    from prunegate.audit.replay import find_record, replay, stored_predictions
    from prunegate.text.escape import escaped

    stored = stored_record(find_record(record, audit))
    kept = nullcontext(list(predictions)) if predictions else None
    with kept or stored_predictions(stored.record, audit) as paths:
        found = replay(stored, labelled_part(paths, labels, labelling))
    if as_json:
        echo_json(plain_json(found))
        return 0
    told = f"; {found.rounded:,} numbers differ in their last digits" if found.rounded else ""
    files = "1 file" if found.files == 1 else f"{found.files:,} files"
    click.echo(
        f"REPLAYED  {found.outcome}: {found.rows:,} rows of {files} counted again, "
        f"{found.findings:,} findings worked out again, no difference{told}; "
        f"{escaped(found.opinion.engine)}, asked again, agrees by {found.opinion.expectations} laws"
    )
    return 0
