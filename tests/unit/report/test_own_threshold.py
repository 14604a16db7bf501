"""A candidate that was judged at its own threshold is never told without it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from prunegate.audit.assemble import tuned_in_words
from prunegate.audit.read import StoredRecord
from prunegate.audit.record import DecisionRecord
from prunegate.cli.verdict_lines import Terminal, verdict_lines
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.slices import identical, same_scores
from prunegate.models.digest import CARD, CARD_MARK
from prunegate.outputs.github import github_annotations
from prunegate.outputs.gitlab import render_code_quality, render_metrics
from prunegate.outputs.junit import render_junit
from prunegate.outputs.model_card import render_model_card
from prunegate.outputs.papers import write_card_of_candidate
from prunegate.outputs.summary import render_summary
from prunegate.policy.load import parse_policy
from prunegate.predict.tuned_threshold import TunedThreshold
from prunegate.report import render
from prunegate.report.comparison import render_comparison
from prunegate.report.own_threshold import own_threshold
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.notices import notices
from prunegate.report.page_one.people import People
from prunegate.report.units import Units
from prunegate.report.unpruned_control import control

TUNED = {"baseline": 0.5, "candidate": "tuned", "found": 0.51234567}
TOLD = "flags from a score of 0.51234567 on; the current model from 0.5 on."
UNITS = Units(currency="USD")
SHIPS = "It has to be shipped with this threshold."


def at(record: DecisionRecord, threshold: Any, **more: Any) -> DecisionRecord:
    """The record, judged at other thresholds."""
    document = record.policy.document
    task = {**document["task"], "threshold": threshold}
    policy = replace(record.policy, document={**document, **more, "task": task})
    return replace(record, policy=policy)


@pytest.mark.parametrize("name", ["approved", "rejected"])
def test_every_view_names_it_and_only_an_approval_says_how_it_ships(
    records: ModuleType, name: str
) -> None:
    record = at(getattr(records, name)(), TUNED)
    page = render(record, digest="0" * 64, pictures={})
    views = {
        "page one": page[: page.index("For engineers")],
        "summary": render_summary(record, "0" * 64).replace("\\", ""),
        "console": "\n".join(verdict_lines(record, Terminal(width=None))),
        "card": render_model_card(record, "0" * 64).replace("\\", ""),
    }
    for view, text in views.items():
        assert TOLD in text, view
        assert (SHIPS in text) == (name == "approved"), view
    flipped = "before, 0.5 and above counts as positive, after, 0.51234567 and above."
    assert (flipped in page) == bool(record.flips)


def test_it_is_told_in_german(records: ModuleType) -> None:
    record = at(records.approved(), TUNED, report={"language": "de"})
    told = "meldet ab einer Bewertung von 0,51234567, das jetzige Modell ab 0,5."
    assert told in render(record, digest="0" * 64, pictures={})


def test_how_it_was_chosen_is_nothing_that_a_card_does_not_show(records: ModuleType) -> None:
    tuned = TunedThreshold(
        threshold=0.52, match="recall", rows=250, positives=120, baseline=0.8, candidate=0.81
    )
    limits = ("Rows are taken to be independent of each other.", *tuned_in_words(tuned))
    record = replace(at(records.approved(), TUNED), tuned=tuned, known_limits=limits)
    card = render_model_card(record, "0" * 64)
    assert card.count("was chosen on 250 calibration rows") == 1
    assert card.index("was chosen on 250") < card.index("What this does not show")


@pytest.mark.parametrize("name", ["approved", "rejected"])
def test_ci_servers_and_the_comparison_name_it(records: ModuleType, name: str) -> None:
    record, plain = at(getattr(records, name)(), TUNED), getattr(records, name)()
    suites = ET.fromstring(render_junit(record)).findall("testsuite")  # noqa: S314  # our own
    for suite in suites:
        named = {one.get("name"): one.get("value") for one in suite.iter("property")}
        assert TOLD in str(named["threshold"])
    assert [line for line in github_annotations(record, "p.yaml") if TOLD in line] == [
        line for line in github_annotations(record, "p.yaml") if line.startswith("::notice ")
    ]
    issue, *others = json.loads(render_code_quality(record, "p.yaml"))
    assert (issue["severity"], TOLD in issue["description"]) == ("info", True)
    assert others == json.loads(render_code_quality(plain, "p.yaml"))
    found = set(render_metrics(record).splitlines()) - set(render_metrics(plain).splitlines())
    assert found == {
        'prunegate_threshold{model="baseline"} 0.5',
        'prunegate_threshold{model="candidate"} 0.51234567',
    }
    pair = [
        StoredRecord(record=one, content=b"", digest=str(n) * 64)
        for n, one in enumerate((record, plain))
    ]
    page = render_comparison(pair)
    assert page.count("flags from 0.51234567 on; the current model from 0.5 on") == 1


def test_a_candidate_s_own_card_names_the_threshold_of_its_verdict(
    records: ModuleType, tmp_path: Path
) -> None:
    card = tmp_path / "candidate" / CARD
    card.parent.mkdir()
    own = f"{CARD_MARK}\n# Compressed\n"
    for text, written in ((own, True), ("# Somebody else's\n", False)):
        card.write_text(text, encoding="utf-8")
        given = StoredRecord(record=at(records.rejected(), TUNED), content=b"", digest="0" * 64)
        assert (write_card_of_candidate(given, tmp_path) == card) == written
        told = card.read_text(encoding="utf-8").replace("\\", "")
        assert told.startswith(text)
        assert (TOLD in told) == written


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        (0.5, False),
        ({"baseline": 0.5, "candidate": 0.5}, False),
        ({"baseline": 0.5, "candidate": 0.4}, True),
        ({"baseline": 0.5, "candidate": "tuned", "found": 0.5}, True),
        ({"safe": 0.5, "unsafe": 0.4}, False),
        (None, False),
        ({"baseline": None, "candidate": 0.5}, False),
    ],
)
def test_it_is_told_where_there_is_one(records: ModuleType, threshold: Any, told: bool) -> None:
    record = at(records.approved(), threshold)
    assert (own_threshold(record) is not None) == told
    assert ("flags from a score of" in render_summary(record, "0" * 64)) == told


def test_data_threshold_and_pruning_add_up_to_the_change(records: ModuleType) -> None:
    record = at(records.rejected(), TUNED)
    rows = [replace(s, at_baseline_threshold=s.baseline) for s in record.control.slices]
    moved = replace(record.control, threshold=0.25, slices=tuple(rows))
    shown = control(replace(record, control=moved), UNITS)
    assert shown is not None
    video = shown.rows[2]
    assert (video.by_data, video.by_threshold, video.by_pruning) == ("0.0", "−3.7", "−3.3")
    assert shown.causes == ("by_data", "by_threshold", "by_pruning")
    assert "from 0.51234567 on by the candidate, from 0.25 on by the control" in shown.meaning
    plain = control(record, UNITS)
    assert plain is not None
    assert plain.causes == ("by_data", "by_pruning")


@pytest.mark.parametrize("moved", [True, False])
def test_models_of_the_same_scores_are_not_told_to_answer_alike(
    records: ModuleType, moved: bool
) -> None:
    plain = records.rejected()
    rows = next(one.rows for one in plain.slices if one.slicing == "overall")
    record = at(plain, TUNED) if moved else plain
    told = {tell: shown_notices(replace(record, warnings=(tell(rows),))) for tell in (identical, same_scores)}  # fmt: skip  # noqa: E501
    alone = "comes from the threshold alone, not from making the model smaller."
    assert alone in told[same_scores]
    assert (alone in told[identical]) == moved  # an earlier record, whose decisions differ
    assert ("answers of both models are exactly the same" in told[identical]) != moved


def shown_notices(record: DecisionRecord) -> str:
    """The strip of page one."""
    agreement = AgreedWords(people=People.of(record), units=UNITS)
    return " ".join(one.text for one in notices(record, agreement))


def test_examples_stand_beside_both_thresholds(records: ModuleType) -> None:
    told = "Flagged: by the current model from 0.5 on, by the smaller model from 0.51234567 on."
    for record, there in ((at(records.rejected(), TUNED), True), (records.rejected(), False)):
        page = render(record, digest="0" * 64, pictures={})
        assert (told in page[: page.index("For engineers")]) == there


def test_only_the_threshold_is_told_to_have_moved_where_scores_are_the_same() -> None:
    rows = pd.DataFrame({
        "id": range(40), "label": ["unsafe", "safe"] * 20,
        "baseline": [n / 40 for n in range(40)], "candidate": [n / 40 for n in range(40)],
    })  # fmt: skip
    for threshold, told in (("0.5", identical), ("{baseline: 0.5, candidate: 0.4}", same_scores)):
        policy = parse_policy(
            "prunegate: 1\nname: p\n"
            f"task: {{kind: binary, positive: unsafe, threshold: {threshold}}}\n"
            "rules: [{metric: recall, max_drop: 0.1}]\n"
        )
        found = count_table(policy, open_predictions(policy, rows))
        assert told(40) in found.warnings
