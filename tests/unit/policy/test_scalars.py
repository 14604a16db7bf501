from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from prunegate.policy.yaml.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("2001-12-14", "2001-12-14"),
        ("1_000", "1_000"),
        ("+.", "+."),
        ("e3", "e3"),
        ("0b1", "0b1"),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("", None),
        ("~", None),
        ("Null", None),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-2", 0.01),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-2E+05", -2e5),
        ("00.5", 0.5),
        ("٣", "٣"),
        ("a" * 401, "a" * 401),
    ],
)
def test_yaml_1_2_core_schema(text: str, value: object) -> None:
    got = resolve(text)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("010", "010 is ambiguous (octal in YAML 1.1, decimal in YAML 1.2): write 10 or '010'"),
        ("-007", "-007 is ambiguous (octal in YAML 1.1, decimal in YAML 1.2): write -7 or '-007'"),
        ("00", "00 is ambiguous (octal in YAML 1.1, decimal in YAML 1.2): write 0 or '00'"),
        (".nan", "got .nan; a number here must be finite"),
        ("-.INF", "got -.INF; a number here must be finite"),
        ("1e999", "got 1e999; too large for a number, and a number here must be finite"),
    ],
)
def test_refused_numbers_say_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        resolve(text)


@pytest.mark.parametrize("text", ["9" * 30, "-" + "9" * 19, "0x" + "f" * 16, "9" * 5000])
def test_numbers_that_no_column_can_hold_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quote it if it is text"):
        resolve(text)


@given(st.text("0123456789+-.eEox", min_size=1, max_size=12))
def test_what_ruamel_reads_as_a_number_is_that_number_or_refused(text: str) -> None:
    """ruamel.yaml as the oracle; it misses some floats (.0E0), so only its numbers count."""
    try:
        theirs = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return
    if not isinstance(theirs, int | float) or re.match("[-+]0[ox]", text):
        return  # YAML 1.2 has no sign before 0o and 0x; ruamel takes one
    ours: object = theirs
    with suppress(ValueError):  # refused: ambiguous, too large or not finite
        ours = resolve(text)
    assert ours == theirs


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63) + 1, 2**63 - 1))
def test_numbers_survive_being_written(number: float) -> None:
    assert resolve(repr(number)) == number
