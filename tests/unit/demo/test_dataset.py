"""The dataset on disk holds exactly what was rendered, in splits that share nothing."""

from __future__ import annotations

import csv
from hashlib import sha256

import numpy as np
import pytest

from prunegate.demo import dataset
from prunegate.demo.creatives import CONTENT_TYPES, render_creatives
from prunegate.errors import InputError, InternalError, TableError

SIZES = dataset.Sizes(train=200, calibration=40, search=60, gate=100)
SPLITS = {"train": 200, "calibration": 40, "search": 60, "gate": 100}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "data"
    calls = []
    splits = dataset.write(folder, seed=5, sizes=SIZES, progress=lambda *call: calls.append(call))
    return folder, splits, calls


def rows(folder):
    with (folder / "creatives.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_full_demo_has_its_documented_sizes():
    full = dataset.Sizes()
    assert (full.train, full.calibration, full.search, full.gate) == (20_000, 800, 800, 24_000)


@pytest.mark.slow
def test_the_table_names_every_file_once(written):
    folder, _, _ = written
    table = rows(folder)
    assert list(table[0]) == ["id", "image", "label", "content_type", "split"]
    named = {row["image"] for row in table}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert named == found
    assert len(named) == len({row["id"] for row in table}) == 400


def test_splits_have_their_sizes_and_shares(written):
    folder, _, _ = written
    for split, size in SPLITS.items():
        part = [row for row in rows(folder) if row["split"] == split]
        assert len(part) == size
        unsafe = sum(row["label"] == "unsafe" for row in part)
        assert abs(unsafe / size - 0.4) < 0.02
        for content in CONTENT_TYPES:
            assert sum(row["content_type"] == content for row in part) == size / 4


def test_splits_share_no_id_and_no_content(written):
    folder, _, _ = written
    seen: dict[str, str] = {}
    for row in rows(folder):
        digest = sha256((folder / row["image"]).read_bytes()).hexdigest()
        for key in (row["id"], digest):
            assert seen.setdefault(key, row["split"] + row["id"]) == row["split"] + row["id"]


@pytest.mark.slow
def test_reading_gives_back_what_was_rendered(written):
    folder, splits, _ = written
    rendered = SIZES.split(render_creatives(400, seed=5))
    for split in SPLITS:
        back = dataset.read_split(folder, split)
        for one in (splits[split], rendered[split]):
            assert (back.pixels == one.pixels).all()
            assert (back.unsafe == one.unsafe).all()
            assert (back.content_type == one.content_type).all()
            assert (back.ids == one.ids).all()


def test_progress_ends_at_the_total(written):
    _, _, calls = written
    assert calls[-1] == ("write images", 400, 400)


def test_nothing_is_left_beside_the_folder(written):
    folder, _, _ = written
    assert [path.name for path in folder.parent.iterdir()] == ["data"]


def test_an_existing_folder_is_not_overwritten(written):
    folder, _, _ = written
    with pytest.raises(InputError, match="exists already: name a new folder"):
        dataset.write(folder, seed=6, sizes=SIZES)


@pytest.mark.slow
def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(dataset, "_write_table", full_disk)
    with pytest.raises(OSError, match="no space"):
        dataset.write(tmp_path / "data", seed=5, sizes=SIZES)
    assert not list(tmp_path.iterdir())


def test_repeated_creatives_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        dataset, "render_creatives", lambda *_: render_creatives(200, 1).take(np.arange(400) % 200)
    )
    with pytest.raises(InternalError, match="200 creatives repeat others"):
        dataset.write(tmp_path / "data", seed=5, sizes=SIZES)
    assert not list(tmp_path.iterdir())


def test_an_empty_split_is_refused():
    with pytest.raises(InputError, match="search=0"):
        dataset.Sizes(search=0)


def test_bad_folders_are_refused(written, tmp_path):
    folder, _, _ = written
    with pytest.raises(TableError, match="is missing"):
        dataset.read_split(tmp_path, "gate")
    with pytest.raises(TableError, match="no rows of split 'test'"):
        dataset.read_split(folder, "test")
    (tmp_path / "creatives.csv").write_text("id,label\n1,safe\n")
    with pytest.raises(TableError, match="has columns"):
        dataset.read_split(tmp_path, "gate")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,images/a.png,perhaps,video,gate", "not a row of"),
        ("a,images/a.png,safe", "not a row of"),
        ("a,images/none.png,safe,video,gate", "cannot be read as an image"),
        ("a,creatives.csv,safe,video,gate", "cannot be read as an image"),
    ],
)
def test_bad_rows_are_refused(tmp_path, row, message):
    header = ",".join(dataset.HEADER)
    (tmp_path / "creatives.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(TableError, match=message):
        dataset.read_split(tmp_path, "gate")
