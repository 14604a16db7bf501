"""Words: a standing in sentences, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.audit.approvals.request import FILE, SIGN
from prunegate.audit.approvals.sign_off import (
    PassedOver,
    Refusal,
    SignOffState,
    VerifiedAnswer,
    Why,
)
from prunegate.text.escape import escaped

PASSED_OVER: dict[PassedOver, str] = {
    "another_record": "it is of another record",
    "another_page": "it is of another page than the one beside the record",
    "not_yet": "it is dated later than now",
    "revoked": "its key was revoked",
    "expired": "it has expired",
    "too_old": "it is older than the policy allows",
    "taken_back": "the same person said otherwise later",
    "attested": "only the agency attests it, and the policy counts signed ones",
    "role": "the policy asks for no such role",
    "gate": "it was signed with the gate's own key, which never approves",
    "not_allowed": "its key is not enrolled and allowed to sign in this role",
    "repeated": "it is a word that was brought in before, once more",
    "not_sealed": "it is not sealed into the log yet",
    "enrolment_not_sealed": (
        "the enrolment of its key is not sealed into the log yet; run 'prunegate audit seal'"
    ),
}
_WHY: dict[Why, str] = {
    "outcome": "outcome: the record's decision is not approve, and no signature changes that",
    "revalidate": "revalidate: the decision's term is over; judge the candidate again",
    "waiver_expired": (
        "expired: a waiver of {people} that the decision rests on has ended; judge again, with a "
        "new waiver if it is to stay waived"
    ),
    "waiver_revoked": (
        "revoked: the key of {people}, which signed a waiver that the decision rests on, is "
        "trusted no more; judge again"
    ),
    "waiver_not_sealed": (
        "not sealed: a waiver of {people} that the decision rests on is not in the log yet; "
        "'prunegate audit seal' puts it there"
    ),
    "rejected": "rejected: {people} did not accept it; only the same person can take that back",
    "missing": (
        "missing: no approval as {role} counts{passed}. Send report.html and {file} to whoever "
        "speaks as {role}: they fill in the answer at its beginning and sign it with '{sign}'; "
        "'prunegate approve RECORD --signature {file}.sig' brings it in"
    ),
    "not_enough": (
        "not enough: {given} of {needed} approvals as {role} count{passed}; send report.html and "
        "{file} to somebody else who speaks as {role}"
    ),
    "not_distinct": (
        "not distinct: approvals{place} share a person, a key or an organisation; ask somebody "
        "else, with a key of her own, or enrol whose keys they are"
    ),
    "no_approver": "missing: the policy's approvals name nobody",
}


def refusal_sentences(standing: SignOffState) -> Iterator[str]:
    """Why it may not ship, one sentence each; nothing where it may."""
    for reason in standing.reasons:
        yield _sentence(reason)


def said_words(one: VerifiedAnswer) -> str:
    """One person's word in a line."""
    who = f"{escaped(one.person)} as {escaped(one.role)}"
    who += f", {escaped(one.organisation)}" if one.organisation else ""
    how = "attested by the agency, not signed" if one.attested else f"signed with {one.key}"
    sealed = "not sealed yet" if one.number is None else f"entry {one.number}"
    ends = f", until {one.expires:%Y-%m-%dT%H:%M:%SZ}" if one.expires else ""
    told = f"{one.decision} by {who}; {how}; {one.at:%Y-%m-%dT%H:%M:%SZ}{ends}; {sealed}"
    return f"{told}; under conditions: {escaped(one.conditions)}" if one.conditions else told


def _sentence(reason: Refusal) -> str:
    role = escaped(reason.role)
    people = ", ".join(escaped(name) for name in reason.by)
    why = " and ".join(PASSED_OVER[one] for one in reason.passed_over)
    return _WHY[reason.why].format(
        role=role,
        people=people,
        given=reason.given,
        needed=reason.needed,
        passed=f" (what there is does not count: {why})" if why else "",
        place=f" as {role}" if role else f" (of {people})",
        file=FILE,
        sign=SIGN,
    )
