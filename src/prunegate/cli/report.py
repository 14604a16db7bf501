"""``prunegate report``: make the HTML report again from a record."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report", short_help="Make the HTML report again from a record.")
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="HTML file to write [default: report.html beside the record].",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Folder that the flipped rows' image paths start from; without it they show no picture.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(record: Path, out: Path | None, images: Path | None, force: bool) -> int:
    """Render RECORD (a record.json, or a file under audit/pending) as a self-contained HTML file.

    \b
    Example:
      prunegate report reports/my-policy/1f2e3d4c5b6a/record.json --force
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.read import read_record
    from prunegate.data.thumbnails import thumbnail
    from prunegate.errors import InputError
    from prunegate.outputs.write import write_whole
    from prunegate.report import render

    found, digest = read_record(record)
    target = out or record.parent / "report.html"
    if target.exists() and not force:
        raise InputError(f"{target} exists; choose another --out, or add --force")
    pictures = {}
    if images is not None:
        pictures = {f.id: thumbnail(images / f.image) for f in found.flips if f.image}
    write_whole(target, render(found, digest=digest, pictures=pictures).encode())
    click.echo(f"report: {target}")
    return 0
