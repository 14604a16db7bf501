"""Canonical JSON: the fast way takes nothing that RFC 8785 would spell otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.signing.strict_json import parse_canonical_object
from prunegate.errors import EvidenceError, InternalError

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=8) | st.text(alphabet='"\\/\x00\x1f\x7fé\u2028a\n', max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def spelled(value: Any) -> bytes | None:
    """RFC 8785 bytes, by the library that is the oracle here; None: it has none."""
    try:
        return canonical_bytes(value)
    except InternalError:
        return None


@pytest.mark.slow
@given(
    value=st.dictionaries(TEXTS, VALUES, max_size=4),
    indent=st.none() | st.just(0),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    sort_keys=st.booleans(),
    ensure_ascii=st.booleans(),
)
@example({"a": 2**53}, None, (",", ":"), True, True)
@example({"a": 1.0}, None, (",", ":"), True, True)
@example({"a": -0.0, "b": 1e30}, None, (",", ":"), True, True)
@example({"\U0001f600": 1, "\ufb33": 2}, None, (",", ":"), True, False)
def test_only_the_one_spelling_is_taken(
    value: dict[str, Any], indent: int | None, separators: Any, sort_keys: bool, ensure_ascii: bool
) -> None:
    content = json.dumps(
        value,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
        ensure_ascii=ensure_ascii,
    ).encode("utf-8", "surrogatepass")
    if spelled(json.loads(content)) == content:  # as read: a float may come back as an integer
        assert parse_canonical_object(content, "it") == value
    else:
        with pytest.raises(EvidenceError, match="it: "):
            parse_canonical_object(content, "it")


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}\n',
        b' {"a":1}',
        b'{"a":1}{"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":01}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":9007199254740993}',
        b'{"a":1e2}',
        b'{"a":"\\u0061"}',
        b'{"a":"\\/"}',
        b"[1]",
        b"1",
        b"",
    ],
)
def test_near_misses_are_refused(content: bytes) -> None:
    with pytest.raises(EvidenceError):
        parse_canonical_object(content, "it")
