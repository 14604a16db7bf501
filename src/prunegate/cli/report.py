"""``prunegate report``: make the HTML report again from a record, or compare several records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import PATH, force_option
from prunegate.cli.report_comparison import write_comparison
from prunegate.cli.written_paths import WRITTEN, PathsApart, require_apart

if TYPE_CHECKING:
    from prunegate.audit.read import StoredRecord
    from prunegate.audit.record import DecisionRecord


@click.command(
    "report", cls=PathsApart, short_help="Make the HTML report again, or compare several records."
)
@click.argument("records", type=PATH, nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=WRITTEN,
    help="HTML file to write [default: report.html beside the record; of several comparison.html].",
)
@click.option(
    "--images",
    type=PATH,
    help="Folder that the flipped rows' image paths start from; without it they show no picture.",
)
@click.option(
    "--audit",
    type=PATH,
    help="Make a copy that tells whose answers this audit folder holds; needs --out.",
)
@click.option(
    "--model-card",
    type=WRITTEN,
    help="Write a Hugging Face model card here (README.md), and no page without --out.",
)
@click.option(
    "--bom",
    type=WRITTEN,
    help="Write a CycloneDX 1.6 bill of materials here (JSON), and no page without --out.",
)
@click.option(
    "--candidate",
    type=PATH,
    help="The candidate's folder, whose files --bom lists [default: candidate beside the record].",
)
@force_option
def command(  # noqa: PLR0913  # one argument per option
    *,
    records: tuple[Path, ...],
    out: Path | None,
    images: Path | None,
    audit: Path | None,
    model_card: Path | None,
    bom: Path | None,
    candidate: Path | None,
    force: bool,
) -> int:
    """Render RECORDS (record.json, or a file under audit/evidence) as one offline HTML file.

    One record makes its report again. Several make a comparison: candidates side by side, or the
    history of one model, limit by limit.

    \b
    Examples:
      prunegate report reports/my-policy/1f2e3d4c5b6a/record.json --force
      prunegate report reports/my-policy/*/record.json --out comparison.html
      prunegate report record.json --model-card candidate/README.md --bom bom.cdx.json
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.read import record_file, stored_record
    from prunegate.errors import InputError

    papers = any(one is not None for one in (model_card, bom, candidate))
    if len(records) > 1:
        if papers or images is not None or audit is not None:
            raise InputError("only --out and --force go with several records; leave the rest out")
        return write_comparison(records, out or Path("comparison.html"), force=force)
    record = record_file(records[0])
    if audit is not None:
        if papers:
            raise InputError("--audit makes a copy of the page; ask for the other files without it")
        return _copy(record, audit, out, force=force)
    stored = stored_record(record)
    beside = _Beside(stored=stored, folder=record.parent, candidate=candidate, force=force)
    made = beside.papers(model_card, bom)
    if not papers or out is not None or images is not None:
        made |= {"report": beside.page(out or record.parent / "report.html", images)}
    _write(made, record)
    if "report" in made and images is None and stored.record.pictures:
        click.echo(
            f"  without pictures ({len(stored.record.pictures)} in the record): add --images FOLDER"
        )
    return 0


def _write(made: Mapping[str, tuple[Path, bytes]], record: Path) -> None:
    """Write files that were all made, each into a place of its own."""
    from prunegate.io.atomic import write_whole

    options = {"report": "--out", "bill": "--bom", "model card": "--model-card"}
    require_apart({options[kind]: path for kind, (path, _) in made.items()}, {"RECORD": [record]})
    for kind, (path, content) in made.items():
        write_whole(path, content)
        click.echo(f"{kind}: {path}")


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What is made of one record; nothing is written yet."""

    stored: StoredRecord
    folder: Path
    """The record's."""
    candidate: Path | None
    force: bool

    def page(self, target: Path, images: Path | None) -> tuple[Path, bytes]:
        """The record's page."""
        from prunegate.io.atomic import PAGE, require_new
        from prunegate.report import render

        stored = self.stored
        own = self.folder / "report.html"  # also a damaged one is made anew
        require_new(target, force=self.force, kind=b"" if target == own else PAGE)
        pictures = {} if images is None else _pictures(stored.record, images)
        page = render(
            stored.record, digest=stored.digest, pictures=pictures, content=stored.content
        )
        return target, page.encode()

    def papers(self, card: Path | None, bom: Path | None) -> dict[str, tuple[Path, bytes]]:
        """A model card, a bill of materials, or both."""
        from prunegate.errors import InputError
        from prunegate.outputs.papers import CANDIDATE, bill_of_materials_for, model_card_for

        if self.candidate is not None and bom is None:
            raise InputError("--candidate is for --bom; add it, or leave --candidate out")
        beside = self.folder / CANDIDATE
        files = self.candidate or (beside if beside.is_dir() else None)
        made = {}
        if bom is not None:
            made["bill"] = bom, bill_of_materials_for(self.stored, bom, files, force=self.force)
        if card is not None:
            made["model card"] = card, model_card_for(self.stored, card, force=self.force)
        return made


def _copy(record: Path, audit: Path, out: Path | None, *, force: bool) -> int:
    """Write a copy of a record's page that tells the answers of its audit trail."""
    from prunegate.cli.approve import case_of
    from prunegate.cli.status import standing_with_end
    from prunegate.errors import InputError
    from prunegate.io.atomic import PAGE, require_new, write_whole
    from prunegate.report import render
    from prunegate.report.embedded_record import pictures_on
    from prunegate.report.told_answers import shown_of

    folder = record if record.is_dir() else record.parent
    if out is None or out.resolve() == (folder / "report.html").resolve():
        raise InputError(
            "--audit makes a copy, and report.html beside the record is the page that is signed; "
            "give the copy a name of its own with --out"
        )
    require_new(out, force=force, kind=PAGE)
    case = case_of(record, audit, None, signing=False)
    stored = case.stored
    own = (folder / "report.html").read_text(encoding="utf-8")
    at = case.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    page = render(
        stored.record,
        digest=stored.digest,
        pictures=pictures_on(own, stored.record.pictures),
        content=stored.content,
        state=shown_of(*standing_with_end(case, None, sealed=False), at),
    )
    write_whole(out, page.encode())
    click.echo(f"copy with answers: {out}")
    return 0


def _pictures(record: DecisionRecord, images: Path) -> dict[str, bytes]:
    """The very pictures that the record names, made again from the image files."""
    from prunegate.data.labelled.thumbnails import thumbnail
    from prunegate.errors import EvidenceError, InputError
    from prunegate.report.embedded_record import digests_of
    from prunegate.report.flips import blurred
    from prunegate.text.escape import escaped

    if not record.pictures:
        raise InputError("the record names no pictures, so none can be shown; leave --images out")
    files = {flip.id: flip.image for flip in record.flips if flip.image}
    found = {
        name: thumbnail(_inside(images, files[name]), blur=blurred(record))
        for name in record.pictures
        if name in files
    }
    for name, digest in digests_of(found).items():
        if digest != record.pictures[name]:
            raise EvidenceError(
                f"the picture of row {escaped(name)} is not the one that the record names: another "
                "image, or another version of pillow made it small; leave --images out"
            )
    return found


def _inside(folder: Path, name: str) -> Path:
    """The path of a picture, which a record may not put elsewhere."""
    from prunegate.errors import InputError
    from prunegate.text.escape import escaped

    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"the record names the picture {escaped(name)}, which is not inside "
            f"{escaped(str(folder))}; give the folder that its paths start from, or leave "
            "--images out"
        )
    return path
