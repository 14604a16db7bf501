"""Parts of a scoring that was killed: taken up only if they are whole and of the same rows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytestmark = pytest.mark.models

COLUMNS = ("id", "score")


def part_of(ids: list[Any], name: str = "score") -> bytes:
    from prunegate.pipeline.predict_table import table_bytes

    return table_bytes(pa.table({"id": ids, name: [n / 8 for n in range(len(ids))]}), ".parquet")


def taken_up(place: Path, ids: list[Any]) -> pa.Table | None:
    from prunegate.pipeline.predict_table import kept_part

    return kept_part(place, COLUMNS, pa.chunked_array([ids]))


@pytest.mark.parametrize("ids", [["a", "b", "ü"], [1, 2, 3]])
def test_a_part_is_taken_up_as_it_was_kept(tmp_path: Path, ids: list[Any]) -> None:
    (tmp_path / "part").write_bytes(part_of(ids))
    found = taken_up(tmp_path / "part", ids)
    assert found is not None
    assert found.to_pydict() == {"id": ids, "score": [0, 1 / 8, 2 / 8]}


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _raw: b"",
    "half": lambda raw: raw[: len(raw) // 2],
    "its end is gone": lambda raw: raw[:-1],
    "zeros": lambda raw: bytes(len(raw)),
    "other rows": lambda _raw: part_of(["a", "b", "d"]),
    "other order": lambda _raw: part_of(["b", "a", "c"]),
    "fewer rows": lambda _raw: part_of(["a", "b"]),
    "another column": lambda _raw: part_of(["a", "b", "c"], "p_a"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_or_of_other_rows_is_made_anew(tmp_path: Path, damage: str) -> None:
    ids = ["a", "b", "c"]
    (tmp_path / "part").write_bytes(DAMAGE[damage](part_of(ids)))
    assert taken_up(tmp_path / "part", ids) is None


def test_a_part_that_is_not_there_is_made(tmp_path: Path) -> None:
    assert taken_up(tmp_path / "part", ["a"]) is None


def test_a_part_belongs_to_its_pictures_as_they_were(tmp_path: Path) -> None:
    from prunegate.pipeline.predict_table import part_name
    from prunegate.pipeline.scoring_job import ModelSource, ScoringJob

    asked = ScoringJob(
        model=tmp_path,
        said=ModelSource(folder="."),
        table=tmp_path / "t.csv",
        out=tmp_path / "p.csv",
    )
    (tmp_path / "a.png").write_bytes(b"one")

    def name(reads: str = "images") -> str:
        return part_name(asked, reads, 4096, ["a.png", "not there.png", "null\0.png"])

    before = name()
    assert before == name()
    assert before.startswith("000000004096-")
    (tmp_path / "a.png").write_bytes(b"other")
    larger = name()
    os.utime(tmp_path / "a.png", ns=(0, 0))
    assert len({before, larger, name(), name("texts")}) == 4
    (tmp_path / "a.png").unlink()
    assert name("texts") == part_name(asked, "texts", 4096, [])
