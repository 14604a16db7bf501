"""More creatives for the search: they continue the demo's, and share nothing with them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from prunegate.demo import dataset
from prunegate.demo.creatives import render_creatives
from prunegate.demo.more import write_more
from prunegate.demo.workspace import FULL, SEARCH, policy_text
from prunegate.errors import TableError

SIZES = dataset.Sizes(train=40, calibration=10, search=10, gate=20)


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Say nothing."""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    dataset.write(tmp_path / "creatives", seed=5, sizes=SIZES)
    return tmp_path


def rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


@pytest.mark.slow
def test_the_table_lists_the_demo_and_what_follows_it_in_the_rendering(workspace: Path) -> None:
    found = rows(write_more(workspace, 15, seed=5, sizes=SIZES, progress=quiet))
    whole = render_creatives(95, 5)
    assert len(found) == 95
    assert [row["id"] for row in found] == whole.ids.tolist()
    assert [row["content_type"] for row in found] == whole.content_type.tolist()
    assert {row["split"] for row in found[80:]} == {"search"}
    for row, pixels in zip(found, whole.pixels, strict=True):
        with Image.open(workspace / row["image"]) as image:
            assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.slow
def test_it_is_made_once_and_another_count_is_another_folder(workspace: Path) -> None:
    write_more(workspace, 15, seed=5, sizes=SIZES, progress=quiet)
    before = {path: path.stat().st_mtime_ns for path in workspace.glob("more-15/*")}
    write_more(workspace, 15, seed=5, sizes=SIZES, progress=quiet)
    assert {path: path.stat().st_mtime_ns for path in workspace.glob("more-15/*")} == before
    assert len(rows(write_more(workspace, 4, seed=5, sizes=SIZES, progress=quiet))) == 84


@pytest.mark.slow
def test_a_damaged_workspace_is_told(workspace: Path) -> None:
    (workspace / "creatives" / dataset.TABLE).unlink()
    with pytest.raises(TableError, match=r"creatives\.csv is missing"):
        write_more(workspace, 2, seed=5, sizes=SIZES, progress=quiet)


def test_the_search_has_the_rules_of_the_demo() -> None:
    demo, search = (policy_text(arm, FULL) for arm in ("representative", SEARCH))
    assert demo[demo.index("rules:") : demo.index("model:")] in search
    assert "@" not in search
