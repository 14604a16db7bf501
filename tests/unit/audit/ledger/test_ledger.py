"""The ledger: numbers of attempts, read from nothing but the entries of the audit trail."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.ledger import Ledger, Past, Tried, bar_of, known_in, numbered
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending, pending_names
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.record import Bar
from prunegate.audit.sealed_bar import SEAL
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.load import parse_policy
from prunegate.verdict.gate_set_attempt import GateSetAttempt

POLICY = parse_policy(
    "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    "rules: [{metric: recall, max_drop: 0.02}]\n"
)
CREATED = "2026-11-28T09:00:00Z"


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def tried(candidate: str = "one", rules: str = "rules", gate_set: str = "set") -> Tried:
    return Tried(
        gate_set=digest(gate_set),
        contents=digest(gate_set),
        candidate=(digest(candidate),),
        baseline=(digest("baseline"),),
        rules=digest(rules),
    )


def entry(one: Tried, number: int, created: str = CREATED) -> bytes:
    attempt = {
        "gate_set": one.gate_set,
        "contents": one.contents,
        "candidate": list(one.candidate),
        "baseline": list(one.baseline),
        "rules": one.rules,
        "number": number,
        "alpha": 0.05,
        **{name: value for name in ("list", "ids") if (value := getattr(one, name)) is not None},
    }
    return envelope(DECISION, {"created": created, "attempt": attempt})


def envelope(kind: str, predicate: dict[str, object]) -> bytes:
    statement = Statement(
        subjects=(Subject(name="record.json", sha256=digest("record")),),
        predicate_type=kind,
        predicate=predicate,
    )
    return sign_envelope(statement.to_bytes(), [])


def take(audit: Path, one: Tried) -> GateSetAttempt:
    with Ledger(audit) as ledger:
        return ledger.take(POLICY, one)[0]


def file(audit: Path, one: Tried) -> GateSetAttempt:
    with Ledger(audit) as ledger:
        attempt = ledger.take(POLICY, one)[0]
        add_pending(entry(one, attempt.number), audit)
    return attempt


def seal_all(audit: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    if not (audit / "checkpoint").exists():
        begin_log(audit, "example.com/log", key)
    seal_log(audit, key, read_entry, datetime(2026, 11, 28, 10, tzinfo=UTC))


@given(st.lists(st.sampled_from("abcde"), max_size=30))
def test_numbers_are_those_of_distinct_pairs_in_order(candidates: Sequence[str]) -> None:
    past: list[Past] = []
    for name in candidates:
        one = tried(name)
        number, known = numbered(past, one)
        assert number == list(dict.fromkeys(candidates)).index(name) + 1
        assert known == max(number, len({p.tried.candidate for p in past}))
        past.append(Past(tried=one, number=number))


def test_one_digest_in_common_makes_a_candidate_the_same() -> None:
    run = Tried(**{**vars(tried()), "candidate": (digest("answers"), digest("files"))})
    again = Tried(**{**vars(run), "candidate": (digest("files"), digest("on another CPU"))})
    judged = Tried(**{**vars(run), "candidate": (digest("answers"),)})
    other_rules = Tried(**{**vars(run), "rules": digest("other")})
    other_baseline = Tried(**{**vars(run), "baseline": (digest("other"),)})
    past = [Past(tried=run, number=1)]
    assert [numbered(past, one)[0] for one in (again, judged)] == [1, 1]
    assert [numbered(past, one)[0] for one in (other_rules, other_baseline)] == [2, 2]


def part(of: str | None, looks: bool = False, **more: Any) -> Tried:
    """An attempt on the labels of a list (None: of every row) of one set of rows."""
    own = {
        "gate_set": digest("ids" if of else "labels"),
        "ids": digest("ids"),
        "list": digest(of) if of else None,
        "in_looks": looks,
    }
    return Tried(**{**vars(tried()), **own, **more})


@given(st.lists(st.sampled_from(["one list", "another", None, "third"])))
def test_every_other_choice_of_labels_is_an_attempt_and_looks_are_one(
    chosen: Sequence[str | None],
) -> None:
    for looks in (False, True):
        past: list[Past] = []
        for of in chosen:
            past.append(Past(tried=part(of, looks), number=numbered(past, part(of, looks))[0]))
        distinct = list(dict.fromkeys(chosen))
        expected = [1 if looks else distinct.index(of) + 1 for of in chosen]
        assert [one.number for one in past] == expected


def test_labels_of_some_rows_and_of_all_are_one_gate_set(tmp_path: Path) -> None:
    steps = [part("list"), part("redrawn"), part(None), part("list")]
    assert [file(tmp_path, one).number for one in steps] == [1, 2, 3, 1]
    other_labels = part(None, gate_set=digest("corrected"))
    assert file(tmp_path, other_labels).number == 3, "sees the lists, not the other labels"
    assert file(tmp_path, part("list", ids=digest("x"), gate_set=digest("x"))).number == 1
    seal_all(tmp_path)
    assert take(tmp_path, part("new list")).number == 5, "sees all labels of these rows"


def test_a_number_is_not_given_twice_where_entries_are_missing() -> None:
    assert numbered([Past(tried=tried("late"), number=7)], tried("new")) == (8, 8)
    twice = [Past(tried=tried(name), number=2) for name in ("a", "b")]  # two branches that merged
    assert numbered([Past(tried=tried("first"), number=1), *twice], tried("new")) == (4, 4)


def test_pending_and_sealed_entries_count_alike(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    assert take(audit, tried("a")).number == 1
    assert not audit.exists()  # asking leaves nothing
    assert [file(audit, tried(name)).number for name in "aba"] == [1, 2, 1]
    assert take(audit, tried("c", gate_set="another")).number == 1
    add_pending(envelope("urn:prunegate:loosening:v1", {"created": CREATED}), audit)
    seal_all(audit)
    assert not pending_names(audit)
    assert [file(audit, tried(name)).number for name in "bca"] == [2, 3, 1]
    attempt = take(audit, tried("d"))
    assert (attempt.number, attempt.known, attempt.reuse) == (4, 4, "ledger")
    assert attempt.alpha == pytest.approx(0.0019, abs=5e-5)
    assert attempt.alpha_of_all == pytest.approx(0.0696, abs=5e-5)


def test_a_log_that_lost_entries_is_noticed(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    file(audit, tried("a"))
    seal_all(audit)
    (bundle,) = (p for p in (audit / "tile" / "entries").rglob("*") if p.is_file())
    content = bundle.read_bytes()
    bundle.write_bytes(content[:-1])
    with pytest.raises(EvidenceError, match="cut off"):
        take(audit, tried("b"))
    bundle.unlink()
    with pytest.raises(EvidenceError, match="is missing"):
        take(audit, tried("b"))
    (audit / "checkpoint").unlink()
    with pytest.raises(EvidenceError, match="checkpoint is missing"):
        take(audit, tried("b"))
    (audit / "trust.policy").unlink()
    shutil.rmtree(audit / "tile")
    with pytest.raises(EvidenceError, match=r"checkpoint is missing .* where a log was begun"):
        take(audit, tried("b"))  # its index still lies there


def test_what_is_no_entry_is_refused(tmp_path: Path) -> None:
    file(tmp_path, tried("a"))
    stray = tmp_path / "pending" / "notes.txt"
    stray.write_text("hello")
    with pytest.raises(InputError, match="take it out of here"):
        take(tmp_path, tried("b"))
    stray.unlink()
    for wrong in (0, True, "2", None):
        broken = tmp_path / str(wrong)
        add_pending(entry(tried("b"), wrong), broken)  # type: ignore[arg-type]  # as a foreign tool might
        with pytest.raises(EvidenceError, match="not what prunegate writes"):
            take(broken, tried("a"))


def test_two_gates_at_once_do_not_take_the_same_number(tmp_path: Path) -> None:
    audit, first_has_it, numbers = tmp_path / "new" / "audit", threading.Event(), []

    def second() -> None:
        first_has_it.wait()
        numbers.append(file(audit, tried("second")).number)

    other = threading.Thread(target=second)
    other.start()
    with Ledger(audit) as ledger:
        attempt = ledger.take(POLICY, tried("first"))[0]
        first_has_it.set()
        other.join(timeout=0.3)
        assert other.is_alive()  # it waits
        add_pending(entry(tried("first"), attempt.number), audit)
    other.join()
    assert (attempt.number, numbers) == (1, [2])


def test_waiting_ends(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, Ledger(tmp_path, wait_s=0.1) as other:
        ledger.take(POLICY, tried())
        with pytest.raises(InputError, match="another gate"):
            other.take(POLICY, tried())
    assert take(tmp_path, tried()).number == 1


def test_what_is_held_is_tried_again_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast or slow the machine: it is let go in the pause after the first try."""
    with ExitStack() as stack:
        stack.enter_context(Ledger(tmp_path)).take(POLICY, tried())
        monkeypatch.setattr("prunegate.audit.ledger.time.sleep", lambda _: stack.close())
        assert take(tmp_path, tried()).number == 1


def test_a_file_system_that_locks_no_folders_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def refuse(handle: Any, kind: int) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        if stat.S_ISDIR(os.fstat(number).st_mode):  # as NFS does
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(handle, kind)

    monkeypatch.setattr("prunegate.audit.ledger.fcntl.flock", refuse)
    assert [file(tmp_path, tried(name)).number for name in "ab"] == [1, 2]


def bar_entry(rules: str, created: str) -> bytes:
    names = {"rules": digest(rules), "gate_set": digest("set"), "contents": digest("set")}
    return envelope(SEAL, {"created": created, **names})


def moment(hours: int) -> str:
    return (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%XZ")


def test_the_bar_of_a_verdict_is_the_earliest_that_is_the_same(tmp_path: Path) -> None:
    for rules, at in (("other", 1), ("rules", 3), ("rules", 2), ("other", 4)):
        add_pending(bar_entry(rules, moment(at)), tmp_path)
    known = known_in(tmp_path, tried())
    assert len(known.bars) == 4

    def bar(predicted: str | None, rules: str = "rules") -> Bar:
        found = bar_of(known.bars, take(tmp_path, tried(rules=rules)), predicted)
        assert found is not None
        return found

    assert (bar(None).sealed_at, bar(None).before_predictions) == (moment(2), None)
    assert [bar(moment(at)).before_predictions for at in (1, 2, 3)] == [False, False, True]
    stranger = bar(None, rules="never sealed")
    assert (stranger.sealed_at, stranger.rules) == (moment(4), digest("other"))
    assert bar_of((), take(tmp_path, tried()), None) is None
