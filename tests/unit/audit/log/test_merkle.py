"""RFC 6962: published hashes, the laws of proofs, and pymerkle as a second opinion."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audit.log.leaves import nodes_of

from prunegate.audit.log.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)

# The Certificate Transparency project's reference leaves and roots (merkletree test data).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

SIZES = st.integers(1, 300)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(size)]


def test_roots_are_the_published_ones() -> None:
    tree = CompactRange()
    assert tree.root() == EMPTY_ROOT == hashlib.sha256(b"").digest()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.append(leaf_hash(leaf))
        assert tree.root().hex() == root


@given(st.integers(0, 300))
def test_growing_and_recursive_roots_agree(size: int) -> None:
    leaves = leaves_of(size)
    tree = CompactRange(leaves)
    assert tree.root() == root_of(size, nodes_of(leaves))
    assert len(tree.subtrees) == size.bit_count()


@given(SIZES, st.data())
def test_a_proof_holds_for_its_leaf_and_place_only(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    root = CompactRange(leaves).root()
    path = inclusion_proof(index, size, nodes_of(leaves))
    assert includes(leaves[index], index, size, path, root)
    assert not includes(leaf_hash(b"else"), index, size, path, root)
    other = data.draw(st.integers(0, size))
    assert other == index or not includes(leaves[index], other, size, path, root)
    assert not includes(leaves[index], index, size, [*path, root], root)
    if path:
        assert not includes(leaves[index], index, size, path[:-1], root)
        at = data.draw(st.integers(0, len(path) - 1))
        forged = [*path[:at], bytes(32), *path[at + 1 :]]
        assert not includes(leaves[index], index, size, forged, root)


@given(SIZES, st.data())
def test_a_consistency_proof_holds_for_its_trees_only(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    leaves = leaves_of(new)
    before, after = CompactRange(leaves[:old]).root(), CompactRange(leaves).root()
    path = consistency_proof(old, new, nodes_of(leaves))
    assert extends(old, before, new, after, path)
    assert not extends(old, bytes(32), new, after, path)
    if old:
        assert not extends(old, before, new, bytes(32), path)
        assert not extends(old, before, new, after, [*path, bytes(32)])
    if path:
        assert not extends(old, before, new, after, path[:-1])
    assert not extends(new + 1, after, new, after, [])


@pytest.mark.parametrize("old", [3, 5, 6])
def test_without_hashes_a_tree_that_grew_is_not_shown_to(old: int) -> None:
    leaves = leaves_of(7)
    before, after = (root_of(size, nodes_of(leaves[:size])) for size in (old, 7))
    assert not extends(old, before, 7, after, [])
    assert extends(old, before, 7, after, consistency_proof(old, 7, nodes_of(leaves)))


def test_what_a_tree_lacks_cannot_be_proven() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(3, 3, nodes_of(leaves_of(3)))
    with pytest.raises(ValueError, match="cannot extend"):
        consistency_proof(4, 3, nodes_of(leaves_of(3)))


def test_pymerkle_agrees_on_roots_and_proofs_of_sizes_1_to_130() -> None:
    pymerkle = pytest.importorskip("pymerkle", reason="pymerkle is not installed (extra test)")
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    leaves: list[bytes] = []
    for size in range(1, 131):
        entry = b"entry %d" % size
        theirs.append_entry(entry)
        leaves.append(leaf_hash(entry))
        ours = nodes_of(leaves)
        root = CompactRange(leaves).root()
        assert theirs.get_root(size) == root
        for index in {0, size // 3, size // 2, size - 1}:
            proof = theirs.prove_inclusion(index + 1, size)
            pymerkle.verify_inclusion(leaves[index], root, proof)
            assert proof.path[0] == leaves[index]
            assert set(proof.path[1:]) == set(inclusion_proof(index, size, ours))
        for old in {1, size // 2 or 1, size}:
            proof = theirs.prove_consistency(old, size)
            before = theirs.get_root(old)
            pymerkle.verify_consistency(before, root, proof)
            assert extends(old, before, size, root, consistency_proof(old, size, ours))


def test_leaves_and_nodes_cannot_be_taken_for_each_other() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
