"""Statements: one spelling, small whatever the record, and never kinder than the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.record import DecisionRecord, Input
from prunegate.audit.signing.decision import DECISION, decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import PrivateKey, generate
from prunegate.audit.signing.statement import Statement, Subject, parse_statement
from prunegate.audit.signing.test_result import result_statement
from prunegate.errors import EvidenceError

SHA = "ab" * 32
LARGEST_ENTRY = 65_535

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(
    names=st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True),
    predicate=st.dictionaries(st.text(), json_values, max_size=4),
)
def test_a_statement_reads_back(names: list[str], predicate: dict[str, Any]) -> None:
    statement = Statement(
        subjects=tuple(Subject(name=name, sha256=SHA) for name in names),
        predicate_type="urn:prunegate:seal:v1",
        predicate=predicate,
    )
    content = statement.to_bytes()
    assert parse_statement(content) == statement
    assert parse_statement(content).to_bytes() == content


def _statement(**changes: Any) -> bytes:
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha256": SHA}}],
        "predicateType": "urn:prunegate:seal:v1",
        "predicate": {},
        **changes,
    }
    return canonical_bytes({k: v for k, v in value.items() if v is not None})


def _subject(**changes: Any) -> bytes:
    return _statement(subject=[{"name": "x", "digest": {"sha256": SHA}, **changes}])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (_statement(more=1), 'has a field that is not known: "more"'),
        (_statement(predicate=None), "lacks the field 'predicate'"),
        (_statement(_type="https://in-toto.io/Statement/v0.1"), "its type is"),
        (_statement(predicateType="decision"), 'the predicate type "decision" is no URI'),
        (_statement(predicateType=7), "the predicate type 7 is no URI"),
        (_statement(predicate=[]), "'predicate' is no object"),
        (_statement(subject=[]), "has no subject, so it is about nothing"),
        (_statement(subject={}), "has no subject"),
        (_statement(subject=[7]), "subject[0]: a JSON object was expected"),
        (_subject(uri="x"), 'subject[0]: has a field that is not known: "uri"'),
        (_subject(name=""), "subject[0]: has no name"),
        (_subject(digest={"sha1": SHA}), 'digest: has a field that is not known: "sha1"'),
        (_subject(digest={"sha256": SHA.upper()}), "is no sha256 in lower-case hexadecimal"),
        (_subject(digest={"sha256": SHA[1:]}), "is no sha256"),
        (
            _statement(subject=[{"name": "x", "digest": {"sha256": SHA}}] * 2),
            'two subjects are called "x"',
        ),
        (_statement().replace(b'"predicate":', b'"predicate":{},"predicate":', 1), "occurs twice"),
    ],
)
def test_what_is_no_statement_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        parse_statement(content, "entry 7")
    assert said in str(caught.value)
    assert str(caught.value).startswith("entry 7: ")


def test_a_statement_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(EvidenceError, match="no sha256"):
        Statement(
            subjects=(Subject(name="x", sha256="?"),), predicate_type="urn:x", predicate={}
        ).to_bytes()


def test_the_decision_statement_is_golden(record: DecisionRecord, golden: Path) -> None:
    dated = replace(record, revalidate_on="2026-07-01")
    statement = decision_statement(dated, SHA, report_sha256="cd" * 32)
    assert statement.to_bytes() == (golden / "decision.json").read_bytes()
    assert statement.predicate_type == DECISION


def test_a_decision_names_what_it_binds(record: DecisionRecord) -> None:
    subjects = {s.name: s.sha256 for s in decision_statement(record, SHA).subjects}
    assert list(subjects) == ["record.json", "policy", "candidate", "baseline", "predictions/t.csv"]
    assert record.candidate is not None
    assert subjects["candidate"] == record.candidate.digest
    bare = decision_statement(replace(record, candidate=None, baseline=None, inputs=()), SHA)
    assert [s.name for s in bare.subjects] == ["record.json", "policy"]


def test_no_record_makes_an_entry_too_large(record: DecisionRecord) -> None:
    """A thousand files with names of the longest kind, and texts without end."""
    worst = "\U0001f600" * 300
    file = record.inputs[0]
    large = replace(
        record,
        inputs=tuple(replace(file, name=f"{worst}{i}") for i in range(1_000)),
        statement=worst * 100,
        command="\u202e" * 10_000,
        policy=replace(record.policy, name=worst * 100),
        findings=record.findings * 1_000,
    )
    statement = decision_statement(large, SHA, report_sha256=SHA)
    keys: list[PrivateKey] = [generate() for _ in range(8)]
    assert len(statement.to_bytes()) < 40_000
    assert len(sign_envelope(statement.to_bytes(), keys)) < LARGEST_ENTRY
    assert statement.predicate["inputs_not_named"] == 1_000 - 32
    assert statement.predicate["findings"]["pass"] == 1_000


def test_a_sentence_is_whole_up_to_its_length(record: DecisionRecord) -> None:
    for length, wanted in ((2000, "a" * 2000), (2001, "a" * 1999 + "…")):
        said = decision_statement(replace(record, statement="a" * length), SHA).predicate
        assert said["statement"] == wanted


@given(names=st.lists(st.sampled_from(["a", "a#2", "a#3", "b\u202e"]), max_size=8))
def test_files_of_one_name_stay_apart(names: list[str]) -> None:
    record = _RECORD[0]
    inputs = tuple(Input(role="data", name=name, sha256=SHA) for name in names)
    statement = decision_statement(replace(record, inputs=inputs), SHA)
    assert len(statement.subjects) == 4 + len(names)
    statement.to_bytes()


_RECORD: list[DecisionRecord] = []


@pytest.fixture(scope="module", autouse=True)
def _keep(record: DecisionRecord) -> None:
    """Hypothesis draws many examples with one record."""
    _RECORD.append(record)


Change = Callable[[DecisionRecord], DecisionRecord]


def _findings(*statuses: str) -> Change:
    def change(record: DecisionRecord) -> DecisionRecord:
        made = [
            replace(record.findings[0], status=s.split()[0], severity=s.split()[-1])
            for s in statuses
        ]
        return replace(record, findings=tuple(made))

    return change


@pytest.mark.parametrize(
    ("outcome", "statuses", "result", "numbers"),
    [
        ("approve", ["pass block"], "PASSED", (1, 0, 0)),
        ("approve", ["pass block", "fail warn"], "WARNED", (1, 1, 0)),
        ("approve", ["pass block", "inconclusive warn"], "WARNED", (1, 1, 0)),
        ("approve", ["pass block", "waived block"], "WARNED", (1, 1, 0)),
        ("approve", ["pass block", "fail block"], "FAILED", (1, 0, 1)),
        ("inconclusive", ["pass block", "inconclusive block"], "FAILED", (1, 0, 1)),
        ("inconclusive", ["pass block"], "FAILED", (1, 0, 0)),
        ("reject", ["fail block", "waived block", "pass warn"], "FAILED", (1, 1, 1)),
    ],
)
def test_the_twin_is_never_kinder_than_the_decision(
    outcome: Any, statuses: list[str], result: str, numbers: tuple[int, ...], record: DecisionRecord
) -> None:
    statement = result_statement(replace(_findings(*statuses)(record), outcome=outcome), SHA)
    found = statement.predicate
    assert found["result"] == result
    assert tuple(len(found[k]) for k in ("passedTests", "warnedTests", "failedTests")) == numbers
    statement.to_bytes()


def test_the_twin_is_golden_and_about_the_candidate_alone(
    record: DecisionRecord, golden: Path
) -> None:
    statement = result_statement(record, SHA)
    assert statement.to_bytes() == (golden / "test_result.json").read_bytes()
    assert [s.name for s in statement.subjects] == ["candidate"]
    judged = result_statement(replace(record, candidate=None), SHA)
    assert [s.name for s in judged.subjects] == ["predictions/t.csv"]
    bare = result_statement(replace(record, candidate=None, inputs=()), SHA)
    assert [s.name for s in bare.subjects] == ["record.json"]


def test_the_twin_has_the_fields_of_the_predicate(record: DecisionRecord) -> None:
    """in-toto/attestation, spec/predicates/test-result.md, version 0.1.0."""
    value = json.loads(result_statement(record, SHA).to_bytes())
    assert value["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert value["predicate"] == {
        "result": "PASSED",
        "configuration": [{"name": "small", "digest": {"sha256": record.policy.sha256}}],
        "passedTests": ["rule 0: recall max_drop on overall"],
        "warnedTests": [],
        "failedTests": [],
    }
