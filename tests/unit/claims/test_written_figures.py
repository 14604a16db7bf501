"""A figure keeps the digits that it was written with."""

from __future__ import annotations

from fractions import Fraction

import pytest

from prunegate.policy.written_figure import _SCALES, _UNITS, written, written_or_range


@pytest.mark.parametrize(
    ("text", "value", "half", "unit"),
    [
        ("29 %", "0.29", "0.005", "percent"),
        ("-29.0%", "-0.29", "0.0005", "percent"),
        ("1 point", "0.01", "0.005", "points"),
        ("86 M", "86000000", "500000", "plain"),
        ("7.0B", "7000000000", "50000000", "plain"),
        ("180,000", "180000", "0.5", "plain"),
        ("$0.0042", "0.0042", "0.00005", "money"),
        ("0.0040 EUR", "0.004", "0.00005", "money"),
        ("€3,360", "3360", "0.5", "money"),
        ("1.4x", "1.4", "0.05", "times"),
        ("0.5 s", "500", "50", "milliseconds"),
        ("346 MB", "346000000", "500000", "bytes"),
        ("exactly $0.0042", "0.0042", "0", "money"),
    ],
)
def test_a_figure_is_read_exactly(text: str, value: str, half: str, unit: str) -> None:
    found = written(text)
    assert (found.value, found.half, found.unit) == (Fraction(value), Fraction(half), unit)


@pytest.mark.parametrize(
    "text",
    [
        *("", "NaN", "inf", "about 61 M", "8.6e7", "0x1f", "18,0000", "1,80", "61 Mio", "1 2"),
        *("29 %%", "--29 %", "$4 %", "$4 EUR", "٣ %", "9" * 61, "4 USD EUR", "%", "$"),
    ],
)
def test_what_is_no_figure_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected one figure|two units"):
        written(text)


ENDS = [
    ("20 to 40 %", "20 %", "40 %"),
    ("40 % to 20%", "20 %", "40 %"),
    ("20-40 %", "20 %", "40 %"),
    ("20–40 percentage points", "20 points", "40 points"),
    ("-20 to -40 %", "-40 %", "-20 %"),
    ("+5 to +9 %", "+5 %", "+9 %"),
    ("1.2 to 1.6x", "1.2x", "1.6x"),
    ("1,000-2,000 ms", "1,000 ms", "2,000 ms"),
    ("86 to 61 M", "61 M", "86 M"),
    ("3 to 4 EUR", "3 EUR", "4 EUR"),
    ("$3 to $4", "$3", "$4"),
]


@pytest.mark.parametrize(("text", "low", "high"), ENDS)
def test_a_range_reaches_from_one_figure_to_the_other(text: str, low: str, high: str) -> None:
    found, one, other = written_or_range(text), written(low), written(high)
    assert found.value - found.half == one.value - one.half
    assert found.value + found.half == other.value + other.half
    assert (found.unit, found.currency, found.signed) == (one.unit, one.currency, one.signed)
    assert found.text == text
    assert written_or_range(low) == one
    with pytest.raises(ValueError, match="expected one figure"):
        written(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-20 to 40 %", "the same sign"),
        ("20 % to 40 ms", "two units"),
        ("$3 to 4 EUR", "two units"),
        ("20 to", "one figure"),
        ("to 40 %", "one figure"),
        ("10 to 20 to 30 %", "one figure"),
        (f"1 to {'9' * 60} %", "one figure"),
    ],
)
def test_what_is_no_range_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        written_or_range(text)


WORTH = {
    "": "1", "%": "0.01", "percent": "0.01", "point": "0.01", "points": "0.01", "pp": "0.01",
    "percentage point": "0.01", "percentage points": "0.01", "x": "1", "×": "1", "times": "1",
    "ms": "1", "s": "1000", "bytes": "1", "kB": "1e3", "MB": "1e6", "GB": "1e9",
    "KiB": "1024", "MiB": "1048576", "GiB": "1073741824",
}  # fmt: skip
"""In parts of one, milliseconds and bytes (IEC 80000-13)."""
SCALES = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9}
SCALES |= {"thousand": 1e3, "million": 1e6, "billion": 1e9}


def test_every_unit_and_scale_is_worth_what_it_says() -> None:
    assert set(WORTH) == set(_UNITS)
    assert set(SCALES) == set(_SCALES)
    for unit, worth in WORTH.items():
        assert written(f"7 {unit}".strip()).value == 7 * Fraction(worth), unit
    for scale, worth in SCALES.items():
        assert written(f"7 {scale}".strip()).value == 7 * int(worth), scale
