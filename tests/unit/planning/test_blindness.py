"""Names of rows that give labels away."""

from __future__ import annotations

import numpy as np
import pytest

from prunegate.planning.blindness import telling_words

IDS = [f"r{i}" for i in range(200)]
RANDOM = np.random.default_rng(8)
FLAGGED = RANDOM.random(200) < 0.5
DECISIONS = {key: str(int(flag)) for key, flag in zip(IDS, FLAGGED, strict=True)}


def words(folders: list[str], labels: tuple[str, ...] = ("unsafe", "safe")) -> tuple[str, ...]:
    named = zip(IDS, folders, strict=True)
    return telling_words(
        {key: [key, f"/data/{f}/{key}.png"] for key, f in named}, DECISIONS, labels
    )


@pytest.mark.parametrize("agreeing", [0.95, 0.85, 0.5])
def test_folders_that_follow_the_decisions_are_told(agreeing: float) -> None:
    follows = np.random.default_rng(1).random(200) < agreeing
    folders = [
        "left" if flag == same else "right" for flag, same in zip(FLAGGED, follows, strict=True)
    ]
    assert words(folders) == (() if agreeing == 0.5 else ("left", "right"))


def test_a_folder_called_as_a_label_is_told_unless_every_row_lies_there() -> None:
    assert words(["Unsafe" if i % 2 else "other" for i in range(200)]) == ("unsafe",)
    assert words(["not_safe" if i % 7 == 0 else "x" for i in range(200)]) == ("safe",)
    assert words(["safe"] * 200) == ()
    assert words(["0" if flag else "1" for flag in FLAGGED], ("0", "1")) == ()


def test_names_that_say_nothing_are_not_told() -> None:
    random = np.random.default_rng(2)
    assert words([f"batch-{n}" for n in random.integers(0, 12, 200)]) == ()
    assert words([f"site{'abcdefghij'[n]}" for n in random.integers(0, 10, 200)]) == ()
