"""Near-duplicate pictures: re-encoded copies are found, others and flat ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from prunegate.data.labelled.near_duplicates import (
    NEAR,
    PerceptualHash,
    near_duplicate_warning,
    near_pairs,
    perceptual_hashes,
)
from prunegate.data.labelled.rows import LabelledRows


def rows(folder: Path, names: list[str], splits: list[str]) -> LabelledRows:
    nothing = tuple(None for _ in names)
    return LabelledRows(name="t.csv", folder=folder, ids=tuple(names), labels=nothing,
                        splits=tuple(splits), columns={}, images=tuple(names))  # fmt: skip


def test_a_smaller_and_reencoded_copy_looks_alike_and_others_do_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        coarse = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        coarse.resize((96, 96), Image.Resampling.BICUBIC).save(tmp_path / f"{name}.png")
    Image.open(tmp_path / "a.png").resize((64, 64)).save(tmp_path / "a2.jpg", quality=70)
    for name in ("flat.png", "flat2.png"):
        Image.new("RGB", (32, 32), (9, 9, 9)).save(tmp_path / name)
    names = ["a.png", "a2.jpg", "b.png", "c.png", "flat.png", "flat2.png"]
    found = rows(tmp_path, names, ["gate", "train", "gate", "train", "gate", "train"])
    told = near_duplicate_warning(found)
    assert told is not None
    assert told.startswith("1 image of the gate split looks like an image of another split: ")
    assert told.endswith("'a.png' like 'a2.jpg'")
    assert near_duplicate_warning(rows(tmp_path, names, ["gate"] * 6)) is None


def test_groups_of_bits_miss_no_pair(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    seen = [int(n) for n in rng.integers(0, 1 << 63, 40, dtype=np.uint64)]
    copies = []
    for number, one in enumerate(seen):
        changed = [int(bit) for bit in rng.choice(64, number % 8, replace=False)]
        copies.append(one ^ sum(1 << bit for bit in changed))
    names = [f"{n:03}" for n in range(80)]
    table = rows(tmp_path, names, ["gate"] * 40 + ["train"] * 40)
    expected = sum(min((a ^ b).bit_count() for b in copies) <= NEAR for a in seen)
    grey = bytes(range(72))
    found = [PerceptualHash(bits=bits, grey=grey) for bits in (*seen, *copies)]
    assert near_pairs(table, found).rows == expected > 20
    assert perceptual_hashes([]) == ()


def test_pictures_that_are_mostly_empty_do_not_look_alike_for_it(tmp_path: Path) -> None:
    spots = [PerceptualHash(bits=1 << at, grey=bytes(40 * (part == at) for part in range(72)))
             for at in (3, 30, 60, 61)]  # fmt: skip
    table = rows(tmp_path, ["a", "b", "c", "d"], ["gate", "train", "gate", "train"])
    assert near_pairs(table, spots).rows == 0  # of 64 bits, two differ
    copy = PerceptualHash(bits=spots[2].bits, grey=bytes(level // 2 for level in spots[2].grey))
    assert near_pairs(table, [*spots[:3], copy]).examples == (("c", "d"),)


def look(bits: int) -> PerceptualHash:
    return PerceptualHash(bits=bits, grey=bytes(range(72)))


def test_a_family_of_alike_pictures_is_told_as_one_and_copies_of_few_are_not(
    tmp_path: Path,
) -> None:
    """Ten kinds of digits, each drawn often, against copies that stand in another split."""
    rng = np.random.default_rng(4)
    kinds = [int(n) for n in rng.integers(0, 1 << 63, 10, dtype=np.uint64)]
    digits = [look(kinds[n % 10] ^ (1 << (n // 10))) for n in range(400)]
    names = [f"{n:03}" for n in range(400)]
    dealt = ["gate" if n // 10 % 4 == 0 else "train" for n in range(400)]
    family = near_pairs(rows(tmp_path, names, dealt), digits)
    assert (family.rows, family.within, family.matched, family.family) == (100, 100, 100, True)
    apart = [look(int(n)) for n in rng.integers(0, 1 << 63, 400, dtype=np.uint64)]
    split = ["gate"] * 100 + ["train"] * 300
    copied = [*apart[:350], *apart[:50]]
    found = near_pairs(rows(tmp_path, names, split), copied)
    assert (found.rows, found.within, found.family) == (50, 0, False)
    twice = near_pairs(rows(tmp_path, ["a", "b", "c"], ["gate", "gate", "train"]), [apart[0]] * 3)
    assert (twice.rows, twice.within, twice.family) == (2, 2, True)


def test_a_picture_of_16_bits_looks_like_its_copy_of_8(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    deep = np.kron(rng.integers(0, 1 << 16, (6, 6)), np.ones((16, 16))).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray((deep >> 8).astype(np.uint8)).save(tmp_path / "copy.png")
    table = rows(tmp_path, ["deep.png", "copy.png"], ["gate", "train"])
    assert near_pairs(table, perceptual_hashes(table.paths)).rows == 1
