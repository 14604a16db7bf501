"""The answer box: what a reader agrees to, where she signs, and what the audit trail has so far.

The words that are agreed to name the record's code and its outcome, as the request that is signed
digitally does (``approval-request.json``). A page shows nobody's answer by itself, because the page
is among what is signed; a copy made later may (``prunegate report RECORD --audit DIR``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from prunegate.audit.approvals.request import FILE, SIGN, Decision
from prunegate.audit.record import DecisionRecord
from prunegate.report.page_one.people import People
from prunegate.report.signers import AskedSigners, signers
from prunegate.report.speech import MessagePart
from prunegate.text.escape import shorten, visible
from prunegate.text.numbers import GAP
from prunegate.text.time import short_code

BRING = f"prunegate approve RECORD --signature {FILE}.sig"
STATUS = "prunegate status RECORD"
MOST_GIVEN = 4
_LONGEST_ROLE, _LONGEST_POLICY, _LONGEST_CONDITIONS = 28, 80, 160


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """One answer of the audit trail that stands."""

    person: str
    role: str
    decision: Decision
    day: str
    """ISO 8601."""
    conditions: str = ""
    """What she tied it to, or why."""
    until: str = ""
    """When she said that it ends, UTC, ISO 8601; empty: she set no end."""


@dataclass(frozen=True, kw_only=True)
class SignOffShown:
    """What the audit trail had to say when a copy of the page was made; facts, not proofs."""

    at: str
    """UTC, ISO 8601."""
    ships: bool
    """Whether the candidate might ship then."""
    stopped: bool
    """Whether more than signatures was missing: somebody rejected it, a waiver had ended."""
    given: tuple[GivenAnswer, ...]
    missing: tuple[str, ...]
    """Roles, one for each signature that was missing."""
    until: str = ""
    """When it ceases to ship by time alone, UTC, ISO 8601; empty: it does not ship, or no end is
    set."""


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """The box."""

    read: str
    choices: tuple[str, ...]
    asked: tuple[MessagePart, ...]
    """Whose signatures are asked for; of a later copy which of them are missing."""
    how: tuple[MessagePart, ...]
    """How to sign digitally; empty: nothing is asked for, or nothing any more."""
    given: str
    """Of a later copy: who has answered, and under which conditions."""
    proof: tuple[MessagePart, ...]
    """Of a later copy: that it tells the answers and does not prove them."""


def answer(
    record: DecisionRecord, digest: str, people: People, state: SignOffShown | None
) -> AnswerView:
    """The box of a record's page, or of a later copy of it."""
    speech, asked = people.speech, signers(record)
    choices = ("yes", "no", "discuss")
    return AnswerView(
        read=speech.say(
            "answer.read",
            code=visible(short_code(digest)),
            word=speech.say(f"word.{record.outcome}"),
            name=shorten(record.policy.name, _LONGEST_POLICY),
        ),
        choices=tuple(speech.say(f"answer.{record.outcome}_{one}") for one in choices),
        asked=_asked(asked, people) if state is None else _state(state, people),
        how=_how(asked, people) if asked and (state is None or state.missing) else (),
        given=_given(state, people) if state is not None else "",
        proof=speech.pieces("answer.proof", {"command": STATUS}) if state is not None else (),
    )


def _asked(asked: tuple[AskedSigners, ...], people: People) -> tuple[MessagePart, ...]:
    if not asked:
        return people.speech.pieces("answer.asked_nobody", {})
    told = people.some(tuple(f"{one.count}{GAP}×{GAP}{_short(one.role)}" for one in asked))
    return people.speech.pieces("answer.asked", {"command": STATUS}, signers=told)


def _how(asked: tuple[AskedSigners, ...], people: People) -> tuple[MessagePart, ...]:
    roles = people.some(tuple(_short(one.role) for one in asked))
    codes = {"file": FILE, "sign": SIGN, "bring": BRING}
    return people.speech.pieces("answer.how", codes, roles=roles)


def _state(state: SignOffShown, people: People) -> tuple[MessagePart, ...]:
    """What is still missing, and whether anything else stands against it."""
    speech = people.speech
    if state.ships and state.until:
        return speech.pieces("answer.complete_until", {}, until=speech.moment(state.until))
    if state.ships:
        return speech.pieces("answer.complete", {})
    missing: tuple[MessagePart, ...] = ()
    if state.missing:
        found = Counter(state.missing).items()
        told = people.some(tuple(_missing(role, count) for role, count in found))
        missing = speech.pieces("answer.missing", {}, signers=told)
        if not state.stopped:
            return missing
        missing += (MessagePart(text=" "),)
    return missing + speech.pieces("answer.refused", {"command": STATUS})


def _missing(role: str, count: int) -> str:
    asked = AskedSigners(role=_short(role), count=count)
    return asked.words if count > 1 else asked.role


def _given(state: SignOffShown, people: People) -> str:
    speech = people.speech
    told = [_one(one, people) for one in state.given[:MOST_GIVEN]]
    if len(state.given) > MOST_GIVEN:
        told.append(speech.count("words.more", len(state.given) - MOST_GIVEN))
    answers = "; ".join(told) or speech.say("answer.given_none")
    return speech.say("answer.given", day=speech.day(state.at), answers=answers)


def _one(one: GivenAnswer, people: People) -> str:
    speech = people.speech
    day = speech.day(one.day)
    if one.until:
        day = speech.say("answer.signed_until", day=day, until=speech.moment(one.until))
    return speech.say(
        "answer.signed_tied" if one.conditions else "answer.signed",
        person=_short(one.person),
        role=_short(one.role),
        decision=speech.say(f"answer.signed_{one.decision}"),
        day=day,
        conditions=shorten(one.conditions, _LONGEST_CONDITIONS),
    )


def _short(name: str) -> str:
    return shorten(name, _LONGEST_ROLE)
