"""The single-file verifier: short, alone, and of one mind with what it shares no code with."""

from __future__ import annotations

import ast
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audit.log.leaves import nodes_of

from prunegate.audit.approvals.person import folded_name
from prunegate.audit.bundle import verify_record
from prunegate.audit.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from prunegate.audit.signing.allowed_signers import parse_allowed_signers
from prunegate.audit.signing.keys import generate, openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, key_blob

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


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-28", datetime(2026, 11, 29, tzinfo=UTC)),
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-11-28T09:10:11Z", datetime(2026, 11, 28, 9, 10, 11, tzinfo=UTC)),
        ("20261128Z", datetime(2026, 11, 28, tzinfo=UTC)),
        ("202611280910Z", datetime(2026, 11, 28, 9, 10, tzinfo=UTC)),
        ("20261128091011Z", datetime(2026, 11, 28, 9, 10, 11, tzinfo=UTC)),
    ],
)
def test_the_single_file_reads_every_time_to_the_second(text: str, meant: datetime) -> None:
    assert verify_record.moment(text) == meant
    if text.endswith("Z"):
        with pytest.raises(verify_record.Wrong, match="not in UTC"):
            verify_record.moment(text[:-1])


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIGNER = generate("ed25519").public_key()
WHO = ["a@c.d", "*@c.d", "x,a@*", "a?c.d", "[a]@c.d", "A@c.d", "x"]
UNTIL = 'valid-before="202606011200Z"'
TERMS = [
    "", 'namespaces="git"', 'namespaces="git,prunegate-signoff"', UNTIL,
    'valid-after="20260601120000Z"', f'valid-after="20260601Z",{UNTIL}',
]  # fmt: skip


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("who", WHO)
def test_the_single_file_lets_sign_whom_the_log_lets(who: str, terms: str) -> None:
    line = " ".join(["#x\n" + who, *terms.split(), openssh_line(SIGNER)])
    blob, (signer,) = key_blob(SIGNER), parse_allowed_signers(line, "f")
    for hours in (0, 12):
        for second in (-1, 0, 1):
            at = NOON - timedelta(hours=hours, seconds=second)
            may = signer.is_of("a@c.d") and signer.refusal(NAMESPACE, at) is None
            files = {"allowed_signers": line.encode()}
            assert verify_record.allowed(files, blob, "a@c.d", at) == may
            assert not verify_record.allowed(files, blob[:-1], "a@c.d", at)


@given(st.text("aAsSßſKÅ\u00e9E\u0301\uff21ǅΣς \t", max_size=6))
def test_the_single_file_compares_names_as_the_log_does(name: str) -> None:
    assert verify_record.folded(name) == folded_name(name)
