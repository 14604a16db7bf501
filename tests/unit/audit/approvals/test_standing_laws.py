"""Laws of the sign-off: what can turn a no into a yes, and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.audit.approvals.person import folded_name
from prunegate.audit.approvals.sign_off import (
    RecordFacts,
    VerifiedAnswer,
    ships_until,
    sign_off,
)
from prunegate.policy.approvals import Approvals, Required

START = datetime(2026, 11, 1, tzinfo=UTC)
RECORDS = ("a" * 64, "b" * 64)
FACTS = RecordFacts(record=RECORDS[0], report="c" * 64, outcome="approve")
PEOPLE = ("ann", "bob", "\uff21nn", "eve")  # full-width, the same as the first
KEYS = ("SHA256:1", "SHA256:2", "SHA256:3", "")
ROLES = ("client", "owner")


def days(first: int, last: int) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda day: START + timedelta(days=day))


def mostly(usual: object, *others: object) -> st.SearchStrategy:
    """What lets something ship, often enough that the laws have something to hold."""
    return st.sampled_from((*(usual,) * 3 * len(others), *others))


moments = days(0, 60)
said = st.builds(
    VerifiedAnswer,
    record=mostly(*RECORDS),
    report=mostly("c" * 64, "d" * 64),
    role=st.sampled_from(ROLES),
    decision=mostly("approve", "reject", "discuss"),
    person=st.sampled_from(PEOPLE),
    organisation=st.sampled_from(("x", "y", "")),
    key=st.sampled_from(KEYS),
    at=days(0, 12),
    expires=st.none() | days(8, 60),
    refused=mostly(None, "gate", "not_allowed"),
)
histories = st.lists(said, min_size=1, max_size=8)
wanted = st.builds(
    Approvals,
    required=st.lists(
        st.builds(Required, role=st.sampled_from(ROLES), count=mostly(1, 2)),
        min_size=1,
        max_size=2,
        unique_by=lambda one: one.role,
    ).map(tuple),
    distinct=st.lists(st.sampled_from(("person", "organisation")), unique=True).map(tuple),
    max_age_days=st.none() | st.integers(10, 40),
    attested=st.sampled_from(("refuse", "count")),
)
keyed = st.builds(
    lambda one: one.model_copy(update={"distinct": ("key", *one.distinct), "attested": "refuse"}),
    wanted,
)
revocations = st.sets(st.sampled_from(KEYS[:3]), max_size=1)
EVERY = (st.none() | wanted | keyed, histories, revocations, days(8, 30))


@settings(max_examples=times(32, thorough=160))
@given(*EVERY, st.data())
def test_taking_an_approval_away_never_lets_it_ship(asked, history, revoked, now, data) -> None:
    approvals = [n for n, one in enumerate(history) if one.decision == "approve"]
    if approvals and not sign_off(asked, FACTS, history, revoked, now).ships:
        gone = data.draw(st.sampled_from(approvals))
        rest = [one for n, one in enumerate(history) if n != gone]
        assert not sign_off(asked, FACTS, rest, revoked, now).ships


@settings(max_examples=times(32, thorough=160))
@given(*EVERY, said, st.data())
def test_adding_a_rejection_or_question_never_lets_it_ship(
    asked, history, revoked, now, more, data
) -> None:
    place = data.draw(st.integers(min_value=0, max_value=len(history)))
    decision = data.draw(st.sampled_from(("reject", "discuss")))
    if not sign_off(asked, FACTS, history, revoked, now).ships:
        longer = [*history[:place], replace(more, decision=decision), *history[place:]]
        assert not sign_off(asked, FACTS, longer, revoked, now).ships


@settings(max_examples=times(32, thorough=160))
@given(*EVERY, st.sampled_from(KEYS[:3]))
def test_revoking_a_key_never_lets_it_ship(asked, history, revoked, now, key) -> None:
    if not sign_off(asked, FACTS, history, revoked, now).ships:
        assert not sign_off(asked, FACTS, history, {*revoked, key}, now).ships


@settings(max_examples=times(32, thorough=160))
@given(*EVERY, moments)
def test_time_alone_never_lets_it_ship(asked, history, revoked, now, term) -> None:
    latest = max([now, *(one.at for one in history)])
    facts = replace(FACTS, revalidate_at=term)
    if not sign_off(asked, facts, history, revoked, latest).ships:
        for more in (1, 7, 40):
            later = latest + timedelta(days=more)
            assert not sign_off(asked, facts, history, revoked, later).ships


@settings(max_examples=times(32, thorough=160))
@given(*EVERY, moments)
def test_it_ships_until_the_very_moment_that_is_told(asked, history, revoked, now, term) -> None:
    facts = replace(FACTS, revalidate_at=term)

    def ships(at: datetime) -> bool:
        return sign_off(asked, facts, history, revoked, at).ships

    until = ships_until(asked, facts, history, revoked, now)
    if not ships(now):
        assert until is None
    elif until is None:
        assert all(ships(now + timedelta(days=more)) for more in range(120))
    else:
        assert now < until
        assert not ships(until)
        for more in range((until - now).days):
            assert ships(now + timedelta(days=more))
        assert ships(until - timedelta(seconds=1))


@settings(max_examples=times(32, thorough=160))
@given(wanted, histories, revocations, moments)
def test_words_on_another_record_never_count(asked, history, revoked, now) -> None:
    others = [replace(one, record=RECORDS[1]) for one in history]
    found = sign_off(asked, FACTS, others, revoked, now)
    assert not found.ships
    assert not found.counted
    assert (
        sign_off(asked, FACTS, [*others, *history], revoked, now).counted
        == sign_off(asked, FACTS, history, revoked, now).counted
    )


@settings(max_examples=times(32, thorough=160))
@given(wanted | keyed, histories, revocations, moments)
def test_what_ships_has_as_many_distinct_approvals_as_the_policy_asks(
    asked, history, revoked, now
) -> None:
    found = sign_off(asked, FACTS, history, revoked, now)
    if found.ships:
        for one in asked.required:
            mine = [said for said in found.counted if said.role == one.role]
            assert len({folded_name(said.person) for said in mine}) >= one.count
            if "key" in asked.distinct:
                assert len({said.key for said in mine if said.key}) >= one.count
            if "organisation" in asked.distinct:
                assert len({said.organisation for said in mine if said.organisation}) >= one.count


@pytest.mark.parametrize("distinct", [("person",), ("key", "person", "organisation")])
def test_approvals_count_in_whatever_order_people_sign(distinct: tuple[str, ...]) -> None:
    """Against every choice of two clients and an owner, written out."""
    asked = Approvals(
        required=(Required(role="client", count=2), Required(role="owner", count=1)),
        distinct=distinct,
    )
    people = (
        say("lea", "owner", organisation="z"), say("ann"), say("bob", organisation="y"),
        say("eve"), say("bob", "owner", organisation="y"),
    )  # fmt: skip
    for some in (chosen for size in (3, 4) for chosen in combinations(people, size)):
        fits = any(
            sorted(one.role for one in three) == ["client", "client", "owner"]
            and all(len({getattr(one, what) for one in three}) == 3 for what in distinct)
            for three in combinations(some, 3)
        )
        for order in permutations(some):
            signed = [replace(one, at=START + timedelta(hours=n)) for n, one in enumerate(order)]
            assert (whys(*signed, asked=asked) == []) == fits


@given(st.none() | wanted, histories, moments, st.sampled_from(("reject", "inconclusive", "")))
def test_no_signature_ships_what_was_not_approved(asked, history, now, outcome) -> None:
    facts = replace(FACTS, outcome=outcome)
    found = sign_off(asked, facts, history, (), now)
    assert not found.ships
    assert found.reasons[0].why == "outcome"


def say(person: str, role: str = "client", **more: object) -> VerifiedAnswer:
    given = {
        "record": RECORDS[0],
        "report": "c" * 64,
        "role": role,
        "decision": "approve",
        "person": person,
        "organisation": "x",
        "key": f"SHA256:{person}",
        "at": START,
        **more,
    }
    return VerifiedAnswer(**given)  # type: ignore[arg-type]


TWO = Approvals(
    required=(Required(role="client", count=1), Required(role="owner", count=1)),
    distinct=("key", "person", "organisation"),
    max_age_days=30,
)
NOW = START + timedelta(days=1)


def whys(*history: VerifiedAnswer, asked: Approvals = TWO, now: datetime = NOW) -> list[str]:
    return [one.why for one in sign_off(asked, FACTS, history, (), now).reasons]


def test_a_policy_from_elsewhere_that_asks_nobody_ships_nothing() -> None:
    """The schema refuses it; what was not read by the schema must not pass by it."""
    nobody = Approvals.model_construct(
        required=(), distinct=(), max_age_days=None, attested="refuse"
    )
    assert "no_approver" in whys(say("Ann"), say("Bob"), asked=nobody)
    assert "no_approver" in whys(asked=nobody)


def test_two_people_of_two_organisations() -> None:
    ann, bob = say("ann"), say("bob", "owner", organisation="y")
    assert whys(ann, bob) == []
    assert whys(ann) == ["missing"]
    assert whys() == ["missing", "missing"]
    assert whys(ann, replace(bob, organisation="X")) == ["not_distinct"]
    assert whys(ann, replace(bob, key=ann.key)) == ["not_distinct"]
    assert whys(ann, replace(bob, person="ANN")) == ["not_distinct"]
    assert whys(ann, replace(bob, organisation="")) == ["not_distinct"]
    assert whys(ann, bob, now=START + timedelta(days=30)) == ["missing", "missing"]
    assert whys(ann, bob, now=START + timedelta(days=30, seconds=-1)) == []


def test_a_second_choice_is_found_where_the_first_does_not_fit() -> None:
    ann = say("ann")
    assert whys(ann, say("eve", organisation="y"), say("bob", "owner")) == []


def test_nobody_counts_twice_in_one_role() -> None:
    asked = Approvals(required=(Required(role="client", count=2),), distinct=())
    ann = say("ann")
    assert whys(ann, replace(ann, key="SHA256:other"), asked=asked) == ["not_distinct"]
    assert whys(ann, asked=asked) == ["not_enough"]
    assert whys(ann, say("bob"), asked=asked) == []


def test_the_agency_cannot_attest_a_signed_rejection_away() -> None:
    asked = Approvals(required=(Required(role="client", count=1),), distinct=(), attested="count")
    no, yes = say("ann", decision="reject"), say("ann", key="")
    assert whys(no, yes, asked=asked) == ["rejected"]
    assert whys(replace(no, key=""), yes, asked=asked) == []
    assert whys(no, say("ann"), asked=asked) == []
    assert whys(say("ann"), replace(no, key=""), asked=asked) == ["rejected", "missing"]


def test_without_approvals_the_verdict_decides_and_a_rejection_stops_it() -> None:
    assert sign_off(None, FACTS, (), (), NOW).ships
    assert not sign_off(None, FACTS, (say("ann", decision="reject"),), (), NOW).ships


def test_a_second_rejection_does_not_weaken_the_first() -> None:
    asked = Approvals(required=(Required(role="client", count=1),), distinct=(), attested="count")
    no = say("ann", decision="reject")
    assert whys(no, replace(no, key=""), say("ann", key=""), asked=asked) == ["rejected"]


def test_each_reason_for_which_an_approval_does_not_count_is_named() -> None:
    asked = Approvals(required=(Required(role="client", count=1),), max_age_days=30)
    ann = say("ann")
    hour = timedelta(hours=1)

    def named(
        one: VerifiedAnswer,
        *more: VerifiedAnswer,
        now: datetime = NOW,
        revoked: tuple[str, ...] = (),
    ) -> str:
        found = sign_off(asked, FACTS, (one, *more), revoked, now)
        assert [reason.why for reason in found.reasons] == ["missing"]
        return found.passed_over[0][1]

    assert named(ann, revoked=(ann.key,)) == "revoked"
    assert named(replace(ann, expires=NOW)) == "expired"
    assert named(ann, now=START + timedelta(days=30)) == "too_old"
    assert named(replace(ann, at=NOW + hour)) == "not_yet"
    assert named(replace(ann, report="d" * 64)) == "another_page"
    assert named(replace(ann, record=RECORDS[1])) == "another_record"
    assert named(replace(ann, role="legal")) == "role"
    assert named(replace(ann, key="")) == "attested"
    assert named(replace(ann, refused="gate")) == "gate"
    assert named(ann, replace(ann, decision="discuss")) == "taken_back"
    assert sign_off(asked, FACTS, (replace(ann, expires=NOW + hour),), (), NOW).ships


def test_a_revoked_keys_rejection_stands_and_it_takes_none_back() -> None:
    asked = Approvals(required=(Required(role="client", count=1),))
    no = say("ann", decision="reject")
    history = (no, say("ann", key="SHA256:lost"), say("bob"))
    assert sign_off(asked, FACTS, history, (), NOW).ships
    for revoked in ("SHA256:lost", no.key):
        found = sign_off(asked, FACTS, history, (revoked,), NOW)
        assert found.ships is (revoked == no.key)
    found = sign_off(asked, FACTS, (no, say("bob")), (no.key,), NOW)
    assert [one.why for one in found.reasons] == ["rejected"]


def test_a_term_of_the_decision_ends_it() -> None:
    facts = replace(FACTS, revalidate_at=NOW)
    assert [one.why for one in sign_off(None, facts, (), (), NOW).reasons] == ["revalidate"]
    assert sign_off(None, facts, (), (), NOW - timedelta(seconds=1)).ships


@pytest.mark.parametrize("earlier", ["approve", "reject", "discuss"])
@pytest.mark.parametrize("later", ["approve", "reject", "discuss"])
def test_the_last_word_of_a_person_stands_but_a_question_takes_no_rejection_back(
    earlier: str, later: str
) -> None:
    asked = Approvals(required=(Required(role="client", count=1),))
    history = (say("ann", decision=earlier), say("ann", decision=later))
    found = sign_off(asked, FACTS, history, (), NOW)
    replaced = {"approve": later != "approve", "discuss": True, "reject": later == "approve"}
    expected = [(history[0], "taken_back")] if replaced[earlier] else []
    assert list(found.passed_over) == expected
    assert found.ships == (later == "approve")
