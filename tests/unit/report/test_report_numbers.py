"""Numbers for people: honest at the edges, and never blank."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prunegate.text import numbers
from prunegate.text.money import money
from prunegate.text.numbers import GAP, NOT_DEFINED
from prunegate.text.time import moment, short_code

SHARES = st.floats(0, 1)
FINITE = st.floats(-1e12, 1e12)


@given(SHARES)
def test_a_share_is_perfect_or_zero_only_if_it_is(value: float) -> None:
    shown = numbers.share(value)
    assert (shown == f"100{GAP}%") == (value == 1)
    assert (shown == f"0{GAP}%") == (value == 0)
    assert not re.fullmatch(r"100\.0+.%|0\.0+.%", shown)


@given(SHARES)
def test_a_share_is_near_what_it_shows(value: float) -> None:
    shown = float(re.sub(r"[^0-9.]", "", numbers.share(value)))
    assert abs(shown - 100 * value) <= 0.1


@given(st.floats(0.5, 1), st.floats(-0.01, 0.01))
def test_a_missed_floor_does_not_look_met(limit: float, off: float) -> None:
    value = limit + off
    assume(0 <= value < 1)
    assume(abs(off) > 0.00002)
    shown = numbers.share(value, limit)
    assert shown != numbers.share(limit) or numbers.share(limit)[0] in "<>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9996, "> 99.9 %"), (0.0004, "< 0.1 %"), (0.912, "91.2 %"), (math.nan, NOT_DEFINED)],
)
def test_shares(value: float, shown: str) -> None:
    assert numbers.share(value).replace(GAP, " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-0.0708, "−7.1"),
        (0.006, "+0.6"),
        (0.0, "0.0"),
        (-0.0004, "−0.04"),
        (1e-17, "0.0"),
        (0.00001, "+0.001"),
        (None, NOT_DEFINED),
    ],
)
def test_points(value: float | None, shown: str) -> None:
    assert numbers.points(value) == shown


@given(FINITE)
def test_a_change_keeps_its_sign(value: float) -> None:
    assume(abs(value) > 1e-5)
    assert numbers.signed(value).startswith("−" if value < 0 else "+")


@given(FINITE, st.integers(0, 6))
def test_there_is_no_negative_zero_and_no_hyphen(value: float, digits: int) -> None:
    shown = numbers.fixed(value, digits)
    assert "-" not in shown
    assert not re.fullmatch(r"−[0.]+", shown)


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "p < .0001"),
        (0.00009, "p < .0001"),
        (0.00067, "p = .00067"),
        (0.031, "p = .031"),
        (0.05, "p = .05"),
        (0.9997, "p = .9997"),
        (1.0, "p > .9999"),
        (None, NOT_DEFINED),
    ],
)
def test_p_values(p: float | None, shown: str) -> None:
    assert numbers.p_value(p) == shown


@given(st.floats(0, 1))
def test_a_p_value_below_the_level_never_reads_as_above(p: float) -> None:
    shown = numbers.p_value(p)
    if shown.startswith("p = "):
        assert abs(float(shown.removeprefix("p = ")) - p) <= 0.0005
        assert shown not in ("p = 0", "p = 1")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("2320.00", "USD", "$2,320"),
        ("0.0042", "USD", "$0.0042"),
        ("-12.50", "EUR", "−€12.50"),
        ("756.00", "CHF", f"CHF{GAP}756"),
        ("1.5", "", "1.5"),
        (None, "USD", NOT_DEFINED),
        ("NaN", "USD", NOT_DEFINED),
        ("<b>\u202e", "USD", "<b>\\u202e"),
    ],
)
def test_money(amount: str | None, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_cents_stay_where_a_column_has_to_line_up() -> None:
    assert money("756.00", "USD", cents=True) == "$756.00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1_881_312, "1.88 MB"), (346_270_624, "346 MB"), (950, "0.000950 MB"), (None, NOT_DEFINED)],
)
def test_megabytes(value: float | None, shown: str) -> None:
    assert numbers.megabytes(value).replace(GAP, " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.6437, "0.644"),
        (1552.4, "1,552"),
        (41.0, "41.0"),
        (-0.5, "−0.500"),
        (0, "0"),
        (2e-9, "2.00e−09"),
    ],
)
def test_significant_digits(value: float, shown: str) -> None:
    assert numbers.significant(value) == shown


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2026-01-05T09:30:00Z", "5 January 2026, 09:30 UTC"),
        ("2026-01-05T09:30:00+02:00", "5 January 2026, 07:30 UTC"),
        ("yesterday\u202e", "yesterday\\u202e"),
    ],
)
def test_moments(iso: str, shown: str) -> None:
    assert moment(iso) == shown


@pytest.mark.parametrize(
    "show",
    [
        numbers.count, numbers.share, numbers.signed, numbers.points, numbers.p_value,
        numbers.significant, numbers.megabytes, numbers.large,
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_a_number_is_said_to_be_undefined(show, value) -> None:  # type: ignore[no-untyped-def]  # any formatter
    assert show(value) == NOT_DEFINED


def test_the_short_code_is_grouped() -> None:
    assert short_code("3f9a1c52b7e0" + "0" * 52) == "3f9a 1c52 b7e0"
