"""``prunegate status``: may this record's candidate ship now?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.approve import case_of
from prunegate.cli.options import (
    PATH,
    audit_option,
    color_option,
    echo_color,
    json_option,
    may_color,
    painted,
    quiet_option,
    signers_option,
)
from prunegate.cli.printed_json import echo_json

if TYPE_CHECKING:
    from prunegate.audit.approvals.accept import Case
    from prunegate.audit.approvals.sign_off import (
        RecordFacts,
        RestsOn,
        SignOffState,
        VerifiedAnswer,
    )
    from prunegate.audit.approvals.verified_approvals import Book
    from prunegate.audit.waivers.backing import Backed
    from prunegate.policy.approvals import Approvals

NOT_YET = 5
"""Exit code: approvals are missing, expired, revoked or rejected, or a waiver has ended."""


@click.command("status", short_help="Say whether a candidate may ship now.")
@click.argument("record", type=PATH)
@audit_option
@signers_option
@click.option("--at", help="At this UTC day or time instead of now: 2026-12-31T12:00:00Z.")
@click.option("--sealed", is_flag=True, help="Count only approvals that are sealed into the log.")
@json_option("Print everything on stdout as JSON.")
@quiet_option("Print only why it may not ship.")
@color_option
def command(  # noqa: PLR0913  # one argument per option
    *,
    record: Path,
    audit: Path,
    allowed_signers: Path | None,
    at: str | None,
    sealed: bool,
    as_json: bool,
    quiet: bool,
    no_color: bool,
) -> int:
    """Say whether the candidate of RECORD may ship: its decision, and whose word it has.

    Every signature is verified again, and so is the whole log, where there is one.

    \b
    Exit codes: 0 it may, 5 not (and why), 2 bad input, 6 something does not verify.

    \b
    Example:
      prunegate status reports/my-policy/1f2e3d4c5b6a
    """  # noqa: D301  # click's mark is the character itself
    case = case_of(record, audit, allowed_signers, signing=False)
    standing, until = standing_with_end(case, _moment(at), sealed=sealed)
    code = 0 if standing.ships else NOT_YET
    if as_json:
        echo_json(_document(case, standing, until, code))
        return code
    lines = "\n".join(_lines(case, standing, until, quiet=quiet, color=may_color(no_color)))
    if lines:
        click.echo(lines, color=echo_color(may_color(no_color)))
    return code


def standing_of(case: Case, at: datetime | None, *, sealed: bool) -> SignOffState:
    """Whether the candidate may ship, at a time or now.

    Raises:
        EvidenceError: something in the audit folder does not verify.
    """
    from prunegate.audit.approvals.sign_off import sign_off

    return sign_off(*_what_counts(case, at, sealed=sealed), at or case.now)


def standing_with_end(
    case: Case, at: datetime | None, *, sealed: bool
) -> tuple[SignOffState, datetime | None]:
    """As ``standing_of``, and when the candidate ceases to ship if nobody does anything.

    Raises:
        EvidenceError: something in the audit folder does not verify.
    """
    from prunegate.audit.approvals.sign_off import ships_until, sign_off

    counts, moment = _what_counts(case, at, sealed=sealed), at or case.now
    return sign_off(*counts, moment), ships_until(*counts, moment)


def _what_counts(
    case: Case, at: datetime | None, *, sealed: bool
) -> tuple[Approvals | None, RecordFacts, Sequence[VerifiedAnswer], Collection[str]]:
    """What ``sign_off`` looks at, but for the time."""
    from prunegate.audit.approvals.sign_off import RecordFacts
    from prunegate.audit.approvals.verified_approvals import said_in
    from prunegate.audit.recompute import policy_of
    from prunegate.audit.waivers.backing import require_backed

    record, book = case.stored.record, case.book()
    _warn(book, case.audit)
    term = record.revalidate_on
    facts = RecordFacts(
        record=case.stored.digest,
        report=case.report,
        outcome=record.outcome,
        revalidate_at=datetime.fromisoformat(f"{term}T00:00:00Z") if term else None,
        waivers=tuple(_rests_on(one, sealed) for one in require_backed(record, book)),
    )
    revoked = book.trail.revoked(at)  # by now: whatever the clock of who revoked said
    said = said_in(book, sealed=sealed)
    return policy_of(record).approvals, facts, said, revoked


def _warn(book: Book, audit: Path) -> None:
    """What does not hold it back, and has to be known all the same; on stderr, also with -q."""
    for one in book.trail.unread:
        click.echo(f"warning: {one}", err=True)
    for digest in book.trail.gone:
        click.echo(
            f"warning: {audit}/evidence/{digest} is gone, which the decision on this record names; "
            "bring it back, else the decision cannot be exported or replayed",
            err=True,
        )


def _rests_on(one: Backed, must_be_sealed: bool) -> RestsOn:
    from prunegate.audit.approvals.sign_off import RestsOn

    return RestsOn(
        approver=one.waiver.approver,
        key=one.waiver.key,
        expires=datetime.fromisoformat(one.waiver.expires),
        sealed=one.sealed or not must_be_sealed,
    )


def _moment(text: str | None) -> datetime | None:
    """The time asked about; a day means its beginning."""
    from prunegate.audit.approvals.request import expiry

    if text is None:
        return None
    end = expiry(text, "--at")
    return end if "T" in text else end - timedelta(days=1)


def _document(
    case: Case, standing: SignOffState, until: datetime | None, code: int
) -> dict[str, Any]:
    from prunegate.audit.approvals.sentences import refusal_sentences

    def told(one: VerifiedAnswer) -> dict[str, Any]:
        names = ("decision", "role", "person", "organisation", "key", "conditions", "entry")
        times = {"at": one.at.isoformat(), "expires": one.expires and one.expires.isoformat()}
        row = {name: getattr(one, name) for name in names}
        return {**row, **times, "attested": one.attested, "number": one.number}

    reasons = zip(standing.reasons, refusal_sentences(standing), strict=True)
    return {
        "record": case.stored.digest,
        "outcome": case.stored.record.outcome,
        "ships": standing.ships,
        "until": until and until.isoformat(),
        "waivers": [
            {name: getattr(one, name) for name in ("entry", "slice", "approver", "expires")}
            for one in case.stored.record.waivers
        ],
        "reasons": [{"why": r.why, "role": r.role, "sentence": words} for r, words in reasons],
        "counted": [told(one) for one in standing.counted],
        "passed_over": [{**told(one), "why": why} for one, why in standing.passed_over],
        "exit_code": code,
    }


def _lines(
    case: Case, standing: SignOffState, until: datetime | None, *, quiet: bool, color: bool
) -> Iterator[str]:
    from prunegate.audit.approvals.sentences import PASSED_OVER, refusal_sentences, said_words
    from prunegate.report.told_answers import ends_by_signing
    from prunegate.text.escape import escaped
    from prunegate.text.time import moment
    from prunegate.verdict.waiver import told

    word, paint = ("MAY SHIP", "green") if standing.ships else ("MAY NOT SHIP", "red")
    shown = painted(word, paint, color=color)
    if not quiet or not standing.ships:
        yield f"{shown}  {escaped(case.stored.record.policy.name)} {case.stored.digest[:12]}"
    said = zip(standing.reasons, refusal_sentences(standing), strict=True)
    settled = any(reason.why == "outcome" for reason in standing.reasons)
    yield from (
        f"  {sentence}" for reason, sentence in said if not (settled and ends_by_signing(reason))
    )
    if quiet:
        return
    if until is not None:
        yield f"  until {moment(until.isoformat())}, if it is not signed or judged again before"
    yield from (
        f"  {escaped(one.check)} on {escaped(one.slice)}: {escaped(told(one, one.without))}"
        for one in case.stored.record.waivers
    )
    yield from (f"  {said_words(one)}" for one in standing.counted)
    for one, why in standing.passed_over:
        yield f"  passed over, because {PASSED_OVER[why]}: {said_words(one)}"
