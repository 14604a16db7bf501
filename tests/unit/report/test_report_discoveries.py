"""The advice section: there when something stood out, in plain words, and without power."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType

import pytest

from prunegate.report import render
from prunegate.report.discoveries import discoveries, net_loss

TITLE = "Undeclared slices that lost most"


@pytest.mark.slow
def test_nothing_found_is_no_section(records: ModuleType) -> None:
    record = records.rejected()
    assert discoveries(record) is None
    assert TITLE not in render(record, digest=records.DIGEST, pictures={})


@pytest.mark.slow
def test_advice_changes_only_its_own_section(records: ModuleType) -> None:
    record = records.approved()
    plain = render(record, digest=records.DIGEST, pictures={})
    page = render(
        replace(record, discoveries=(records.found(),)), digest=records.DIGEST, pictures={}
    )
    section = re.search(r'<section aria-labelledby="discoveries">.*?</section>\n', page, re.DOTALL)
    assert section is not None
    carried = re.compile(
        r'<template id="record">.*?</template>|<li><a href="#discoveries">.*?</a></li>\n'
    )
    assert carried.sub("", page.replace(section[0], "")) == carried.sub("", plain)
    for words in ("Advice", "season=holiday,market=south", "812", "61 / 20", "+5.0", ".002"):
        assert words in section[0]
    assert "  - {name: holiday-south, where: {season: holiday, market: south}}" in section[0]


def test_hostile_names_stay_inert(records: ModuleType) -> None:
    bad = records.found(name=records.HOSTILE, snippet=f"slices:\n  - {records.HOSTILE}\n")
    view = discoveries(replace(records.approved(), discoveries=(bad,)))
    assert view is not None
    (row,) = view.slices
    assert "\u202e" not in row.name + row.snippet
    page = render(
        replace(records.approved(), discoveries=(bad,)), digest=records.DIGEST, pictures={}
    )
    assert "<img src=x" not in page


def test_a_slice_that_no_policy_can_name_says_so(records: ModuleType) -> None:
    record = replace(records.approved(), discoveries=(records.found(snippet=None),))
    page = render(record, digest=records.DIGEST, pictures={})
    assert "A policy cannot name it" in page


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (0.05, "binary", "+5.0"),
        (-0.0123, "multiclass", "−1.2"),
        (0.05, "score", "+0.050"),
        (1.5, "language", "+1.500"),
    ],
)
def test_net_loss_is_in_the_tasks_own_unit(value: float, kind: str, words: str) -> None:
    assert net_loss(value, kind) == words


def test_other_tasks_name_their_unit(records: ModuleType) -> None:
    record = records.approved()
    document = {**record.policy.document, "task": {"kind": "score"}}
    scored = replace(
        record,
        policy=replace(record.policy, document=document),
        discoveries=(records.found(),),
    )
    view = discoveries(scored)
    assert view is not None
    assert (view.unit, view.slices[0].net_loss) == ("a row", "+0.050")
