"""``prunegate waive``: one finding that does not hold, let pass for a time on a signed word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.approve import case_of, refuse_unused
from prunegate.cli.options import (
    PATH,
    audit_option,
    expires_option,
    force_option,
    quiet_option,
    signature_option,
    signers_option,
)
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.audit.waivers.accept import WaiverIn, WantedWaiver


@dataclass(frozen=True, kw_only=True)
class GivenWaiver:
    """What the command was given, whichever way it goes."""

    record: Path
    rule: int | None
    slice_name: str
    check: str | None
    class_label: str | None
    reason: str
    owner: str
    author: str
    expires: str
    key: Path | None
    out: Path | None
    force: bool
    signature: Path | None
    request: Path | None
    audit: Path
    allowed_signers: Path | None


@click.command(
    "waive", cls=PathsApart, short_help="Let one finding pass for a time, on a signed word."
)
@click.argument("record", type=PATH)
@click.option(
    "--rule",
    type=click.IntRange(min=1),
    help="The finding's rule as findings.csv and the report number it, from 1.",
)
@click.option(
    "--slice", "slice_name", default="overall", show_default=True, help="The finding's slice."
)
@click.option("--check", help="Its limit (at_least, ...), where several of the rule do not hold.")
@click.option("--class", "class_label", help="Its class, where classes are judged one by one.")
@click.option("--reason", default="", help="Why it may pass for now.")
@click.option("--owner", default="", help="Who sees to it that the finding goes away.")
@click.option("--author", default="", help="Who asks; somebody else has to sign.")
@expires_option
@click.option("--key", type=PATH, help="Sign here with the approver's private key.")
@click.option("--out", type=WRITTEN, help="Write the request, for the approver to sign elsewhere.")
@force_option
@signature_option
@click.option("--request", type=PATH, help="What it signs [default: the .sig without its ending].")
@audit_option
@signers_option
@quiet_option("Say nothing where it worked.")
def command(*, quiet: bool, **options: Any) -> None:
    """Let one blocking finding of RECORD pass for a time, for its candidate alone.

    The policy's section waivers says for how long and how many. What was not judged cannot be
    waived. Judge again afterwards: the finding runs, is shown as waived and never as passed. A
    waiver is void once its rule, or what that rests on, is changed.

    \b
    Exit codes: 0 it is in the trail (or the request is written), 2 bad input, 6 it does not verify.

    \b
    Example:
      prunegate waive reports/p/1f2e3d4c5b6a --rule 1 --slice kind=video --reason 'fix in June' \\
        --owner 'Kim Lee' --author 'Kim Lee' --expires 2026-12-12 --key approvers_key
    """  # noqa: D301  # click's mark is the character itself
    given = GivenWaiver(**options)
    _require_one_way(given)
    if given.out is not None:
        _write_request(given, given.out, quiet=quiet)
        return
    done = _bring_in(given)
    if not quiet:
        _say(given, done)


def _require_one_way(given: GivenWaiver) -> None:
    if sum(way is not None for way in (given.key, given.out, given.signature)) != 1:
        raise InputError(
            "give --key FILE to sign here, --out FILE to write the request for somebody to sign, "
            "or --signature FILE.sig to bring in what was signed: one of the three"
        )
    told = (given.reason, given.owner, given.author, given.expires)
    if given.signature is not None and (any(told) or given.rule is not None):
        raise InputError("which finding, why, who and until when stand in what was signed; leave "
                         "them out here")  # fmt: skip
    refuse_unused(_unused(given))


def _unused(given: GivenWaiver) -> dict[str, str]:
    """Options that say nothing the way it goes, each with what they belong to."""
    found = {}
    if given.signature is None and given.request is not None:
        found["--request"] = "--signature"
    if given.out is None and given.force:
        found["--force"] = "--out"
    if given.out is not None and given.allowed_signers is not None:
        found["--allowed-signers"] = "--key or --signature"
    if given.signature is not None:
        which = {"--check": given.check, "--class": given.class_label}
        which["--slice"] = None if given.slice_name == "overall" else given.slice_name
        found |= {name: "--key or --out" for name, value in which.items() if value is not None}
    return found


def _wanted(given: GivenWaiver) -> WantedWaiver:
    from prunegate.audit.waivers.accept import WantedWaiver

    if given.rule is None:
        raise InputError("--rule: say which rule's finding; findings.csv numbers them from 1")
    return WantedWaiver(
        rule=given.rule - 1,
        slice=given.slice_name,
        check=given.check,
        class_label=given.class_label,
        reason=given.reason,
        owner=given.owner,
        author=given.author,
        expires=given.expires,
    )


def _write_request(given: GivenWaiver, out: Path, *, quiet: bool) -> None:
    from prunegate.audit.approvals.request import SIGN_WITH
    from prunegate.audit.log.durable_files import write_durably
    from prunegate.audit.waivers.accept import waiver_request
    from prunegate.io.atomic import require_new

    wanted = _wanted(given)
    require_new(out, force=given.force)
    case = case_of(given.record, given.audit, given.allowed_signers, signing=False)
    content = waiver_request(case, wanted)
    try:
        write_durably(out, content)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error
    if not quiet:
        click.echo(f"{out}: send it with report.html to an approver other than {wanted.author}")
        click.echo(f"  she signs it: {SIGN_WITH} {out.name}")
        click.echo(f"  then: prunegate waive {given.record} --signature {out}.sig")


def _bring_in(given: GivenWaiver) -> WaiverIn:
    from prunegate.audit.signing.keys import read_private_key
    from prunegate.audit.waivers.accept import waived_elsewhere, waived_here

    if given.key is not None:
        key, wanted = read_private_key(given.key), _wanted(given)
        return waived_here(case_of(given.record, given.audit, given.allowed_signers), key, wanted)
    assert given.signature is not None  # noqa: S101  # one of the three ways
    asked = given.request or given.signature.with_suffix("")
    content, armored = _bytes(asked, "the request"), _bytes(given.signature, "the signature")
    case = case_of(given.record, given.audit, given.allowed_signers)
    return waived_elsewhere(case, content, armored, str(asked), str(given.signature))


def _bytes(path: Path, what: str) -> bytes:
    from prunegate.audit.log.durable_files import read_regular

    try:
        return read_regular(path, 1 << 20)
    except FileNotFoundError as error:
        raise InputError(f"{path}: {what} is not there; name it with --request FILE") from error


def _say(given: GivenWaiver, done: WaiverIn) -> None:
    from prunegate.text.escape import escaped
    from prunegate.verdict.waiver import told

    about, status = done.request.finding, done.request.finding["status"]
    waiver = done.waiver
    click.echo(f"WAIVED  {escaped(about['metric'])} {about['check']} on {escaped(about['slice'])}")
    click.echo(f"  {escaped(told(waiver, status))}")
    click.echo(f"  asked for by {escaped(waiver.author)}, owned by {escaped(waiver.owner)}")
    click.echo(f"  pending in the audit trail: {done.entry}")
    if not done.signed_entry:
        click.echo("  the gate's key did not sign the entry (PRUNEGATE_KEY is not set)")
    click.echo(f"  next: judge again, with --audit {given.audit}")
