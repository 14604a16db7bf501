"""label.html: blind, inert and offline, and the whole way from it to a verdict in Chromium.

The browser is the one of the report's tests (``tests/browser``), skipped where it is not installed.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from prunegate.cli.gate import command as gate_command
from prunegate.cli.label import command as label_command
from prunegate.report import label_page

pytestmark = pytest.mark.slow

TOOLS = Path(__file__).parents[1] / "browser"
POLICY = """prunegate: 1
name: moderation
title: "Posts <b>of</b> users"
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind}]
evidence: {reference: off}
rules:
  - {metric: accuracy, max_drop: 0.05}
  - {metric: negative_flip_rate, at_most: 0.05}
"""
HEAD = ("id", "kind", "text", "baseline", "candidate")
MARKUP = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
Rows = list[list[str]]


def posts(n: int = 1000, differ: int = 40) -> tuple[Rows, dict[str, str]]:
    """A table whose models differ on some rows, and what is right there."""
    random = np.random.default_rng(8)
    rows, truth = [], {}
    for i in range(n):
        key = f'{MARKUP}, "{i}"' if i < 20 else f"p{i}"
        flagged = bool(random.random() < 0.3)
        other = flagged != (i < differ)
        kind = ("<i>video", "text, long")[int(random.integers(2))]
        rows.append([key, kind, f"post {i} {MARKUP}", str(0.9 * flagged), str(0.9 * other)])
        truth[key] = ("safe", "unsafe")[int(random.random() < 0.5)]
    return rows, truth


def written(path: Path, rows: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


def run(command, *words: object) -> object:
    told = CliRunner().invoke(command, list(map(str, words)), standalone_mode=False)
    assert told.exception is None, told.exception
    return told.return_value


def data_of(html: str) -> dict:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html)
    return json.loads(found)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list that was drawn, and what is right."""

    folder: Path
    policy: Path
    table: Path
    truth: dict[str, str]

    @property
    def html(self) -> str:
        return (self.folder / "label.html").read_text(encoding="utf-8")


@pytest.fixture(name="listed", scope="module")
def _listed(tmp_path_factory) -> Listed:
    folder = tmp_path_factory.mktemp("page")
    rows, truth = posts()
    policy, table = folder / "policy.yaml", written(folder / "posts.csv", rows)
    policy.write_text(POLICY, encoding="utf-8")
    run(label_command, policy, "--predictions", table, "-o", folder / "list", "-q")
    return Listed(folder=folder / "list", policy=policy, table=table, truth=truth)


def test_the_page_is_blind_and_inert(listed):
    data = data_of(listed.html)
    assert len(data["rows"]) == 40
    assert set(data["rows"][0]) == {"cells", "shown", "text"}
    assert data["columns"] == ["id", "kind"]
    assert [answer["key"] for answer in data["answers"]] == ["1", "2", "u"]
    assert [answer["value"] for answer in data["answers"]] == ["unsafe", "not unsafe", "unsure"]
    assert "<b>of</b>" not in listed.html
    assert listed.html.count("<script") == listed.html.count("</script>") == 2
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', listed.html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy[1]


def test_a_list_that_is_drawn_again_goes_on_where_it_was(listed, tmp_path):
    words = (listed.policy, "--predictions", listed.table, "-o")
    run(label_command, *words, tmp_path / "again", "-q")
    again = data_of((tmp_path / "again" / "label.html").read_text(encoding="utf-8"))
    assert again == data_of(listed.html)
    run(label_command, *words, tmp_path / "other", "-q", "--seed", 3)
    other = data_of((tmp_path / "other" / "label.html").read_text(encoding="utf-8"))
    assert other["frame"] != again["frame"]


@pytest.mark.parametrize("beside", [False, True])
def test_pictures_are_in_the_page_or_beside_it(tmp_path, monkeypatch, beside):
    monkeypatch.setattr(label_page, "EMBEDDED", 0 if beside else 10**6)
    rows, _ = posts(n=200, differ=8)
    rows = [[f"p{i}", *row[1:]] for i, row in enumerate(rows)]
    table = written(tmp_path / "posts.csv", rows)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "shots").mkdir()
    for i in range(8):
        Image.new("RGB", (1400, 700), (i, 0, 0)).save(tmp_path / "shots" / f"p{i}.png")
    words = (tmp_path / "policy.yaml", "--predictions", table, "--images", tmp_path / "shots")
    table.write_text(table.read_text().replace("kind,text", "kind,words"))  # pictures alone
    run(label_command, *words, "-o", tmp_path / "list", "-q")
    data = data_of((tmp_path / "list" / "label.html").read_text(encoding="utf-8"))
    pictures = sorted(path.name for path in (tmp_path / "list").glob("pictures/*"))
    assert len(pictures) == (8 if beside else 0)
    start = "pictures/0000" if beside else "data:image/jpeg;base64,"
    assert all(row["picture"].startswith(start) for row in data["rows"])
    (tmp_path / "shots" / "p3.png").unlink()
    told = CliRunner().invoke(label_command, [*map(str, words), "-o", str(tmp_path / "more")])
    assert "1 image(s) cannot be used" in str(told.exception)
    assert not (tmp_path / "more").exists()


def test_forty_rows_are_labelled_by_keyboard_and_judged(listed, tmp_path, monkeypatch):
    _require_browser()
    keys = {
        row[0]: "1" if listed.truth[row[0]] == "unsafe" else "2" for row in _rows(listed.folder)
    }
    doubted = _rows(listed.folder)[7][0]
    keys[doubted] = "u"
    job = {
        "executable": shutil.which("chromium"),
        "file": str(listed.folder / "label.html"),
        "keys": keys,
        "save": str(tmp_path / "to-label.csv"),
        "shots": os.environ.get("PRUNEGATE_SHOTS"),
        "many": str(_of_many_labels(tmp_path / "many.html")),
        "look_up": "cat",
    }
    (tmp_path / "job.json").write_text(json.dumps(job), encoding="utf-8")
    done = subprocess.run(
        ["node", str(TOOLS / "label.mjs"), str(tmp_path / "job.json")],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["requests"], seen["errors"], seen["violations"]) == ([], [], [])
    assert seen["undone"]
    assert not seen["too_wide"]
    assert "alert(1)" in seen["first"]  # as text
    halves = [told.partition(",")[0] for told in seen["told"]]
    assert halves == ["20 of 40 labelled", "20 of 40 labelled", "40 of 40 labelled"]
    assert (seen["framed"], seen["taken"]) == ("cat", "cat")  # not the bobcat before it
    assert seen["name"] == "to-label.csv"
    found = _rows(tmp_path)
    assert [row[:2] for row in found] == [row[:2] for row in _rows(listed.folder)]
    spelled = {"1": "unsafe", "2": "not unsafe", "u": "unsure"}
    assert {row[0]: row[2] for row in found} == {k: spelled[v] for k, v in keys.items()}
    monkeypatch.chdir(tmp_path)
    files = ["--labels", "to-label.csv", "--labelling", listed.folder / "labelling.json"]
    words = [listed.policy, "--predictions", listed.table, *files, "--out", "verdict"]
    assert run(gate_command, *words) == 0
    record = json.loads(Path("verdict/record.json").read_text())
    assert record["outcome"] == "approve"
    assert record["labelling"]["labelled"] == 39
    assert "1 row was looked at and could not be labelled" in record["statement"]
    assert "could not be labelled" in Path("verdict/report.html").read_text(encoding="utf-8")


def _of_many_labels(path: Path) -> Path:
    names = ("bobcat", *(f"bird {i}" for i in range(9)), "cat", "cattle")
    page = label_page.LabelPage(
        title="Animals",
        frame="animals",
        file="to-label.csv",
        columns=("id",),
        label="label",
        answers=tuple((name, name) for name in names),
        unsure="unsure",
        rows=(label_page.PageRow(cells=("a",), text="a"),),
    )
    path.write_bytes(label_page.render_label_page(page)["label.html"])
    return path


def _rows(folder: Path) -> Rows:
    with (folder / "to-label.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _require_browser() -> None:
    programs = [name for name in ("chromium", "node") if shutil.which(name) is None]
    packages = [
        p for p in ("axe-core", "playwright-core") if not (TOOLS / "node_modules" / p).is_dir()
    ]
    if missing := ", ".join(programs + packages):
        message = f"not installed: {missing}; see .ci/run"
        if os.environ.get("PRUNEGATE_CI"):
            pytest.fail(message)
        pytest.skip(message)
