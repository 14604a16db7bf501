"""The comparison of several records: one page, the same whoever orders them, and no false pass.

The commands are those of docs/guides/report.md.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from prunegate.audit.read import StoredRecord
from prunegate.cli import cli
from prunegate.errors import EvidenceError, InputError, InternalError
from prunegate.report.comparison import render_comparison
from prunegate.report.comparison.compared_limits import compared_limits, limits_held
from prunegate.report.comparison.compared_records import compared_records
from prunegate.report.comparison.comparison_view import comparison_view
from prunegate.report.verify_page import verify_content
from prunegate.verdict.finding import BEATS_CONSTANT, ReferenceDoubt, Status

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SAMPLES = [ROOT / "reports" / "sample" / n / "record.json" for n in ("display-only", "representative")]  # fmt: skip  # noqa: E501
CHANGED = ROOT / "tests" / "hostile" / "record_approve_all_fail.json"


@pytest.fixture
def three(records: ModuleType, many_records: ModuleType) -> list[StoredRecord]:
    """A rejected, an approved and an open candidate of one policy."""
    found: list[StoredRecord] = many_records.compared(records, 3, 5)
    return found


def of_policy(found: StoredRecord, digest: str, margin: float) -> StoredRecord:
    """The record under another policy, whose first rule allows another drop."""
    record = found.record
    findings = tuple(replace(f, limit=margin) if f.rule == 0 else f for f in record.findings)
    policy = replace(record.policy, name="stricter", sha256=digest)
    return replace(found, record=replace(record, findings=findings, policy=policy))


def words(page: str) -> str:
    body = page[page.index("<body>") :]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_same_records_make_the_same_page(three: list[StoredRecord]) -> None:
    page = render_comparison(three)
    assert render_comparison(three[::-1]) == page
    assert render_comparison([three[1], three[2], three[0]]) == page


def test_every_record_is_named_by_its_digest_and_its_outcome(three: list[StoredRecord]) -> None:
    page = render_comparison(three)
    for one in three:
        assert one.digest in page
        assert f'href="#r{one.digest[:12]}"' in page
        assert f'id="r{one.digest[:12]}"' in page
    said = words(page)
    assert "1 may go live, 1 is not yet decided and 1 may not go live." in said
    assert "10.0 → 18.2 worse than agreed" in said


def test_decisions_on_one_candidate_are_its_history_by_age(three: list[StoredRecord]) -> None:
    first = three[0].record.candidate
    same = [replace(one, record=replace(one.record, candidate=first)) for one in three]
    found = compared_records(same[::-1])
    assert found.kind == "history"
    assert [one.digest for one in found.records] == [one.digest for one in three]
    assert "3 decisions on one model" in render_comparison(same)
    assert [one.record.outcome for one in compared_records(three).records] == [
        *("approve", "inconclusive", "reject"),
    ]


def test_a_candidate_that_nobody_names_is_no_history(three: list[StoredRecord]) -> None:
    unnamed = [replace(one, record=replace(one.record, candidate=None)) for one in three]
    assert compared_records(unnamed).kind == "candidates"


def test_what_one_record_did_not_judge_is_no_pass(three: list[StoredRecord]) -> None:
    approved = three[1].record
    fewer = replace(approved, findings=approved.findings[1:])
    limits = compared_limits(compared_records([replace(three[1], record=fewer), three[0]]))
    missing = [limit for limit in limits.differing if None in limit.findings]
    assert [limit.first.slice for limit in missing] == [approved.findings[0].slice]
    assert all(None not in limit.findings for limit in limits.holding)
    assert "not judged" in render_comparison([replace(three[1], record=fewer), three[0]])


def test_every_shared_limit_is_in_one_place(three: list[StoredRecord]) -> None:
    limits = compared_limits(compared_records(three))
    told = (*limits.differing, *limits.alike, *limits.holding)
    assert sorted({(limit.first.rule, limit.first.slice) for limit in told}) == sorted(
        {(f.rule, f.slice) for f in three[0].record.findings}
    )
    assert len(told) == len(three[0].record.findings)
    assert limits.unshared == 0


def test_of_different_policies_only_what_they_share_is_compared(three: list[StoredRecord]) -> None:
    mixed = [three[0], of_policy(three[1], "d" * 64, 0.01)]
    limits = compared_limits(compared_records(mixed))
    metrics = {limit.first.metric for limit in (*limits.differing, *limits.holding)}
    assert metrics == {"precision"}
    assert limits.unshared == 12  # six slices, each with the limit of one policy and of the other
    said = words(render_comparison(mixed))
    assert "different policies (stricter and filter)" in said
    assert "12 limits are not shared and not compared" in said


def test_policies_that_share_nothing_are_told_so(three: list[StoredRecord]) -> None:
    other = of_policy(three[1], "d" * 64, 0.01)
    one, two = (replace(f, record=replace(f.record, findings=f.record.findings[:2])) for f in (three[0], other))  # fmt: skip  # noqa: E501
    assert "no limit that all of these decisions share" in words(render_comparison([one, two]))


def test_other_data_and_another_baseline_are_told(three: list[StoredRecord]) -> None:
    assert "same data" not in words(render_comparison(three))
    record = three[1].record
    longer = tuple(replace(one, rows=one.rows + 1) for one in record.slices)
    other = replace(three[1], record=replace(record, slices=longer))
    assert "not all judged on the same data" in words(render_comparison([three[0], other]))
    assert record.baseline is not None
    base = replace(record.baseline, digest="e" * 64)
    other = replace(three[1], record=replace(record, baseline=base))
    assert "same current model" in words(render_comparison([three[0], other]))


def test_fifty_records_are_one_small_page(records: ModuleType, many_records: ModuleType) -> None:
    given = many_records.compared(records, 50, 300)
    page = render_comparison(given)
    assert len(page.encode()) < 700_000
    assert all(one.digest in page for one in given)
    assert "more limits have no row here" in page


def test_hostile_names_are_inert(
    records: ModuleType, many_records: ModuleType, three: list[StoredRecord]
) -> None:
    hostile = many_records.stored(records.hostile(), 9)
    page = render_comparison([hostile, many_records.stored(records.hostile(), 8)])
    page += render_comparison([hostile, *three])
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "\u200b" not in page


def test_a_comparison_speaks_the_language_that_all_its_reports_have(
    records: ModuleType, many_records: ModuleType, three: list[StoredRecord]
) -> None:
    german = many_records.compared(records, 3, 5, report={"language": "de"})
    page = render_comparison(german)
    assert '<html lang="de">' in page
    assert not [w for w in ("the ", "agreed", "limit ", "may ") if w in words(page)]
    assert '<html lang="en">' in render_comparison([german[0], three[1]])


def test_one_record_or_one_twice_is_no_comparison(three: list[StoredRecord]) -> None:
    for given in (three[:1], [three[0], three[0]]):
        with pytest.raises(InternalError):
            render_comparison(given)


def test_a_comparison_that_is_verified_says_what_to_verify(three: list[StoredRecord]) -> None:
    found = verify_content(render_comparison(three).encode(), ".html")
    assert found.checks[0].status == "broken"
    assert "verify the record.json of each" in found.checks[0].detail


def report(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["report", *map(str, arguments)], standalone_mode=False)
    if isinstance(done.exception, InputError | EvidenceError):
        return done.exception.exit_code, str(done.exception)
    assert done.exception is None
    return done.return_value or 0, done.output


def test_the_command_checks_every_record_first(tmp_path: Path) -> None:
    out = tmp_path / "c.html"
    code, said = report(*SAMPLES, CHANGED, tmp_path / "none", "--out", out)
    assert code == 6
    assert "does not follow from its own policy" in said
    assert "none: not a record file" in said
    assert report(*SAMPLES, tmp_path / "none", "--out", out)[0] == 2
    code, said = report(SAMPLES[0], SAMPLES[0], "--out", out)
    assert code == 2
    assert "all of them are one record" in said
    assert report(*SAMPLES, "--images", tmp_path, "--out", out)[0] == 2
    assert report(*[SAMPLES[0]] * 101, "--out", out)[0] == 2
    assert not out.exists()


def test_the_command_writes_one_page(tmp_path: Path) -> None:
    out = tmp_path / "c.html"
    code, said = report(*SAMPLES, SAMPLES[0], "--out", out)
    assert code == 0
    assert "shown once" in said
    assert "comparison of 2 records" in said
    page = out.read_bytes()
    assert report(*SAMPLES[::-1], "--out", out)[0] == 2
    assert report(*SAMPLES[::-1], "--out", out, "--force")[0] == 0
    assert out.read_bytes() == page


def with_reference(found: StoredRecord, status: Status) -> StoredRecord:
    """The record with the check of its baseline on each slice, which no policy sets as a limit."""
    of_slices = {f.slice: f for f in found.record.findings}
    check = tuple(
        replace(f, metric="reference", check=BEATS_CONSTANT, limit_kind="absolute", limit=0.0,
                status=status, rule=0, p_loss_adjusted=None)
        for f in of_slices.values()
    )  # fmt: skip
    findings = (*found.record.findings, *check)
    return replace(found, record=replace(found.record, findings=findings))


def test_limits_that_nobody_agreed_on_are_not_counted(three: list[StoredRecord]) -> None:
    plain = compared_limits(compared_records(three))
    compared = compared_records([with_reference(one, "pass") for one in three])
    assert len(compared_limits(compared).holding) == len(plain.holding)
    assert compared_limits(compared).unshared == plain.unshared
    some = compared_records([three[0], *(with_reference(one, "pass") for one in three[1:])])
    assert len(compared_limits(some).differing) == len(plain.differing)
    held = [limits_held(one) for one in compared.records]
    assert held == [limits_held(one) for one in compared_records(three).records]


@pytest.mark.parametrize(
    ("status", "result"), [("inconclusive", "not proven"), ("waived", "waived")]
)
def test_no_limit_holds_where_answers_are_not_shown_to_fit_the_labels(
    three: list[StoredRecord], status: Status, result: str
) -> None:
    found = with_reference(three[1], status)
    open_ = replace(found, record=replace(found.record, outcome="inconclusive"))
    compared = compared_records([three[0], open_])
    place = [one.record.outcome for one in compared.records].index("inconclusive")
    view = comparison_view(compared)
    rows = [row for table in view.tables for row in (*table.rows, *table.folded)]
    assert len(rows) == len(three[1].record.findings)
    assert {row.cells[place].result for row in rows} == {result}
    assert limits_held(compared.records[place])[0] == 0
    page = words(render_comparison([three[0], open_]))
    assert "is not shown that the answers of the current model have to do with the labels" in page


def test_what_page_one_of_a_decision_warns_of_is_told(three: list[StoredRecord]) -> None:
    doubt = ReferenceDoubt(kind="shifted", slice="overall", model="baseline", rows=9, right=0.5)
    found = replace(three[1], record=replace(three[1].record, doubts=(doubt,)))
    assert "Check the table first" in words(render_comparison([found, three[0]]))
    assert "Check the table first" not in words(render_comparison(three))


def test_a_real_loss_within_its_limit_is_told_as_on_its_own_page(three: list[StoredRecord]) -> None:
    record = three[1].record
    assert "real loss, allowed" not in words(render_comparison(three))
    lossy = tuple(replace(f, p_loss_adjusted=0.001) for f in record.findings)
    found = replace(three[1], record=replace(record, findings=lossy))
    assert "real loss, allowed" in words(render_comparison([found, three[0]]))
