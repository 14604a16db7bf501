"""The single-file verifier: short, alone, and of one mind with what it shares no code with."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.bundle import verify_record
from prunegate.audit.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    nodes_of,
    root_of,
)

VERIFIER = Path(verify_record.__file__)


def test_the_verifier_is_short_and_shares_nothing_with_prunegate() -> None:
    text = VERIFIER.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    taken = set()
    for node in ast.walk(ast.parse(text, feature_version=(3, 9))):
        if isinstance(node, ast.Import):
            taken |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            taken.add(str(node.module).split(".")[0])
    assert taken - set(sys.stdlib_module_names) == {"cryptography"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters())
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.slow
@given(JSON)
def test_the_single_file_spells_json_as_rfc8785_does(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return
    assert verify_record.spelled(value).encode() == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_single_file_spells_numbers_as_ecmascript_does(value: float) -> None:
    assert verify_record.number(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 33])
def test_the_single_file_walks_trees_as_the_log_does(size: int) -> None:
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    nodes = nodes_of(leaves)
    root = root_of(size, nodes)
    for index in range(size):
        path = inclusion_proof(index, size, nodes)
        assert verify_record.included(leaves[index], index, size, path) == root
    for old in range(1, size):
        path = consistency_proof(old, size, nodes)
        before = root_of(old, nodes)
        assert verify_record.grown(old, size, path, [before]) == (before, root)
