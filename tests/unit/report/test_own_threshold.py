"""A candidate that was judged at its own threshold is never told without it."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from prunegate.audit.assemble import tuned_in_words
from prunegate.audit.record import DecisionRecord
from prunegate.cli.verdict_lines import Terminal, verdict_lines
from prunegate.outputs.model_card import render_model_card
from prunegate.outputs.summary import render_summary
from prunegate.predict.tuned_threshold import TunedThreshold
from prunegate.report import render
from prunegate.report.own_threshold import own_threshold
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
