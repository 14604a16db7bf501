"""The sections of the report: what each says, and when it is left out."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from prunegate.cost.measurement import Estimate95, GenerationTiming
from prunegate.report import details
from prunegate.report.cost import cost
from prunegate.report.flips import MOST_LOST, PICTURE_BUDGET, flips
from prunegate.report.heads import head_map
from prunegate.report.measures import measures
from prunegate.report.rules import MOST_ROWS, rules
from prunegate.report.svg import drawn_chart
from prunegate.report.units import Units
from prunegate.report.unpruned_control import control
from prunegate.text.numbers import GAP

UNITS = Units(currency="USD")


def test_every_rule_is_shown_with_all_its_findings(records: ModuleType) -> None:
    shown = rules(records.rejected(), UNITS)
    assert [len(rule.rows) for rule in shown] == [5, 1, 5, 1, 1]
    assert [rule.status for rule in shown] == ["fail", "inconclusive", "pass", "pass", "fail"]
    assert shown[0].tally == "1 of 5 hold; 3 broken; 1 open"
    assert shown[4].warn


def test_a_rule_without_findings_is_never_a_pass(records: ModuleType) -> None:
    bare = replace(records.rejected(), findings=())
    assert {rule.status for rule in rules(bare, UNITS)} == {"inconclusive"}
    assert rules(bare, UNITS)[0].status_words == "nothing was judged"


def test_figures_have_no_columns_for_tests(records: ModuleType) -> None:
    shown = rules(records.rejected(), UNITS)
    assert [rule.tested for rule in shown] == [True, True, True, False, False]
    assert [rule.paired for rule in shown] == [True, False, False, False, False]


def test_what_is_not_a_plain_pass_is_told_before_the_table_is_opened(records: ModuleType) -> None:
    told = [row.slice for row in rules(records.approved(), UNITS)[0].urgent]
    assert told == ["content_type=video", "content_type=ugc"]


def test_the_least_serious_findings_are_cut_first(records: ModuleType) -> None:
    good = records.approved().findings[0]
    many = tuple(replace(good, slice=f"s{n}") for n in range(MOST_ROWS + 5))
    bad = replace(good, slice="bad", status="fail")
    (rule,) = rules(replace(records.approved(), findings=(*many, bad)), UNITS)
    assert rule.rows[0].slice == "bad"
    assert rule.hidden == 6


def test_data_and_pruning_add_up_to_the_change(records: ModuleType) -> None:
    shown = control(records.rejected(), UNITS)
    assert shown is not None
    video = shown.rows[2]
    assert (video.by_data, video.by_pruning) == ("−3.7", "−3.3")


@pytest.mark.usefixtures("vega_lite")
def test_the_worked_case_of_the_cost(records: ModuleType) -> None:
    shown = cost(records.rejected())
    assert shown is not None
    assert [(r.month.replace(GAP, " "), r.before, r.after, r.saved) for r in shown.short] == [
        ("now", "$756.00", "$522.00", "$234.00"),
        ("month 18", "$3,360.00", "$2,320.00", "$1,040.00"),
    ]
    assert len(shown.months) == 19
    assert shown.chart is not None
    assert "baseline $3,360" in drawn_chart(shown.chart)


@pytest.mark.slow
@pytest.mark.parametrize("volumes", [(5, 5), (9, 1), (0, 0)])
def test_a_cost_chart_of_any_shape_is_drawn(records: ModuleType, volumes: tuple[int, int]) -> None:
    projection = records.projection()
    months = tuple(
        replace(m, month=n, baseline=f"{v}.00", candidate=f"{2 * v}.00", saving="0.00")
        for n, (m, v) in enumerate(zip(projection.months, volumes, strict=False))
    )
    shown = cost(replace(records.rejected(), cost=replace(projection, months=months)))
    assert shown is not None
    assert shown.chart is not None
    assert "<svg" in drawn_chart(shown.chart)


def test_no_months_no_chart(records: ModuleType) -> None:
    shown = cost(replace(records.rejected(), cost=replace(records.projection(), months=())))
    assert shown is not None
    assert shown.chart is None
    assert shown.short == ()


def test_the_head_map_in_words_accounts_for_every_head(records: ModuleType) -> None:
    shown = head_map(records.rejected())
    assert shown is not None
    assert shown.summary == "24 of 36 attention heads kept, in 6 layers"
    for row in shown.rows:
        heads = sorted(int(h) for text in (row.kept, row.removed) for h in text.split(", "))
        assert heads == [1, 2, 3, 4, 5, 6]


def test_dropped_layers_are_not_counted_as_holding_heads(records: ModuleType) -> None:
    record = records.rejected()
    compression = replace(
        record.compression,
        layers_kept=(0, 1, 2, 3, 4),
        heads_kept=(*record.compression.heads_kept[:5], ()),
    )
    shown = head_map(replace(record, compression=compression))
    assert shown is not None
    assert shown.summary.endswith("of 36 attention heads kept, in 5 of 6 layers")
    assert shown.rows[5].kept == "none"


def test_a_likelihood_is_neither_lost_nor_gained(records: ModuleType) -> None:
    record = records.rejected()
    slices = tuple(replace(one, lost=None, gained=None) for one in record.control.slices)
    shown = control(
        replace(record, control=replace(record.control, slices=slices)), Units.of(record)
    )
    assert shown is not None
    assert {row.flips for row in shown.rows} == {"–"}


@pytest.mark.usefixtures("vega_lite")
def test_the_head_map_draws_every_head(records: ModuleType) -> None:
    shown = head_map(records.rejected())
    assert shown is not None
    assert drawn_chart(shown.chart).count("×") == 12


def test_heads_that_were_not_ranked_have_no_shade(records: ModuleType) -> None:
    record = records.rejected()
    unranked = replace(record, compression=replace(record.compression, head_share=()))
    shown = head_map(unranked)
    assert shown is not None
    assert shown.shade == ""


def test_examples_that_moved_furthest_come_first(records: ModuleType) -> None:
    shown = flips(records.rejected(), records.pictures())
    assert shown is not None
    video = shown.groups[0]
    assert video.name == "content_type=video"
    assert [e.id for e in video.examples][:2] == ["video-00000", "video-00001"]
    assert video.examples[-1].before == "0.5004"
    assert not video.examples[-1].lost


def test_only_real_pictures_are_shown(records: ModuleType) -> None:
    shown = flips(records.rejected(), records.pictures())
    assert shown is not None
    pictures = {e.id: e.picture for g in shown.groups for e in g.examples}
    assert str(pictures["ugc-00000"]).startswith("data:image/png;base64,iVBOR")
    assert pictures["ugc-00001"] is None
    assert shown.without_picture == 4


def test_pictures_keep_to_their_budget(records: ModuleType) -> None:
    large = {
        f.id: records.picture(1) + bytes(PICTURE_BUDGET // 3) for f in records.rejected().flips
    }
    shown = flips(records.rejected(), large)
    assert shown is not None
    total = sum(len(e.picture or "") for g in shown.groups for e in g.examples)
    assert 0 < total <= PICTURE_BUDGET * 4 / 3 + 100


def test_many_examples_are_cut_and_counted(records: ModuleType) -> None:
    flip = records.rejected().flips[0]
    many = tuple(replace(flip, id=str(n)) for n in range(90))
    shown = flips(replace(records.rejected(), flips=many), {})
    assert shown is not None
    assert len(shown.groups[0].examples) == MOST_LOST
    assert shown.groups[0].counted.startswith("12 of 109 lost and 0 of 21 gained shown")


def test_figures_are_measured_or_counted(records: ModuleType) -> None:
    shown = measures(records.rejected())
    assert shown is not None
    rows = {row.name: (row.before.replace(GAP, " "), row.ratio) for row in shown.rows}
    assert rows["CPU time per inference"] == ("0.644 ms", "0.747 (0.741 to 0.752)")
    assert rows["Attention heads"] == ("36", "0.667")


@pytest.mark.parametrize("larger", ["baseline", "candidate"])
def test_zeros_and_files_larger_than_the_model_are_shown(records: ModuleType, larger: str) -> None:
    record = records.rejected()
    sides = {role: replace(getattr(record, role), zeros=0) for role in ("baseline", "candidate")}
    sides[larger] = replace(sides[larger], bytes_found=99_000_000)
    shown = measures(replace(record, **sides))
    assert shown is not None
    rows = {row.name: (row.before, row.after) for row in shown.rows}
    assert rows["Of these, zero"] == ("0", "0")
    sizes = {role: rows["Size of the stored weights"][n] for n, role in enumerate(sides)}
    sizes[larger] = "99.0 MB"
    found = [one.replace(GAP, " ") for one in rows["Its files as they were found"]]
    assert found == [one.replace(GAP, " ") for one in sizes.values()]


def test_a_noisy_machine_is_no_evidence(records: ModuleType) -> None:
    shown = measures(replace(records.rejected(), measurements=records.measurements(quiet=False)))
    assert shown is not None
    assert not shown.quiet
    assert "no evidence" in shown.noise


@pytest.mark.parametrize("language", ["en", "de"])
def test_times_of_writing_name_their_lengths(records: ModuleType, language: str) -> None:
    calm, wild = Estimate95(value=1.0, low=0.99, high=1.01), Estimate95(value=1, low=0.2, high=3)
    timing = GenerationTiming(
        prompt_tokens=128, new_tokens=64, ttft_ratio=calm, tpot_ratio=wild, ttft_noise=calm,
        tpot_noise=calm,
    )  # fmt: skip
    taken = records.measurements()
    written = replace(
        taken,
        baseline=replace(taken.baseline, ttft_ms=40.0, tpot_ms=10.0),
        candidate=replace(taken.candidate, ttft_ms=40.0, tpot_ms=8.0),
        generation=timing,
    )
    plain = records.rejected()
    document = {**plain.policy.document, "report": {"language": language}}
    policy = replace(plain.policy, document=document)
    record = replace(plain, measurements=written, policy=policy)
    shown = measures(record)
    assert shown is not None
    first, each = (row for row in shown.rows if "Token" in row.name.replace("token", "Token"))
    assert ("128" in first.name, "64" in each.name) == (True, True)
    assert each.ratio.replace(",", ".").startswith("1.00 (0.20")
    busy = replace(written, generation=replace(timing, tpot_noise=wild))
    told = measures(replace(record, measurements=busy))
    assert told is not None
    assert {row.ratio for row in told.rows if row.name in (first.name, each.name)} == {
        {"en": "too noisy to say", "de": "zu unruhig, um es zu sagen"}[language]
    }


def test_the_recipe_falls_back_on_the_policy_s_own_words(records: ModuleType) -> None:
    record = records.rejected()
    bare = replace(record, compression=replace(record.compression, summary=()))
    assert details.recipe(bare)[1] == '{"finetune": {"steps": 400}}'


def test_absent_parts_are_none(records: ModuleType) -> None:
    record = records.approved()
    assert control(record, UNITS) is None
    assert cost(record) is None
    assert measures(record) is None
    assert head_map(record) is None
    assert flips(record, {}) is None
    assert details.recipe(record) == ()


def test_the_second_opinion_is_told_where_there_was_one(records: ModuleType) -> None:
    told = details.second_opinion_in_words(records.rejected())
    assert told.startswith("A second engine (great_expectations 1.24.1) held 13 findings against ")
    assert told.endswith("and agrees.")
    assert details.second_opinion_in_words(records.undefined()) == ""
