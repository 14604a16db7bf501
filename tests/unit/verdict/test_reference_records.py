"""What is asked of the reference, in counts, records, second opinions and reports."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.verdict.reference_rows import CASES, _policy, _reference, _rows

import prunegate
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.recompute import differences
from prunegate.errors import InternalError
from prunegate.gate import gate
from prunegate.policy.load import read_policy
from prunegate.report.render import render
from prunegate.verdict.finding import BEATS_CONSTANT
from prunegate.verdict.outcome import outcome


def test_the_rules_findings_are_the_same_with_and_without() -> None:
    """The reference takes nothing from the tests of the rules, and adds no approve."""
    for rows in (_rows(), _rows(right=0.5), _rows().assign(candidate=0.9)):
        without = prunegate.judge(_policy(evidence={"reference": "off"}), rows)
        whole = prunegate.judge(_policy(), rows)
        assert whole.findings[: len(without.findings)] == without.findings
        assert without.outcome == "approve" or whole.outcome != "approve"
        assert outcome(whole.findings) == whole.outcome
        assert without.statement == whole.statement


def test_counts_say_the_same_as_rows() -> None:
    rows = _rows()
    decided = rows.assign(
        label=(rows["label"] == "unsafe").astype(int),
        baseline=(rows["baseline"] >= 0.5).astype(int),
        candidate=(rows["candidate"] >= 0.5).astype(int),
    )
    counts = decided.groupby(["label", "baseline", "candidate"]).size().rename("n").reset_index()
    of_counts = prunegate.judge_counts(_policy(), counts)
    assert of_counts.findings == prunegate.judge(_policy(), rows).findings


@pytest.mark.slow
def test_the_second_opinion_knows_what_is_asked_of_the_reference() -> None:
    policy = _policy()
    verdict = prunegate.judge(policy, CASES / "coin" / "t.csv")
    second_opinion(policy, verdict)
    (finding,) = _reference(verdict)
    rest = tuple(f for f in verdict.findings if f.check != BEATS_CONSTANT)
    for changed in (
        replace(verdict, findings=rest, outcome="approve"),
        replace(verdict, findings=(*rest, replace(finding, status="pass")), outcome="approve"),
        replace(verdict, findings=(*rest, replace(finding, severity="warn")), outcome="approve"),
        replace(
            verdict,
            findings=(
                *rest,
                replace(finding, status="pass", baseline=0.1, difference=-0.05, p_value=0.01),
            ),
            outcome="approve",
        ),
    ):
        with pytest.raises(InternalError, match="disagrees"):
            second_opinion(policy, changed)


@pytest.mark.slow
def test_an_earlier_record_is_held_to_what_it_was_held_to() -> None:
    source = read_policy(CASES / "relative-as-ratio" / "policy.yaml")
    record = gate(source, CASES / "relative-as-ratio" / "t.csv").record
    assert not list(differences(record))
    before = replace(
        record,
        reference=None,
        findings=tuple(f for f in record.findings if f.check != BEATS_CONSTANT),
        second_opinion=None,
    )
    assert not list(differences(before))
    assert list(differences(replace(before, reference="required")))
    assert list(differences(replace(record, reference="off")))


@pytest.mark.slow
def test_what_is_asked_of_the_baseline_is_no_column_of_page_one() -> None:
    source = read_policy(CASES / "coin" / "policy.yaml")
    page = render(gate(source, CASES / "coin" / "t.csv").record, digest="0" * 64, pictures={})
    assert "the answers of the current model have to do with the labels" in page  # at its top
    assert "agreed: at most 0<" not in page
