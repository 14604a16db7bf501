"""Looks at labels of one gate set: counted by their labels, in the order of rounds, and so many."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.ledger import Ledger, Past, Tried, known_in, look_of
from prunegate.audit.log.pending import add_pending
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.load import parse_policy

POLICY = parse_policy(
    "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    "rules: [{metric: recall, max_drop: 0.02}]\n"
)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def look(labels: str | None, number: int | None = None) -> Tried:
    """A look at the labels of a list, in a round; None: at those of every row."""
    return Tried(
        gate_set=digest("ids" if labels else "labels"),
        contents=digest("set"),
        candidate=(digest("one"),),
        baseline=(digest("old"),),
        rules=digest("rules"),
        list=None if labels is None else digest(labels),
        round=number,
        ids=digest("ids"),
        in_looks=True,
    )


def past(*looks: Tried) -> list[Past]:
    return [Past(tried=one, number=1) for one in looks]


def number_of(known: list[Past], tried: Tried, looks: int = 9) -> int:
    found = look_of(known, tried, looks)
    assert found is not None
    return found.number


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=9), st.integers(2, 6))
def test_the_same_labels_are_the_same_look_and_others_the_next(
    seen: Sequence[str | None], looks: int
) -> None:
    distinct = list(dict.fromkeys(seen))
    for labels in ("a", None, "new"):
        known = past(*map(look, seen))
        if labels in distinct:
            assert number_of(known, look(labels), looks) == distinct.index(labels) + 1
        elif len(distinct) < looks:
            assert number_of(known, look(labels), looks) == len(distinct) + 1
        else:
            with pytest.raises(InputError, match=f"the policy allows {looks} looks"):
                look_of(known, look(labels), looks)
        assert look_of(known, look(labels), 1) is None


def test_rounds_are_judged_in_order() -> None:
    known = past(look("first", 1), look("third", 3), look(None))
    with pytest.raises(InputError, match=r"round 3 of labelling was judged .* before round 2"):
        look_of(known, look("second", 2), 9)
    assert number_of(known, look("first", 1)) == 1
    assert number_of(known, look("again", 3)) == 4
    assert number_of(known, look("fourth", 4)) == 4
    assert number_of(known, look("elsewhere")) == 4


def pended(audit: Path, kind: str, **said: object) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha256": digest("x")}}],
        "predicateType": kind,
        "predicate": {"created": "2026-11-28T09:00:00Z", **said},
    }
    add_pending(sign_envelope(canonical_bytes(statement), []), audit)


@pytest.mark.parametrize(
    "wrong",
    [{"contents": "short"}, {"rules": 3}, {"waivers": {"at_most": True}}, {"waivers": "none"}],
)
def test_a_bar_that_nobody_of_us_sealed_is_no_bar(tmp_path: Path, wrong: dict[str, object]) -> None:
    seal = {"gate_set": digest("labels"), "contents": digest("set"), "rules": digest("rules")}
    pended(tmp_path / "good", "urn:prunegate:seal:v1", **seal)
    assert len(known_in(tmp_path / "good", look(None)).bars) == 1
    pended(tmp_path / "bad", "urn:prunegate:seal:v1", **{**seal, **wrong})
    with pytest.raises(EvidenceError, match="not what prunegate writes"):
        known_in(tmp_path / "bad", look(None))


def test_an_attempt_on_another_gate_set_is_none_of_this(tmp_path: Path) -> None:
    """Its digest may stand in the entry all the same, as that of a model, say."""
    other = {name: digest(name) for name in ("gate_set", "contents", "rules")}
    named = {"candidate": [digest("labels")], "baseline": [digest("old")], "number": 7}
    pended(tmp_path, DECISION, attempt={**other, **named})
    assert known_in(tmp_path, look(None)).attempts == ()
    (kept,) = (tmp_path / "pending").iterdir()
    envelope = json.loads(kept.read_bytes())
    assert digest("labels").encode() in base64.b64decode(envelope["payload"])


def test_two_numbers_may_be_taken_while_the_folder_is_held(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        taken = [ledger.take(POLICY, look("a"))[0].number for _ in range(2)]
    assert taken == [1, 1]
