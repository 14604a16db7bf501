"""What a verdict says of the attempt that it is: looks, what all of them keep, what one costs."""

from __future__ import annotations

import pytest

from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.gate_set_attempt import (
    GateSetAttempt,
    attempt_sentences,
    promised_of_all,
    spent,
)


def policy(evidence: str) -> Policy:
    return parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: u}\n"
        f"evidence: {{{evidence}}}\nrules: [{{metric: recall, max_drop: 0.02}}]\n"
    )


def told(
    evidence: str,
    number: int = 1,
    look: int | None = None,
    unjudged: tuple[int, ...] | None = None,
) -> str:
    asked = policy(evidence)
    return attempt_sentences(
        asked,
        GateSetAttempt(
            gate_set="a" * 64,
            contents="b" * 64,
            candidate=("c" * 64,),
            baseline=("d" * 64,),
            rules="e" * 64,
            number=number,
            known=number,
            reuse=asked.evidence.reuse,
            alpha=spent(asked, number),
            alpha_of_all=promised_of_all(asked),
            look=look,
            unjudged=unjudged,
        ),
    )


@pytest.mark.parametrize(
    ("look", "begins"),
    [
        (None, "The policy allows 5 looks, each tested at 1 %: whichever decides, together they "),
        (3, "This is look 3 of 5, each tested at 1 %: whichever decides, together they "),
    ],
)
def test_looks_share_one_level_whichever_this_is(look: int | None, begins: str) -> None:
    sentence = told("confidence: 0.95, looks: 5, reuse: none", look=look)
    assert sentence.startswith(f"{begins}approve wrongly at most 5 % of the time. This is attempt")
    assert "look" not in told("confidence: 0.95, reuse: none")


def test_a_late_attempt_says_what_it_costs_until_no_test_can_show_anything() -> None:
    first, second, late = (told("confidence: 0.95, reuse: ledger", n) for n in (1, 2, 10**8))
    assert "takes about" not in first
    assert "That takes about 1." in second
    assert "rows of a test at" in second
    assert late.endswith(
        "That is less than the exact test of paired rates can show on any rows; a fresh gate set "
        "starts again at attempt 1."
    )


def test_rounds_that_nobody_judged_are_named() -> None:
    sentence = told("confidence: 0.95, looks: 5, reuse: none", look=4, unjudged=(2, 3))
    assert "no verdict on labelling round 2, 3; each round before the one judged counts" in sentence
