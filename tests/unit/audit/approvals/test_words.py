"""Every reason has its sentence, which tells what to do next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from prunegate.audit.approvals.request import SIGN
from prunegate.audit.approvals.sentences import PASSED_OVER, refusal_sentences, said_words
from prunegate.audit.approvals.sign_off import (
    PassedOver,
    Refusal,
    SignOffState,
    VerifiedAnswer,
    Why,
)


@pytest.mark.parametrize("why", get_args(Why))
def test_every_reason_has_a_sentence(why: Why) -> None:
    reason = Refusal(why=why, role="cli\u202eent", by=("an\nn",), needed=2, given=1)
    (told,) = refusal_sentences(SignOffState(reasons=(reason,), counted=(), passed_over=()))
    assert told.isprintable()
    assert "{" not in told


def test_what_is_missing_tells_what_to_type() -> None:
    reason = Refusal(why="missing", role="client", needed=1, passed_over=("expired",))
    (told,) = refusal_sentences(SignOffState(reasons=(reason,), counted=(), passed_over=()))
    assert SIGN in told
    assert "prunegate approve RECORD --signature" in told
    assert "it has expired" in told


def test_every_reason_to_pass_over_has_words() -> None:
    assert set(PASSED_OVER) == set(get_args(PassedOver))


def test_an_attested_word_is_shown_as_weaker() -> None:
    said = VerifiedAnswer(
        record="a" * 64,
        report="b" * 64,
        role="client",
        decision="approve",
        person="Ann",
        organisation="",
        key="",
        at=datetime(2026, 11, 28, tzinfo=UTC),
        conditions="only\nbanners",
    )
    told = said_words(said)
    assert "attested by the agency, not signed" in told
    assert "not sealed yet" in told
    assert told.isprintable()
