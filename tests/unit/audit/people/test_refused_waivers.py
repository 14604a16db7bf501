"""What is no waiver, and whose word is none: refused by name, and nothing is pended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.audit.people.conftest import ANN

from prunegate.audit.approvals.accept import Case
from prunegate.audit.approvals.enrolments import Revocation
from prunegate.audit.approvals.trail import Trail
from prunegate.audit.approvals.verified_approvals import Book
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.pending import add_pending
from prunegate.audit.recompute import policy_of
from prunegate.audit.signing.allowed_signers import parse_allowed_signers
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, fingerprint, key_blob, ssh_sign
from prunegate.audit.waivers.accept import (
    WaiverIn,
    WantedWaiver,
    waived_elsewhere,
    waived_here,
    waiver_request,
)
from prunegate.audit.waivers.backing import require_all_backed, require_backed
from prunegate.audit.waivers.entry import read_waiver, waiver_in
from prunegate.audit.waivers.in_force import refused, waived
from prunegate.audit.waivers.request import not_in_force, parse_waiver
from prunegate.audit.waivers.sentences import waiver_words
from prunegate.errors import EvidenceError, InputError
from prunegate.verdict.finding import Verdict
from prunegate.verdict.waiver import Waived, place_of

EVE = Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32)
WANTED = WantedWaiver(
    rule=0,
    slice="kind=video",
    check="max_drop",
    reason="relabelled in June",
    owner="Kim",
    author="Lee",
    expires="2026-12-20",
)


def pending(case: Case) -> list[Path]:
    return sorted((case.audit / "pending").iterdir())


def changed(case: Case, change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(waiver_request(case, WANTED))
    change(document)
    return canonical_bytes(document)


def bring_in(case: Case, content: bytes) -> WaiverIn:
    return waived_elsewhere(case, content, ssh_sign(ANN, NAMESPACE, content).encode(), "r", "s")


def test_what_was_asked_for_is_pended_once(case: Case) -> None:
    made = bring_in(case, waiver_request(case, WANTED))
    assert made.entry in pending(case)
    assert made.waiver.place == (0, "kind=video", "max_drop", None)
    assert (made.waiver.approver, made.signed_entry) == ("Ann", False)
    with pytest.raises(InputError, match="in the audit trail already"):
        bring_in(case, waiver_request(case, WANTED))


CHANGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another record": (
        lambda d: d.update(record="ab" * 32),
        r'is about another record \("abababababab"\), not about [0-9a-f]{12}$',
    ),
    "another finding": (lambda d: d["finding"].update(slice="kind=ugc"), "has no such finding"),
    "another figure": (lambda d: d["finding"].update(n=1), "'finding' is not what the record"),
    "a number that is equal": (
        lambda d: d["finding"].update(rule=False),
        "'finding' is not what the record gives",
    ),
    "another sentence": (lambda d: d.update(sentence="Yes."), "'sentence' is not what the record"),
    "another candidate": (lambda d: d.update(candidate=["ab" * 32]), "'candidate' is not what"),
    "asked for tomorrow": (
        lambda d: d.update(asked="2026-11-29T09:00:00Z"),
        "asked for at 2026-11-29T09:00:00Z, which is yet to come",
    ),
    "no time": (lambda d: d.update(asked="today"), "'asked' and 'expires' are no times"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_request_that_the_record_does_not_give_is_refused(case: Case, name: str) -> None:
    change, told = CHANGED[name]
    before = pending(case)
    with pytest.raises((EvidenceError, InputError), match=told):
        bring_in(case, changed(case, change))
    assert pending(case) == before


def test_a_signature_in_no_alphabet_is_none(case: Case) -> None:
    with pytest.raises(InputError, match="s: no SSH signature"):
        waived_elsewhere(case, waiver_request(case, WANTED), b"\xff", "r", "s")


def test_of_two_limits_that_do_not_hold_one_has_to_be_named(case: Case) -> None:
    with pytest.raises(InputError, match=r"do not hold \(.*max_drop.*\); say --check") as told:
        waiver_request(case, replace(WANTED, check=None))
    assert "at_least" in str(told.value)


def test_a_record_that_nobody_counted_lets_nothing_be_waived(case: Case) -> None:
    bare = replace(case.stored, record=replace(case.stored.record, attempt=None))
    with pytest.raises(InputError, match="does not tell its candidate by digest"):
        waiver_request(replace(case, stored=bare), WANTED)


def test_a_revoked_key_waives_nothing(case: Case) -> None:
    lost = Revocation(
        created="2026-11-28T08:00:00Z",
        fingerprint=fingerprint(key_blob(ANN.public_key())),
        reason="laptop lost",
    )
    add_pending(sign_envelope(lost.statement().to_bytes(), []), case.audit)
    with pytest.raises(EvidenceError, match="was revoked; sign with another key"):
        waived_here(case, ANN, WANTED)


def test_an_entry_holds_texts_and_a_signature(case: Case) -> None:
    made = waived_here(case, ANN, WANTED)
    (_, said) = case.book().trail.waivers[0]
    predicate = {name: getattr(said, name) for name in said.__dataclass_fields__}
    assert waiver_in(predicate, "entry 1") == said
    for name in predicate:
        with pytest.raises(EvidenceError, match="entry 1: no waiver; a text of it is missing"):
            waiver_in({**predicate, name: 3}, "entry 1")
    for wrong in (replace(said, signature="none"), replace(said, request="\ud800")):
        with pytest.raises(EvidenceError, match="entry 1: "):
            read_waiver(wrong, "entry 1")
    assert read_waiver(said, "entry 1").waives(made.entry.name, 0) == made.waiver


def book(case: Case, **changes: Any) -> Book:
    """Who may sign, where something of the trail is otherwise."""
    found = case.book()
    trail = Trail(**{n: getattr(found.trail, n) for n in Trail.__dataclass_fields__} | changes)
    return Book(trail=trail, signers=found.signers)


def test_each_reason_for_which_a_word_does_not_count_is_named(case: Case) -> None:
    waived_here(case, ANN, WANTED)
    ((entry, said),) = case.book().trail.waivers
    read = read_waiver(said, entry.where)
    key = read.signature.fingerprint
    assert refused(case.book(), entry, read, ()) is None
    (enrolled,) = case.book().trail.enrolments
    as_gate = (enrolled[0], replace(enrolled[1], role="gate"))
    told = {
        "the gate's own key": refused(book(case, enrolments=(as_gate,)), entry, read, ()),
        "its key was revoked": refused(case.book(), entry, read, (key,)),
        "not enrolled and allowed": refused(book(case, enrolments=()), entry, read, ()),
        "its key is of Ann": refused(
            case.book(), entry, replace(read, said=replace(said, person="Bob")), ()
        ),
        "the one who asked for it": refused(
            case.book(),
            entry,
            replace(read, request=parse_waiver(changed(case, _by_ann), "r")),
            (),
        ),
    }
    assert all(words in str(why) for words, why in told.items()), told


def _by_ann(document: dict[str, Any]) -> None:
    document["author"] = "ANN"


def test_a_waiver_holds_from_its_day_to_its_end_and_in_utc_alone(case: Case) -> None:
    waiver = waived_here(case, ANN, WANTED).waiver
    assert waiver.expires == "2026-12-21T00:00:00Z"
    whys = {
        "2026-11-28T08:59:59Z": "it is dated later than the verdict",
        "2026-11-28T09:00:00Z": None,
        "2026-12-20T23:59:59Z": None,
        "2026-12-21T00:00:00Z": "it expired at 2026-12-21T00:00:00Z",
        "2026-12-01T00:00:00+01:00": "one of its times is not in UTC, to the second",
        "2026-12-01 00:00:00Z": "one of its times is not in UTC, to the second",
    }
    assert {at: not_in_force(waiver, at, 30) for at in whys} == whys


def test_a_decision_rests_on_a_waiver_that_counted_when_it_was_taken(case: Case) -> None:
    made = waived_here(case, ANN, WANTED)
    record = case.stored.record
    findings = tuple(
        replace(one, status="waived") if place_of(one) == made.waiver.place else one
        for one in record.findings
    )
    waiver = replace(made.waiver, without="fail")
    rests = replace(record, findings=findings, waivers=(waiver,), created="2026-11-28T10:00:00Z")
    (backed,) = require_backed(rests, case.book())
    assert (backed.waiver, backed.sealed) == (waiver, False)
    with pytest.raises(EvidenceError, match=r"did not count when .* was waived: its key is not"):
        require_backed(rests, book(case, enrolments=()))


def test_a_decisions_record_is_a_record(case: Case) -> None:
    kept = case.audit / "evidence" / ("a" * 64)
    kept.parent.mkdir()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "record.json", "digest": {"sha256": "a" * 64}}],
        "predicateType": "urn:prunegate:decision:v1",
        "predicate": {"record": "a" * 64, "waivers": ["b" * 64]},
    }
    entry = sign_envelope(canonical_bytes(statement), [])
    assert require_all_backed([entry], case.audit) == 1  # evidence may be allowed to be gone
    kept.write_bytes(b"{}")
    with pytest.raises(EvidenceError, match=r"its record cannot be read \("):
        require_all_backed([entry], case.audit)


def test_words_of_anything_are_words() -> None:
    said = {"person": "Ann", "request": json.dumps({"finding": [], "expires": ""})}
    for predicate in ({}, {"request": 3}, {"request": "{"}, said, []):
        statement = canonical_bytes({"predicate": predicate})
        assert waiver_words(sign_envelope(statement, [])).startswith("unreadable (")
    assert waiver_words(b"no envelope").startswith("unreadable (")


def test_allowed_lines_of_another_name_are_not_hers(case: Case) -> None:
    """The file and the trail have to agree on whose key it is."""
    line = f'Eve namespaces="{NAMESPACE}" {openssh_line(ANN.public_key())}\n'
    (case.audit / "allowed_signers").write_text(line, encoding="utf-8")
    assert parse_allowed_signers(line, "f")
    with pytest.raises(EvidenceError, match="enrolled for Ann, but the allowed signers give it"):
        waived_here(case, ANN, WANTED)


def test_who_is_nobody_here_waives_nothing(case: Case) -> None:
    with pytest.raises(EvidenceError, match="is not among the allowed signers"):
        waived_here(case, EVE, WANTED)
    assert not case.book().trail.waivers


def test_a_waiver_in_force_that_waives_nothing_is_told(case: Case, judged: Verdict) -> None:
    policy, at = policy_of(case.stored.record), "2026-11-28T10:00:00Z"
    candidate = case.stored.record.attempt.candidate  # type: ignore[union-attr]  # counted
    waived_here(case, ANN, WANTED)

    def warned(verdict: Verdict) -> str:
        done = waived(policy, verdict, candidate, case.audit, at)
        assert not done.used
        return done.verdict.warnings[-1]

    done = waived(policy, judged, candidate, case.audit, at)
    assert [one.place for one in done.used] == [(0, "kind=video", "max_drop", None)]
    place = done.used[0].place
    rest = tuple(f for f in judged.findings if place_of(f) != place)
    held = tuple(replace(f, status="pass") if place_of(f) == place else f for f in judged.findings)
    name = done.used[0].entry[:12]
    for findings, why in ((rest, "there is no such finding"), (held, "it holds")):
        assert warned(replace(judged, findings=findings)).startswith(
            f"The waiver of Ann for max_drop on kind=video ({name}) waives nothing: {why}"
        )


def test_without_a_section_waivers_the_folder_is_not_even_read(case: Case, judged: Verdict) -> None:
    waived_here(case, ANN, WANTED)
    pending(case)[0].write_bytes(b"no entry")
    policy = policy_of(case.stored.record)
    none = policy.model_copy(update={"waivers": None})
    at = "2026-11-28T10:00:00Z"
    assert waived(none, judged, ("3" * 64,), case.audit, at) == Waived(verdict=judged, used=())
    with pytest.raises(EvidenceError):
        waived(policy, judged, ("3" * 64,), case.audit, at)
