"""``prunegate approve``: what somebody decides on a record, signed, into the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import (
    PATH,
    audit_option,
    expires_option,
    quiet_option,
    signature_option,
    signers_option,
)
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import shell_words

if TYPE_CHECKING:
    from prunegate.audit.approvals.accept import BroughtIn, Case
    from prunegate.audit.approvals.request import Answer

RECORD = "record.json"


@dataclass(frozen=True, kw_only=True)
class GivenApproval:
    """What the command was given, whichever way it goes."""

    record: Path
    role: str | None
    decision: str | None
    key: Path | None
    signature: Path | None
    request: Path | None
    conditions: str
    expires: str
    person: str | None
    organisation: str
    audit: Path
    allowed_signers: Path | None
    attested_by_agency: bool
    rationale: str


@click.command("approve", short_help="Sign a decision, or bring in what somebody signed.")
@click.argument("record", type=PATH)
@click.option("--role", help="In whose place: one of the roles of the policy's approvals.")
@click.option(
    "--decision",
    type=click.Choice(["approve", "reject", "discuss"]),
    help="What the person decides; with --signature, what was signed has to say the same.",
)
@click.option("--key", type=PATH, help="Sign here with this person's private key.")
@signature_option
@click.option(
    "--request", type=PATH, help="The request that was signed [default: beside the .sig]."
)
@click.option("--conditions", default="", help="Conditions of an approval, or reasons.")
@expires_option
@click.option("--person", help="Who decides; with a signature, whom the key has to be of.")
@click.option("--organisation", default="", help="Attested approvals: whose she speaks for.")
@audit_option
@signers_option
@click.option(
    "--attested-by-agency",
    is_flag=True,
    help="The person only said so (an e-mail): --key is then the gate's. Weaker, and shown so.",
)
@click.option("--rationale", default="", help="Attested approvals: how you know.")
@quiet_option("Say nothing where it worked.")
def command(*, quiet: bool, **options: Any) -> None:
    """Put somebody's decision on RECORD into the audit trail, verified.

    RECORD is the record.json of a verdict, or its folder; report.html has to lie beside it. A
    signature has to hold, of a key that is enrolled in the role and not revoked, over exactly this
    record. PRUNEGATE_KEY, where it is set, is the gate's key: it signs the entry and never
    approves.

    \b
    Exit codes: 0 it is in the trail, 2 bad input, 6 it does not verify.

    \b
    Examples:
      prunegate approve reports/p/1f2e3d4c5b6a --role client --decision approve --key id_ed25519
      prunegate approve reports/p/1f2e3d4c5b6a --signature approval-request.json.sig
    """  # noqa: D301  # click's mark is the character itself
    given = GivenApproval(**options)
    done = _bring_in(given)
    if not quiet:
        _say(given, done)


def _bring_in(given: GivenApproval) -> BroughtIn:
    from prunegate.audit.approvals.accept import attested, signed_elsewhere, signed_here
    from prunegate.audit.signing.keys import read_private_key

    _require_one_way(given)
    if given.signature is not None:
        asked = _request_of(given)
        content, armored = _bytes(asked, "the request"), _bytes(given.signature, "the signature")
        case = case_of(given.record, given.audit, given.allowed_signers)
        case = replace(case, person=given.person)
        _require_as_signed(given, content, str(asked))
        return signed_elsewhere(case, content, armored, str(asked), str(given.signature))
    answer = _answer(given)
    if given.attested_by_agency:
        case = case_of(given.record, given.audit, given.allowed_signers, gate=given.key)
        return attested(case, answer, str(given.person), given.organisation, given.rationale)
    assert given.key is not None  # noqa: S101  # one of the three ways
    key = read_private_key(given.key)
    case = case_of(given.record, given.audit, given.allowed_signers)
    return signed_here(replace(case, person=given.person), key, answer)


def case_of(
    record: Path,
    audit: Path,
    allowed: Path | None,
    gate: Path | None = None,
    *,
    signing: bool = True,
) -> Case:
    """A record with its page, both verified.

    Args:
        record: the record, or its folder.
        audit: the audit folder.
        allowed: the allowed_signers file; None: the audit folder's own.
        gate: the gate's private key; None: PRUNEGATE_KEY may hold it.
        signing: whether an entry will be signed, so that the gate's key is of use.

    Raises:
        InputError: one of them is not there.
        EvidenceError: the record does not follow from itself, or the page is not its own.
    """
    from prunegate.audit.approvals.accept import Case, utc_now
    from prunegate.audit.read import stored_record
    from prunegate.audit.signing.keys import private_key_from

    path = record / RECORD if record.is_dir() else record
    stored = stored_record(path)
    return Case(
        stored=stored,
        report=page_digest(path.with_name("report.html"), stored.digest),
        audit=audit,
        allowed=allowed,
        gate=private_key_from(gate) if signing else None,
        now=utc_now(),
    )


def page_digest(page: Path, record: str) -> str:
    """sha256 of a record's page, which was made again and compared.

    Raises:
        InputError: there is no page.
        EvidenceError: it was changed, or is of another record.
    """
    import hashlib

    from prunegate.report.verify_page import verify_content

    content = _bytes(page, "the page")
    found = verify_content(content, page.suffix)
    broken = next((check for check in found.checks if check.status == "broken"), None)
    if broken is not None:
        raise EvidenceError(f"{page}: {broken.name}: {broken.detail}")
    if found.record != record:
        raise EvidenceError(f"{page}: carries another record than the one beside it ({record})")
    return hashlib.sha256(content).hexdigest()


def _require_one_way(given: GivenApproval) -> None:
    if given.attested_by_agency:
        if given.signature is not None or not given.person:
            raise InputError("--attested-by-agency takes --person WHO and no --signature")
    elif (given.key is None) == (given.signature is None):
        raise InputError(
            "give --key FILE to sign here, or --signature FILE.sig to bring in what somebody "
            "signed with ssh-keygen: one of the two"
        )
    if given.signature is not None and (given.conditions or given.expires):
        raise InputError("conditions and expiry stand in what was signed; leave them out here")
    refuse_unused(_unused(given))


def _unused(given: GivenApproval) -> dict[str, str]:
    """Options that say nothing the way it goes, each with what they belong to."""
    found = {}
    if given.request is not None and given.signature is None:
        found["--request"] = "--signature"
    if not given.attested_by_agency:
        weak = {"--organisation": given.organisation, "--rationale": given.rationale}
        found |= {name: "--attested-by-agency" for name, value in weak.items() if value}
    elif given.allowed_signers is not None:
        found["--allowed-signers"] = "--signature or --key of a person"
    return found


def refuse_unused(options: Mapping[str, str]) -> None:
    """Refuse options that would be passed over in silence: each with what it belongs to.

    Raises:
        InputError: there are some; names them all.
    """
    if options:
        told = "; ".join(f"{name} goes with {other}" for name, other in options.items())
        raise InputError(f"{told}: here it would have no effect; leave it out")


def _answer(given: GivenApproval) -> Answer:
    from prunegate.audit.approvals.request import parse_answer

    if given.role is None or given.decision is None:
        raise InputError("give --role and --decision: what is signed says both")
    names = ("role", "decision", "conditions", "expires")
    options = {name: getattr(given, name) for name in names}
    return parse_answer({**options, "date": ""}, "the options")


def _request_of(given: GivenApproval) -> Path:
    """Where the signed request lies: as given, else where ssh-keygen puts the signature beside."""
    from prunegate.audit.approvals.request import FILE

    if given.request is not None:
        return given.request
    assert given.signature is not None  # noqa: S101  # asked for this way only
    folder = given.record if given.record.is_dir() else given.record.parent
    places = (given.signature.with_suffix(""), given.signature.with_name(FILE), folder / FILE)
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        f"{given.signature}: the request that it signs is not beside it; name it: --request FILE"
    )


def _require_as_signed(given: GivenApproval, content: bytes, where: str) -> None:
    """That what was said on the command line is what was signed."""
    from prunegate.audit.approvals.request import parse_request
    from prunegate.policy.messages import literal

    answer = parse_request(content, where).answer
    for name in ("role", "decision"):
        asked, signed = getattr(given, name), getattr(answer, name)
        if asked is not None and asked != signed:
            raise InputError(f"--{name} is {asked}, but {where} says {literal(signed)}: what is"
                             " signed counts; leave the option out")  # fmt: skip


def _bytes(path: Path, what: str) -> bytes:
    from prunegate.audit.log.durable_files import read_regular

    try:
        return read_regular(path, 64 << 20)
    except FileNotFoundError as error:
        raise InputError(f"{path}: {what} is not there") from error


def _say(given: GivenApproval, done: BroughtIn) -> None:
    from prunegate.text.escape import escaped

    answer, approval = done.request.answer, done.approval
    word = {"approve": "APPROVED", "reject": "REJECTED", "discuss": "TO BE DISCUSSED"}
    who = f"{escaped(approval.person)} as {escaped(answer.role)}"
    weak = "" if approval.signature else "; attested by the agency only, which is weaker"
    click.echo(f"{word[answer.decision]}  by {who}{weak}")
    click.echo(f"  pending in the audit trail: {done.entry}")
    if not done.signed_entry:
        click.echo("  the gate's key did not sign the entry (PRUNEGATE_KEY is not set)")
    said = ["prunegate", "status", str(given.record), "--audit", str(given.audit)]
    click.echo(f"  next: {shell_words(said)}")
