"""The image table: rows as the policy names them, images that stay where they belong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prunegate.data.labelled.table import columns_to_read, read_rows
from prunegate.errors import TableError
from prunegate.policy.schema import Policy


def policy(**more: Any) -> Policy:
    document = {
        "prunegate": 1,
        "name": "p",
        "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
        "slices": [{"by": "channel"}],
        "rules": [{"metric": "recall", "at_least": 0.5}],
        "data": {"table": "data/t.csv"},
    }
    return Policy.model_validate(document | more)


def write(folder: Path, images: dict[str, str], *, order: list[str] | None = None) -> None:
    """Write a table of id -> image path, and the images that lie inside."""
    (folder / "data" / "img").mkdir(parents=True, exist_ok=True)
    lines = [f"{key},{images[key]},unsafe,gate,video" for key in order or images]
    text = "\n".join(["id,image,label,split,channel", *lines])
    (folder / "data" / "t.csv").write_text(text + "\n")
    for image in images.values():
        if image.startswith("img/") and ".." not in image:
            (folder / "data" / image).write_bytes(image.encode())


def test_rows_come_as_given_sorted_by_id(tmp_path: Path) -> None:
    images = {f"{n:02}": f"img/{n}.png" for n in range(30)}
    order = [f"{7 * n % 30:02}" for n in range(30)]
    write(tmp_path, images, order=order)
    rows = read_rows(policy(), tmp_path)
    assert rows.ids == tuple(images)
    assert rows.images == tuple(images.values())
    assert set(rows.labels) == {"unsafe"}
    assert set(rows.splits) == {"gate"}
    assert dict(rows.columns) == {"channel": ("video",) * 30}
    assert all(path.is_file() for path in rows.paths)
    assert len(rows) == 30


def test_numeric_labels_and_other_names(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "t.csv").write_text("key,file,y,part,channel\n01,a.png,1,gate,2\n")
    columns = {"id": "key", "image": "file", "label": "y", "split": "part"}
    rows = read_rows(policy(data={"table": "t.csv", "columns": columns}), tmp_path)
    assert (rows.ids, rows.labels, rows.columns["channel"]) == (("01",), (1,), ("2",))


def test_every_column_that_a_step_or_group_needs_is_read() -> None:
    made = policy(
        group="clip",
        compress=[
            {"prune": {"what": "heads", "amount": 0.1}},
            {"finetune": {"steps": 1, "data": {"split": "train", "where": {"style": "x"}}}},
        ],
    )
    assert columns_to_read(made) == ("channel", "clip", "style")


def test_bad_image_paths_are_listed_together(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"")
    write(tmp_path, {"ok": "img/ok.png"})
    data = tmp_path / "data"
    (data / "img" / "link.png").symlink_to(outside)
    (data / "away").symlink_to(tmp_path)
    (data / "img" / "folder").mkdir()
    bad = {
        "a": str(outside),
        "b": "../outside.png",
        "c": "img/none.png",
        "d": "img/link.png",
        "e": "away/outside.png",
        "f": "img/folder",
        "g": "",
    }
    lines = [
        f"{key},{image},unsafe,gate,video" for key, image in ({"z": "img/ok.png"} | bad).items()
    ]
    (data / "t.csv").write_text("\n".join(["id,image,label,split,channel", *lines]) + "\n")
    with pytest.raises(TableError) as caught:
        read_rows(policy(), tmp_path)
    message = str(caught.value)
    assert "7 image(s) cannot be used" in message
    assert "not a relative path" in message
    assert "leaves the image folder" in message
    assert "No such file" in message
    assert message.count("a symbolic link") == 2
    assert "and 2 more" in message
    assert "img/ok.png" not in message


def test_a_link_that_stays_inside_is_fine(tmp_path: Path) -> None:
    write(tmp_path, {"a": "img/a.png"})
    (tmp_path / "data" / "img" / "b.png").symlink_to("a.png")
    (tmp_path / "data" / "t.csv").write_text(
        "id,image,label,split,channel\nb,img/b.png,unsafe,gate,video\n"
    )
    assert len(read_rows(policy(), tmp_path)) == 1


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="names no labelled data"):
        read_rows(policy(data={}), tmp_path)
    with pytest.raises(TableError, match="no such image folder"):
        read_rows(policy(data={"table": "t.csv", "images": "none"}), tmp_path)
    with pytest.raises(TableError, match="no such file"):
        read_rows(policy(data={"table": "t.csv"}), tmp_path)
    write(tmp_path, {"a": "img/a.png"})
    with pytest.raises(TableError, match="cannot be the label"):
        read_rows(policy(slices=[{"by": "label"}]), tmp_path)
