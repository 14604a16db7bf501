"""Other kinds of task than yes or no: classes, scores, log-likelihoods, each in its own words."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from prunegate.audit.record import Flip
from prunegate.report import render, sentences
from prunegate.report.details import slices
from prunegate.report.flips import flips
from prunegate.report.forest import MOST_PANELS, panels
from prunegate.report.forest_chart import forest_chart
from prunegate.report.headline import headline
from prunegate.report.rules import rules
from prunegate.report.slack import lost_for_certain, relative_slack
from prunegate.report.svg import drawn_chart
from prunegate.report.units import Units
from prunegate.report.warnings import warnings
from prunegate.text.numbers import GAP, mean, mean_change

CLASSES, NUMBERS = Units(kind="multiclass"), Units(kind="language")


@pytest.fixture(scope="module")
def kinds() -> ModuleType:
    name = "prunegate_test_kinds_records"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, Path(__file__).with_name("kinds_records.py")
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def test_a_class_has_a_panel_of_its_own(records: ModuleType, kinds: ModuleType) -> None:
    drawn, hidden = panels(kinds.multiclass(records))
    titles = ["Recall of class violence", "Recall of class alcohol", "Recall"]  # broken first
    assert [panel.title for panel in drawn] == titles
    assert drawn[2].meaning.endswith("the average of all classes")
    assert hidden == 0


def test_classes_of_one_slice_are_rows_of_one_panel(records: ModuleType, kinds: ModuleType) -> None:
    record = kinds.multiclass(records)
    overall = tuple(f for f in record.findings if f.slice == "overall" and f.class_label)
    (panel,), _ = panels(replace(record, findings=overall))
    assert panel.title == "Recall class by class, overall"
    assert [row.label for row in panel.rows] == ["alcohol", "violence"]
    assert "per class" in panel.description


def test_of_too_many_panels_the_most_serious_are_drawn(
    records: ModuleType, kinds: ModuleType
) -> None:
    record = kinds.multiclass(records)
    good, bad = record.findings[2], record.findings[5]
    many = tuple(
        replace(good, slice=place, class_label=f"c{n}") for n in range(20) for place in ("a", "b")
    )
    drawn, hidden = panels(replace(record, findings=(*many, bad)))
    assert len(drawn) == MOST_PANELS
    assert hidden == 21 - MOST_PANELS
    assert drawn[0].title == "Recall of class violence"


def test_labels_of_crosses_differ(records: ModuleType, kinds: ModuleType) -> None:
    record = kinds.multiclass(records)
    names = [f"content_type=display,region={region}" for region in ("eu", "us")]
    found = tuple(replace(record.findings[0], slice=name) for name in ("overall", *names))
    (panel,), _ = panels(replace(record, findings=found))
    assert [row.label for row in panel.rows] == ["overall", "display · eu", "display · us"]


def test_metrics_of_different_units_share_no_axis(records: ModuleType, kinds: ModuleType) -> None:
    drawn, _ = panels(kinds.language(records))
    assert [panel.axis for panel in drawn] == [
        "Change of NLL per token, in nats",
        "Change of perplexity",
    ]


@pytest.mark.slow
def test_an_interval_without_an_end_is_drawn_to_the_edge_and_said(
    records: ModuleType, kinds: ModuleType
) -> None:
    record = kinds.language(records)
    open_end = record.findings[-1]
    assert NUMBERS.range(open_end) == "+0.020 or more"
    assert NUMBERS.range(replace(open_end, ci_low=None)) == "no end on either side"
    assert lost_for_certain(open_end)
    panel = panels(record)[0][1]
    assert panel.rows[0].high == float("inf")
    assert "nan" not in str(drawn_chart(forest_chart(panel, 1))).lower()
    assert "inf" not in str(drawn_chart(forest_chart(panel, 1))).lower().replace("info", "")


def test_the_class_is_named_wherever_a_finding_is(records: ModuleType, kinds: ModuleType) -> None:
    record = kinds.multiclass(records)
    head = headline(record, CLASSES)
    assert head.reason.startswith("It misses its limits: recall of class violence on content_type")
    assert head.figures[0].label == "Worst change: recall of class violence, content_type=video"
    rows = [row for rule in rules(record, CLASSES) for row in rule.rows]
    assert {row.class_label for row in rows} == {"", "class alcohol", "class violence"}


def test_the_worst_change_is_the_one_that_uses_most_of_its_limit(
    records: ModuleType, kinds: ModuleType
) -> None:
    record = kinds.language(records)
    used = [relative_slack(f) for f in record.findings]
    assert used[2] is None  # a level has no change
    assert used[0] == pytest.approx(1 - 0.0043 / 0.02)
    assert used[3] == pytest.approx(1 - 0.13 / 0.3)
    label = headline(record, NUMBERS).figures[0].label
    assert label == "Worst change: NLL per token, content_type=video"


@pytest.mark.parametrize(
    ("kind", "unit", "label", "said"),
    [
        ("binary", "positives", None, "Label about 640 more positives in video"),
        ("multiclass", "positives", None, "Label about 640 more rows of the rarest class in video"),
        ("multiclass", "positives", "ads", "Label about 640 more rows of class ads in video"),
        ("multiclass", "rows", "ads", "Label about 640 more rows in video"),
    ],
)
def test_what_is_needed(
    records: ModuleType, kind: str, unit: str, label: str | None, said: str
) -> None:
    finding = replace(
        records.rejected().findings[0], slice="video", needed=637, needed_unit=unit,
        class_label=label,
    )  # fmt: skip
    assert sentences.need_in_words(finding, Units(kind=kind)) == said


def test_numbers_need_no_labels(records: ModuleType, kinds: ModuleType) -> None:
    lacking = kinds.language(records).findings[1]
    said = sentences.finding_sentence(lacking, NUMBERS).replace(GAP, " ")
    assert said.count("dd about 86 more documents") == 1
    assert "+0.0098 nats" in said
    assert "points" not in said
    one = replace(lacking, needed=1, metric="mean_score", slice="overall")
    assert sentences.need_in_words(one, NUMBERS) == "Add about 1 more row"


def test_one_request_per_slice_is_enough(records: ModuleType, kinds: ModuleType) -> None:
    record = kinds.language(records)
    more = replace(record.findings[1], metric="perplexity", needed=950)
    needs = headline(replace(record, findings=(*record.findings, more)), NUMBERS).needs
    assert needs == ("Add about 950 more documents in content_type=video.",)


def test_slices_have_the_columns_of_their_task(records: ModuleType, kinds: ModuleType) -> None:
    shown = slices(kinds.multiclass(records))
    assert shown.columns == ("Rows", "Classes", "Rows of the rarest class", "Lost / gained rows")
    assert shown.rows[1].figures[-1] == "130 / 3"
    assert slices(kinds.language(records)).columns == ("Documents",)
    assert slices(records.rejected()).rows[0].figures[-1] == "315 / 148"  # from the eight cells


@pytest.mark.slow
def test_no_positives_are_spoken_of_where_there_are_none(
    records: ModuleType, kinds: ModuleType
) -> None:
    page = render(kinds.language(records), digest=records.DIGEST, pictures={})
    body = page[page.index("<body>") :]
    assert not re.search("positive|label", body.replace("aria-label", ""), re.IGNORECASE)


def test_examples_of_classes_show_what_the_models_chose(
    records: ModuleType, kinds: ModuleType
) -> None:
    shown = flips(kinds.multiclass(records), {})
    assert shown is not None
    lost, gained = shown.groups[0].examples
    assert (lost.before, lost.after, lost.verdict, lost.label) == (
        "violence", "safe", "lost", "violence",
    )  # fmt: skip
    assert gained.slices == "region=us"


@pytest.mark.parametrize(
    ("kind", "pair", "said"),
    [("language", (578.23, 652.5), "worse"), ("score", (3.4421, 3.1153), "lower")],
)
@pytest.mark.parametrize("label", ["", "3.2500001"])
def test_examples_of_numbers_changed_most(  # what a row holds
    records: ModuleType,
    kinds: ModuleType,
    kind: str,
    pair: tuple[float, float],
    said: str,
    label: str,
) -> None:
    record = kinds.language(records)
    task = {**record.policy.document, "task": {"kind": kind}}
    flip = Flip(id="a", slices=(), label=label, baseline=pair[0], candidate=pair[1], lost=True)
    shown = flips(replace(record, policy=replace(record.policy, document=task), flips=(flip,)), {})
    assert shown is not None
    assert "moved furthest" in shown.lead
    (example,) = shown.groups[0].examples
    assert example.verdict == said
    assert example.label == ("3.25" if label else "")
    assert float(example.before) - float(example.after) == pytest.approx(pair[0] - pair[1], rel=0.1)


@pytest.mark.slow
def test_real_losses_do_not_drown_other_warnings(records: ModuleType, kinds: ModuleType) -> None:
    record = kinds.multiclass(records)
    found = warnings(record)
    assert found.others == ("content_type=podcast is not declared in the policy.",)
    assert [len(part) for part in (found.losses, found.more_losses)] == [5, 7]
    page = render(record, digest=records.DIGEST, pictures={})
    assert "and 7 more like these" in page
    for text in record.warnings:
        assert text in page  # folded, never left out


def test_an_approval_names_the_losses_nearest_to_their_limits(
    records: ModuleType, kinds: ModuleType
) -> None:
    record = kinds.multiclass(records)
    lost = [f for f in record.findings if f.status == "pass" and lost_for_certain(f)]
    many = tuple(replace(f, slice=f"s{n}") for n in range(3) for f in lost)
    caveats = headline(replace(record, outcome="approve", findings=many), CLASSES).caveats
    assert len(caveats) == 5
    assert all("of class violence" in caveat for caveat in caveats[:3])
    # of each slice: recall (two limits on it, one line), and that of two classes
    assert caveats[-1].startswith("So did 5 more")


def test_a_record_that_says_of_no_loss_has_them_among_the_others(
    records: ModuleType, kinds: ModuleType
) -> None:
    record = replace(kinds.multiclass(records), allowed_losses=None)
    assert not warnings(record).losses
    assert len(warnings(record).others) + len(warnings(record).more_others) == 13


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.5, 2.49996, 13.3768, 1234.5])
def test_a_mean_never_looks_like_a_limit_that_it_is_not(value: float) -> None:
    limit = value + 2e-5
    assert mean(value, limit) != mean(limit, limit)
    assert float(mean_change(value).replace(",", "").replace("−", "-")) == pytest.approx(
        value, rel=0.051
    )
