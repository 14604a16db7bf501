"""A later copy of a page tells the answers of the audit trail, and is held to what it carries."""

from __future__ import annotations

import dataclasses
import html
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType

import pytest

from prunegate.audit.approvals.request import Decision
from prunegate.audit.approvals.sign_off import (
    RecordFacts,
    Refusal,
    SignOffState,
    VerifiedAnswer,
    sign_off,
)
from prunegate.errors import EvidenceError
from prunegate.policy.approvals import Approvals, Required
from prunegate.report import render
from prunegate.report.page_one.answer import GivenAnswer, SignOffShown
from prunegate.report.told_answers import answers_on, shown_of

ANN = VerifiedAnswer(
    record="r", report="p", role="client", decision="approve", person='Ann "<b>" {sign}',
    organisation="Client", key="SHA256:x", at=datetime(2026, 2, 4, tzinfo=UTC),
)  # fmt: skip


def _page(records: ModuleType, many_records: ModuleType, state: object) -> str:
    record = many_records.many(records, 1, "approve")
    return render(record, digest=records.DIGEST, pictures={}, state=state)


def test_a_copy_carries_what_it_tells(records: ModuleType, many_records: ModuleType) -> None:
    legal = Refusal(why="missing", role="legal", needed=2, given=0)
    standing = SignOffState(reasons=(legal,), counted=(ANN,), passed_over=())
    state = shown_of(standing, None, "2026-02-05T00:00:00Z")
    page = _page(records, many_records, state)
    assert answers_on(page) == state
    assert state.missing == ("legal", "legal")
    assert "Missing: 2\u00a0×\u00a0legal." in page
    assert "Ann &#34;&lt;b&gt;&#34; {sign} (client): agreed, 4 February 2026" in page
    assert answers_on(_page(records, many_records, None)) is None


SAYS = {
    "approve": ("YES. It may replace the current model.", "All signatures that are asked for"),
    "discuss": ("YES, once it is signed.", "Missing: legal."),
    "reject": ("NOT NOW. It passed, and was stopped", "It may not ship now: "),
}


@pytest.mark.parametrize("decision", ["approve", "discuss", "reject"])
def test_the_copys_answer_is_that_of_the_people(
    records: ModuleType, many_records: ModuleType, decision: Decision
) -> None:
    """Whoever objected is named with her reasons, and no copy says yes against her."""
    said = dataclasses.replace(ANN, decision=decision, role="legal", conditions="only <i>here</i>")
    record = many_records.many(records, 1, "approve")
    wanted = Approvals(required=(Required(role="legal"),))
    facts = RecordFacts(record="r", report="p", outcome="approve")
    standing = sign_off(wanted, facts, [said], (), datetime(2026, 2, 5, tzinfo=UTC))
    state = shown_of(standing, None, "2026-02-05T00:00:00Z")
    page = render(record, digest=records.DIGEST, pictures={}, state=state)
    told = {"approve": "agreed", "discuss": "wants to discuss it", "reject": "did not agree"}
    assert f"(legal): {told[decision]}, 4 February 2026, “only &lt;i&gt;here&lt;/i&gt;”" in page
    assert {other for other, (head, _) in SAYS.items() if head in page} == {decision}
    assert SAYS[decision][1] in page
    assert ("approval-request.json" in page) == (decision != "approve")
    assert ('class="page-one inconclusive' in page) == (decision == "reject")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_copy_says_when_it_ceases_to_hold(
    records: ModuleType, many_records: ModuleType, language: str
) -> None:
    """Whoever reads it on paper later has to know that it may hold no more."""
    record = many_records.many(records, 1, "approve")
    document = {**record.policy.document, "report": {"language": language}}
    record = replace(record, policy=replace(record.policy, document=document))
    own = replace(ANN, person="Lea", expires=datetime(2027, 1, 5, tzinfo=UTC))
    standing = SignOffState(reasons=(), counted=(ANN, own), passed_over=())
    until = datetime(2026, 12, 1, tzinfo=UTC)
    state = shown_of(standing, until, "2026-11-29T00:00:00Z")
    page = render(record, digest=records.DIGEST, pictures={}, state=state)
    assert answers_on(page) == state
    end = {"en": "1 December 2026, 00:00 UTC", "de": "1. Dezember 2026, 00:00 UTC"}[language]
    assert page.count(end) == 2  # where it says that it may go live, and where people signed
    assert {"en": "until 5 January 2027", "de": "bis zum 5. Januar 2027"}[language] in page
    assert "No day is set" not in page
    unsigned = render(record, digest=records.DIGEST, pictures={})
    days = {"en": "A signature counts for 30 days.", "de": "Eine Unterschrift gilt 30 Tage."}
    assert (days[language] in unsigned, end in unsigned) == (True, False)


def test_what_is_damaged_is_refused(records: ModuleType, many_records: ModuleType) -> None:
    page = _page(records, many_records, many_records.SIGNED)
    with pytest.raises(EvidenceError, match="cannot be read"):
        answers_on(page.replace("&#34;given&#34;", "&#34;taken&#34;"))
    assert dataclasses.asdict(many_records.SIGNED)["given"][0]["person"] in page


@pytest.mark.parametrize("wrong", [None, 5, ["x"], {"a": 1}, "\u202e", [[[]]]])
def test_answers_of_another_type_are_damage(wrong: object) -> None:
    """Each field in turn; a text that is none of ours is a text, but a decision is one of three."""
    whole = dataclasses.asdict(
        SignOffShown(
            at="2026-11-29T00:00:00Z",
            ships=False,
            stopped=False,
            given=(GivenAnswer(person="Ann", role="client", decision="approve", day="2026-11-28"),),
            missing=(),
        )
    )
    texts = {"at", "until", "person", "role", "day", "conditions"}
    for holder in (whole, whole["given"][0]):
        for name, value in list(holder.items()):
            same = isinstance(wrong, str) and name in texts
            holder[name] = wrong
            content = html.escape(json.dumps(whole, ensure_ascii=False), quote=True)
            page = f'<meta name="prunegate-answers" content="{content}"><body>'
            if same or (name == "missing" and wrong == ["x"]):
                assert answers_on(page) is not None
            else:
                with pytest.raises(EvidenceError, match="cannot be read"):
                    answers_on(page)
            holder[name] = value
