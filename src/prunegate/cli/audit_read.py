"""``prunegate audit log, show, verify, prove``: read the log, check it, and prove from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import PATH, audit_option, force_option, json_option, quiet_option
from prunegate.cli.printed_json import echo_json
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.audit.log.verify import Verified

_KIND = "urn:prunegate:"


@click.command("log", short_help="List the entries.", epilog="Example: prunegate audit log --json")
@json_option("Print one JSON object a line.")
@audit_option
def log(*, as_json: bool, audit: Path) -> None:
    """List the sealed entries: number, time, kind, subject, digest. Verifies nothing."""
    from prunegate.audit.log.pending import pending_names

    listed = 0
    for row in _rows(audit):
        listed += 1
        if as_json:
            echo_json(row, indent=None)
        else:
            click.echo(_line(row))
    if not as_json and (waiting := len(pending_names(audit))):
        click.echo(f"{waiting} pending: 'prunegate audit seal' takes them into the log", err=True)
    elif not as_json and not listed:
        click.echo("no entries yet: 'prunegate gate' files the first", err=True)


@click.command("show", short_help="Print one entry.", epilog="Example: prunegate audit show 17")
@click.argument("entry", metavar="NUMBER|DIGEST")
@audit_option
def show(*, entry: str, audit: Path) -> None:
    """Print one entry's statement as JSON, and who signed it. Verifies nothing."""
    import base64

    from prunegate.audit.log.entry import read_entry
    from prunegate.audit.log.prove import find_entry

    number, content = find_entry(audit, entry, read_entry)
    row = _row(number, content)
    statement = json.loads(base64.b64decode(json.loads(content)["payload"]))
    echo_json({**row, "statement": statement})


@click.command(
    "verify",
    short_help="Check that nothing in the log was changed.",
    epilog="Example: prunegate audit verify --against checkpoint-of-march",
)
@click.option("--against", type=PATH, help="An older checkpoint that somebody kept.")
@click.option("--trust", type=PATH, help="Whom to trust, instead of the folder's trust.policy.")
@click.option(
    "--signer",
    "signers",
    type=PATH,
    multiple=True,
    help="Public key whose signatures count, instead of the folder's signers/.",
)
@click.option(
    "--evidence-may-be-gone", is_flag=True, help="Do not insist on files under evidence/."
)
@quiet_option("Say nothing when all is well.")
@audit_option
def verify(
    *,
    against: Path | None,
    trust: Path | None,
    signers: tuple[Path, ...],
    evidence_may_be_gone: bool,
    quiet: bool,
    audit: Path,
) -> None:
    """Recompute the log from its entries; exit 6 names the first thing that is wrong and where."""
    from prunegate.audit.entry_forms import require_form
    from prunegate.audit.log.checkpoint import parse_checkpoint
    from prunegate.audit.log.trust_policy import parse_trust_policy
    from prunegate.audit.log.verify import verify_log
    from prunegate.audit.signing.keys import read_public_key
    from prunegate.audit.signing.signers import read_signers, signed_reader
    from prunegate.audit.waivers.backing import require_all_backed, waived_something

    keys = tuple(map(read_public_key, signers)) or read_signers(audit)
    older = _given(against) if against else None
    if older is not None:
        with named_input(against):
            parse_checkpoint(older)
    found = verify_log(
        audit,
        signed_reader(keys, require_form),
        keep=waived_something,
        policy=parse_trust_policy(_given(trust)) if trust else None,
        against=older,
        missing_ok=evidence_may_be_gone,
    )
    waived = require_all_backed((one.content for one in found.kept), audit)
    if not quiet:
        click.echo("\n".join(_told(found, len(keys))))
        if waived:
            click.echo(f"  {waived} decisions rest on waivers, which are here and were signed")


@click.command(
    "prove",
    cls=PathsApart,
    short_help="Write the proof that an entry is in the log.",
    epilog="Example: prunegate audit prove 17 -o decision.tlog-proof",
)
@click.argument("entry", metavar="NUMBER|DIGEST")
@click.option(
    "-o", "--out", type=WRITTEN, required=True, help="The file; its name ends .tlog-proof."
)
@force_option
@audit_option
def prove(*, entry: str, out: Path, force: bool, audit: Path) -> None:
    """Write the proof of one entry, which can be checked offline against the log's key."""
    from prunegate.audit.log.durable_files import write_durably
    from prunegate.audit.log.entry import read_entry
    from prunegate.audit.log.prove import find_entry, prove_entry
    from prunegate.audit.log.tlog_proof import SUFFIX
    from prunegate.io.atomic import require_new

    if out.suffix != SUFFIX:
        raise InputError(f"{out}: a proof's name ends in {SUFFIX}")
    require_new(out, force=force)
    number, content = find_entry(audit, entry, read_entry)
    proof = prove_entry(audit, number, content).format()
    try:
        write_durably(out, proof)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error
    click.echo(f"{out}: entry {number} is in the log", err=True)


def _rows(audit: Path) -> Iterator[dict[str, Any]]:
    from prunegate.audit.log.folder import read_checkpoint
    from prunegate.audit.log.tiles import stored_entries

    for number, content in stored_entries(audit, read_checkpoint(audit).checkpoint.size):
        yield _row(number, content)


def _row(number: int, content: bytes) -> dict[str, Any]:
    """What there is to say of an entry; shown, not trusted."""
    import hashlib

    from prunegate.audit.log.entry import read_entry
    from prunegate.audit.log.folder import as_evidence
    from prunegate.audit.waivers.sentences import WAIVER, waiver_words

    with as_evidence(f"entry {number}"):
        facts = read_entry(content)
    said = {"said": waiver_words(content)} if facts.kind == WAIVER else {}
    return {
        "number": number,
        "created": facts.created,
        "kind": facts.kind,
        "subject": facts.subject,
        "sha256": hashlib.sha256(content).hexdigest(),
        "signers": list(facts.signers),
        **said,
    }


def _line(row: dict[str, Any]) -> str:
    from prunegate.text.escape import escaped

    kind = row["kind"].removeprefix(_KIND)
    signed = "" if row["signers"] else "  (no signature of its own)"
    about = row.get("said", row["subject"])
    shown = f"{escaped(kind):<22} {escaped(about)}{signed}"
    return f"{row['number']:>6}  {row['created']}  {row['sha256'][:12]}  {shown}"


def _told(found: Verified, keys: int) -> Iterator[str]:
    from prunegate.text.escape import escaped

    tree = found.checkpoint
    yield f"ok: the log {escaped(tree.origin)} holds {_count(tree.size)}, each as it was sealed"
    yield f"  signed by {escaped(found.log_key)}"
    witnesses = ", ".join(escaped(name) for name in found.cosignatures)
    yield f"  cosigned by {witnesses}" if witnesses else "  no witness has cosigned this checkpoint"
    if found.against is not None:
        yield f"  it extends the older checkpoint of {_count(found.against.size)}"
    else:
        yield "  a key holder could have rewritten it: compare with an old checkpoint (--against)"
    if found.unsigned:
        yield f"  {_count(found.unsigned)} without a signature of its own, only the log's"
    if not keys:
        yield "  signatures under entries were not looked at: give the keys (--signer, or signers/)"
    if found.late:
        first = f"the first is number {found.first_late}"
        yield f"  {_count(found.late)} dated before an earlier one, {first}"
    for digest in found.missing_evidence:
        yield f"  evidence {digest} is gone"
    yield f"  {found.evidence} evidence files and {found.pending} pending entries are whole"
    if found.leftovers:
        yield f"  {found.leftovers} files of an interrupted seal; the next one takes them away"


def _count(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


@contextmanager
def named_input(path: Path | None) -> Iterator[None]:
    """Name the file that somebody gave and that cannot be used."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: no checkpoint ({error}); give one that you kept") from error


def _given(path: Path) -> bytes:
    from prunegate.audit.log.durable_files import read_regular

    try:
        return read_regular(path, 1_000_000)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
