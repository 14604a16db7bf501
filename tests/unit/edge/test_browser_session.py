"""What goes wrong in a browser ends in one error that says what to do; programs stand in for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prunegate.edge import browser_session as module
from prunegate.edge.browser_session import PageAnswers, browser_session
from prunegate.edge.chromium import Chromium, chromium_program
from prunegate.errors import InputError, ModelError, TableError

TWO = PageAnswers(classes=2, whole=True)
PAGE = """
import json, sys, urllib.request
root = sys.argv[-1].rpartition("/")[0] + "/"
def told(what, **content):
    urllib.request.urlopen(root + what, json.dumps(content).encode()).close()
def row():
    with urllib.request.urlopen(root + "row") as given:
        return given.status, given.headers.get("X-Row"), given.read()
"""
ANSWERS = """
told("ready", agent="x", load_ms=5)
while True:
    status, number, content = row()
    if status == 204:
        break
    if content == b"broken":
        told("answer", row=int(number), error="cannot be decoded")
    else:
        told("answer", row=int(number), shares=[0.25, 0.75], run_ms=2.0, prepare_ms=1.0, **MORE)
"""


def browser(folder: Path, page: str, version: str = "Chromium 150.0.1.2") -> Path:
    """A program that stands for Chromium: it says its version, and does what a page does."""
    (folder / "page.py").write_text(PAGE + page)
    found = folder / "browser"
    found.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "{version}"; exit; }}\n'
        f'exec python3 {folder / "page.py"} "$@"\n'
    )
    found.chmod(0o755)
    return found


def pictures(folder: Path, *contents: bytes) -> list[Path]:
    made = [folder / f"{number}.png" for number in range(len(contents))]
    for path, content in zip(made, contents, strict=True):
        path.write_bytes(content)
    return made


def test_rows_come_back_with_their_times(tmp_path: Path) -> None:
    program = browser(tmp_path, ANSWERS.replace("**MORE", ""))
    with browser_session({}, TWO, program) as session:
        assert (session.version, session.load_ms) == ("150.0.1.2", 5.0)
        found = session.pictures(pictures(tmp_path, b"a", b"b"))
        assert np.array_equal(found.shares, [[0.25, 0.75]] * 2)
        assert np.array_equal(found.run_ms, [2.0, 2.0])
        more = session.values(np.zeros((1, 3, 2, 2), np.float32), (2, 2))
        assert more.prepare_ms.tolist() == [1.0]
        assert len(session.texts(["one", "two", "three"]).shares) == 3


def test_all_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    program = browser(tmp_path, ANSWERS.replace("**MORE", ""))
    with browser_session({}, TWO, program) as session:
        with pytest.raises(TableError) as told:
            session.pictures(pictures(tmp_path, b"broken", b"a", b"broken"))
        assert "2 rows" in str(told.value)
        assert "0.png: cannot be decoded" in str(told.value)
        assert "2.png" in str(told.value)
        with pytest.raises(InputError, match=r"nothing\.png: cannot be read"):
            session.pictures([tmp_path / "nothing.png"])


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ('told("failed", error="no operator X")', "the page failed .no operator X"),
        ('print("no display", file=sys.stderr); sys.exit(3)', "exit 3: no display"),
        ("import time; time.sleep(60)", "did not load the model within 1 s"),
        ('told("ready")', "load_ms None"),
        (ANSWERS.replace("**MORE", "").replace("0.25", "1.25"), "no probabilities"),
        (
            ANSWERS.replace("int(number), s", "7, s").replace("**MORE", ""),
            "another row",
        ),
    ],
)
def test_what_goes_wrong_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    words: str,
) -> None:
    monkeypatch.setattr(module, "OPEN_S", 1.0 if "sleep" in page else 60.0)
    program = browser(tmp_path, page)

    def score() -> Any:
        with browser_session({}, TWO, program) as session:
            return session.pictures(pictures(tmp_path, b"a"))

    with pytest.raises(ModelError, match=words):
        score()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "shares",
    [None, [], [1.0], [0.5, 0.25, 0.25], [True, False], [float("nan"), 0.5], ["0.5", 0.5], "ab"],
)
def test_an_answer_is_one_probability_a_class(shares: object, whole: bool) -> None:
    with pytest.raises(ModelError, match="no probabilities of 2 classes"):
        module._shares({"shares": shares}, PageAnswers(classes=2, whole=whole))


def test_shares_of_a_softmax_are_of_one_whole() -> None:
    told = {"shares": [0.9, 0.9]}
    assert module._shares(told, PageAnswers(classes=2, whole=False)) == [0.9, 0.9]
    with pytest.raises(ModelError, match=r"add up to 1\.8"):
        module._shares(told, TWO)


def test_what_a_killed_run_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "prunegate-browser-x.prunegate"
    left.mkdir()
    browser = Chromium("/bin/true", "http://127.0.0.1:9/")
    assert not left.exists()
    assert len(list(tmp_path.glob("prunegate-browser-*"))) == 1
    browser.close()
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_a_separator_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("here", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "fake").touch(mode=0o755)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert chromium_program("fake") == str(tmp_path / "path" / "fake")
    assert chromium_program("./fake") == "./fake"
    (tmp_path / "here" / "fake").unlink()
    for named in ("./fake", "", "nothing"):
        with pytest.raises(InputError, match="is no program"):
            chromium_program(named)


def test_no_browser_or_an_old_one_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = browser(tmp_path, "", version="Chromium 99.0.1.2")
    with (
        pytest.raises(InputError, match=r"version 99\.0\.1\.2; .* 112 or newer"),
        browser_session({}, TWO, old),
    ):
        pass
    silent = browser(tmp_path, "", version="")
    for program, told in ((silent, "does not say its version"), (tmp_path / "no", "is no program")):
        with pytest.raises(InputError, match=told), browser_session({}, TWO, program):
            pass
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(InputError, match="apt-get install chromium"), browser_session({}, TWO):
        pass
