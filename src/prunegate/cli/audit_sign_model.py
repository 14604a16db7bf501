"""``prunegate audit sign-model``: model.sig for an approved candidate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import PATH, force_option, quiet_option, signers_option
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError
from prunegate.text.escape import escaped, shell_words

if TYPE_CHECKING:
    from prunegate.audit.read import StoredRecord
    from prunegate.audit.signing.keys import PrivateKey


@click.command(
    "sign-model", cls=PathsApart, short_help="Sign an approved candidate's files (model.sig)."
)
@click.argument("candidate", type=PATH)
@click.option("--record", type=PATH, required=True, help="The record.json of its verdict.")
@click.option("--key", type=PATH, help="ECDSA P-256 private key; else PRUNEGATE_KEY holds it.")
@click.option("-o", "--out", type=WRITTEN, help="[default: model.sig beside CANDIDATE]")
@click.option(
    "--audit",
    type=PATH,
    help="The audit folder: the candidate must be allowed to ship, as 'prunegate status' says. "
    "Needed where the policy asks for approvals.",
)
@signers_option
@force_option
@quiet_option("Say nothing where it worked.")
def command(  # noqa: PLR0913  # one argument per option
    *,
    candidate: Path,
    record: Path,
    key: Path | None,
    out: Path | None,
    audit: Path | None,
    allowed_signers: Path | None,
    force: bool,
    quiet: bool,
) -> int:
    """Sign CANDIDATE, the folder of the model that RECORD approves, for tools of others.

    The record is worked out again, has to approve, and has to name this very folder by digest. The
    file is in the format of OpenSSF Model Signing 1.0: "model_signing verify key" checks it.

    \b
    Exit codes: 0 signed, 2 bad input, 3 and 4 the record rejects or settles nothing, 5 approvals
    are missing, 6 the record or the candidate does not verify.

    \b
    Example:
      prunegate audit sign-model reports/p/1f2e/candidate --record reports/p/1f2e --key gate.key
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.read import record_file, stored_record
    from prunegate.audit.signing.model_signature import SIGNATURE_FILE, sign_files
    from prunegate.audit.signing.signed_candidate import files_of
    from prunegate.io.atomic import write_whole

    target = out or Path(candidate).resolve().parent / SIGNATURE_FILE
    _require_place(target, candidate, force=force)
    private = _signing_key(key)
    path = record_file(record)
    stored = stored_record(path)
    if stored.record.outcome != "approve":
        click.echo(f"not signed: the record's decision is {stored.record.outcome}", err=True)
        return stored.record.exit_code
    if not _ships(stored, path, audit, allowed_signers):
        return 5
    files = files_of(candidate, stored.record, beside=path.parent / "candidate")
    write_whole(target, sign_files(files, candidate.resolve().name, private))
    if not quiet:
        click.echo(
            f"SIGNED  {len(files)} files of {escaped(str(candidate))}: {escaped(str(target))}"
        )
        click.echo(f"  next: {_next(candidate, target, key)}")
    return 0


def _signing_key(given: Path | None) -> PrivateKey:
    """The key that was given.

    Raises:
        InputError: there is none, or it is no key that can sign.
    """
    from prunegate.audit.signing.keys import private_key_from

    private = private_key_from(given)
    if private is None:
        raise InputError("give the key that signs: --key FILE, or PRUNEGATE_KEY holds it as PEM")
    return private


def _next(candidate: Path, target: Path, key: Path | None) -> str:
    """The command by which anybody checks the signature."""
    public = f"{key}.pub" if key else "FILE.pub"
    checked = ["model_signing", "verify", "key", str(candidate), "--signature", str(target)]
    return shell_words([*checked, "--public_key", public])


def _require_place(target: Path, candidate: Path, *, force: bool) -> None:
    """Refuse a file that is there, and one that would make another model of the candidate."""
    if target.exists() and not (force and target.is_file()):
        raise InputError(f"{target} exists; choose another -o, or add --force")
    if target.resolve().is_relative_to(candidate.resolve()):
        raise InputError(
            f"{target} lies inside of {candidate} and would change the digest by which the record "
            "knows it; write it beside the folder"
        )


def _ships(stored: StoredRecord, path: Path, audit: Path | None, allowed: Path | None) -> bool:
    """Whether it may ship, and else why not; without an audit folder the verdict alone decides.

    Raises:
        InputError: the policy asks for approvals, and no audit folder was given.
        EvidenceError: something in the audit folder does not verify.
    """
    from prunegate.audit.approvals.sentences import refusal_sentences
    from prunegate.audit.recompute import policy_of
    from prunegate.cli.approve import case_of
    from prunegate.cli.status import standing_of

    if audit is None:
        if policy_of(stored.record).approvals is not None:
            raise InputError("the policy asks for approvals: name the audit folder with --audit")
        return True
    standing = standing_of(case_of(path, audit, allowed, signing=False), None, sealed=False)
    for sentence in refusal_sentences(standing):
        click.echo(f"not signed: {sentence}", err=True)
    return standing.ships
