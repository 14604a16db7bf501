"""What ``prunegate search`` refuses: one message, and nothing is left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prunegate_test_tiny import POLICY, edit, invoke
from tests.functional.search.searches import VARY, policy

from prunegate.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


def no_section(home: Path) -> None:
    (home / "policy.yaml").write_text(POLICY)


def no_prune_step(home: Path) -> None:
    edit(home / "policy.yaml", "step: 2", "step: 3")


def no_rows(home: Path) -> None:
    lines = (home / "data/labelled.csv").read_text().splitlines()
    kept = [line for line in lines if not line.endswith(",search")]
    (home / "data/labelled.csv").write_text("\n".join(kept) + "\n")


def searched_rows_in_a_step(home: Path) -> None:
    edit(home / "policy.yaml", "split: train", "split: search")


def too_little(home: Path) -> None:
    edit(home / "policy.yaml", "[0.1, 0.8]", "[0.001, 0.8]")


def too_much(home: Path) -> None:
    edit(home / "policy.yaml", "[0.1, 0.8]", "[0.1, 0.99]")


def quoted_price(home: Path) -> None:
    edit(home / "policy.yaml", "baseline: 0.0042", "baseline: 0.0042, candidate: 0.003")
    edit(home / "policy.yaml", "search: {", "search: {objective: cost_per_1k, ")


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (no_section, ["no 'search' section", "prunegate run"]),
        (no_prune_step, ["policy.yaml:", "step 3 of 'compress' is no prune step"]),
        (no_rows, ["search split"]),
        (searched_rows_in_a_step, ["search split chooses between candidates"]),
        (too_little, ["search, step 2, amount 0.001 of", "less than half a unit"]),
        (quoted_price, ["cost_per_1k is the same for every candidate", "remove it"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_input_is_told_and_leaves_nothing(
    searchable: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    parts: list[str],
) -> None:
    spoil(searchable)
    before = sorted(searchable.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["prunegate", "search", "policy.yaml", "-q"])
    with pytest.raises(SystemExit) as stop:
        main()
    printed = capsys.readouterr()
    assert (stop.value.code, printed.out) == (2, ""), printed
    assert sorted(searchable.rglob("*")) == before
    assert printed.err.startswith("error: ")
    for part in parts:
        assert part in printed.err


def test_an_amount_that_cannot_be_removed_is_named_before_an_attempt(searchable: Path) -> None:
    too_much(searchable)
    before = sorted(searchable.rglob("*"))
    result = invoke("search", "policy.yaml", "--out", searchable / "out", "-q")
    assert "search, step 2, amount 0.99 of 'vary'" in str(result.exception)
    assert "The largest amount possible is" in str(result.exception)
    assert sorted(searchable.rglob("*")) == before  # no attempt was kept either


def test_where_no_amount_can_be_removed_that_is_bad_input(searchable: Path) -> None:
    (searchable / "policy.yaml").write_text(policy(f"{VARY}, control: false}}\n"))
    edit(searchable / "policy.yaml", "amount: 0.34", "amount: {share_below: 0.001}")
    before = sorted(searchable.rglob("*"))
    result = invoke("search", "policy.yaml", "--out", searchable / "out", "-q")
    assert "none of the amounts tried (" in str(result.exception)
    assert "no unit carries less than" in str(result.exception)
    assert [path for path in sorted(searchable.rglob("*")) if path not in before] == []
