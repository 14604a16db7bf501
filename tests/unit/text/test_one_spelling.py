"""One value has one spelling, and none that says what it is not."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source import shapes

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.metric import Kind
from prunegate.text import numbers
from prunegate.text.numbers import GAP, MINUS, exact, plain
from prunegate.text.quantities import Quantity

SHARES = st.floats(0, 1, allow_subnormal=False)
LIMITS = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
SIZES = st.floats(1e-4, 1e8)
UNITS = [(m.kind, m.unit) for m in METRICS.values() if m.kind not in ("rate", "flips")]


def figure(text: str) -> float:
    """The number that a text shows; an inequality counts as its open side."""
    beyond = 1e-9 if text.startswith("> ") else -1e-9 if text.startswith("< ") else 0.0
    bare = text.removeprefix("> ").removeprefix("< ").split(GAP)[0].replace(",", "")
    return float(bare.replace(MINUS, "-").lstrip("+$€")) + beyond


@given(SHARES, LIMITS)
def test_a_share_stays_on_its_side_of_a_limit(value: float, limit: float) -> None:
    quantity = Quantity(kind="rate", levels=(limit,))
    shown, allowed = figure(quantity.level(value)), figure(quantity.allowed_level(limit))
    if abs(value - limit) > 1e-9:
        assert (shown < allowed) == (value < limit)
        assert shown != allowed


@given(st.floats(-1, 1), LIMITS)
def test_a_change_never_looks_like_a_margin_that_it_is_not(change: float, margin: float) -> None:
    quantity = Quantity(kind="rate", margins=(margin,))
    shown, allowed = figure(quantity.change(change)), figure(quantity.allowed_change(margin))
    if abs(abs(change) - margin) > 1e-9 and abs(change) > 1e-9:
        assert (abs(shown) < allowed) == (abs(change) < margin)
        assert abs(shown) != allowed


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "unit"), UNITS)
@given(value=SIZES, limit=st.floats(1, 1e8).map(lambda x: float(f"{x:.4g}")))
def test_a_figure_stays_on_its_side_of_a_limit(
    kind: str, unit: str, value: float, limit: float
) -> None:
    counted = kind == "operational" and unit in ("", "bytes")
    value, limit = (float(round(value)), float(round(limit))) if counted else (value, limit)
    quantity = Quantity(kind=kind, unit=unit, levels=(limit,))
    if abs(value - limit) <= 1e-9 * limit:
        return
    shown, allowed = quantity.level(value), quantity.allowed_level(limit)
    assert shown != allowed
    number = {text: figure(text.removesuffix("/s")) for text in (shown, allowed)}
    for text in number:
        number[text] *= 1e6 if text.endswith("million") else 1
    assert (number[shown] < number[allowed]) == (value < limit)


@given(SHARES)
def test_nothing_is_rounded_up_to_perfect_or_down_to_none(value: float) -> None:
    text = numbers.share(value)
    assert (text == f"100{GAP}%") == (value == 1)
    assert (text == f"0{GAP}%") == (value == 0)
    assert not text.startswith(("100.0", "0.0 ", f"0.0{GAP}"))


@given(st.floats(-1e9, 1e9), st.sampled_from(get_args(Kind)))
def test_no_negative_zero_a_true_minus_and_thousands_separated(value: float, kind: str) -> None:
    quantity = Quantity(kind=kind)
    for text in (quantity.change(value), exact(value), numbers.significant(value)):
        assert "-" not in text.replace("e-", "")
        assert text.lstrip(MINUS).strip("0.,") or not text.startswith(MINUS)
    whole = numbers.count(value)
    assert all(len(part) == 3 for part in whole.split(",")[1:])
    assert len(whole.lstrip(MINUS).split(",")[0]) <= 3


@given(st.floats(-1, 1))
def test_a_kept_sentence_and_a_page_differ_in_their_spaces_alone(value: float) -> None:
    text = Quantity(kind="rate").change_in_words(value)
    assert plain(text).replace(" ", GAP) == text


TOLD = ("report/", "outputs/", "verdict/", "cli/", "policy/", "search/", "planning/")
"""Folders whose texts are read by people."""
FIGURE = re.compile(r"[<>^+]?[.\d,]*[efg%]")
OWN_DIGITS = {
    "planning/needs.py": "noise cut off a number that is worked out, before it is told",
    "report/flips.py": "a score cut to its side of a threshold, digit by digit",
    "report/page_one/savings.py": "an amount that is whole already",
    "report/comparison/overview.py": "an amount that is whole already",
    "verdict/gate_set_attempt.py": "a value of a sentence that records have had since",
}


def test_nobody_else_writes_figures() -> None:
    """Decimals, per cents and exponents are spelled in ``text``, so that one value has one form."""
    writing = {
        file
        for file, nodes in shapes().items()
        for node in nodes
        if file.startswith(TOLD) and isinstance(node, ast.FormattedValue) and node.format_spec
        if FIGURE.fullmatch(ast.unparse(node.format_spec)[2:-1])
    }
    assert writing == set(OWN_DIGITS)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-2, 2))
def test_a_number_is_repeated_as_it_was_written(value: float, power: int) -> None:
    """It reads back as the very same number, so that no digit of a mistake is lost."""
    text = numbers.as_written(value, power)
    assert text.isascii()
    assert "," not in text
    assert float(text) == float(Decimal(repr(value)).scaleb(power))
