"""``predict --runtime browser``: what runs in the browser is what is judged.

The browser is the one of the report's tests (``tests/browser``), skipped where it is not installed.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from prunegate_test_tiny import edit, invoke, to_pickle
from tests.functional.edge.pages import POLICY, edge, write_texts_model

pytestmark = [pytest.mark.slow, pytest.mark.models]


TOOLS = Path(__file__).parents[2] / "browser"

RUNTIME = TOOLS / "node_modules" / "onnxruntime-web"


def require_browser() -> None:
    programs = [name for name in ("chromium", "node") if shutil.which(name) is None]
    packages = ("axe-core", "playwright-core", "onnxruntime-web", "@huggingface/tokenizers")
    packages = tuple(p for p in packages if not (TOOLS / "node_modules" / p).is_dir())
    if missing := ", ".join((*programs, *packages)):
        message = f"not installed: {missing}; see .ci/run"
        if os.environ.get("PRUNEGATE_CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--runtime-from", "x"), "belong to --runtime browser"),
        (("--runtime", "browser", "--batch", "4"), "leave out --batch and --device"),
        (("--runtime", "browser", "--classes", "a,b"), "leave out their options"),
        (("--runtime", "browser", "--browser", "nothing"), "is no program that can be run"),
        (("--runtime", "browser", "--positive", "adult"), "has no class 'adult'"),
    ],
)
def test_asking_a_browser_for_what_it_does_not_do(
    home: Path, runtime: Path, words: tuple[str, ...], told: str
) -> None:
    assert edge("baseline", "--runtime-from", runtime, "-o", "page").return_value == 0
    found = invoke("predict", "page", "--data", "data/labelled.csv", "-o", "p.csv", *words)
    assert told in str(found.exception)
    assert found.exception.exit_code == 2
    assert not (home / "p.csv").exists()
    edit(home / "page" / "pixels.js", "22", "21")
    words = ("--data", "data/labelled.csv", "-o", "p.csv", "--runtime", "browser")
    assert "pixels.js is not what edge.json names" in str(
        invoke("predict", "page", *words).exception
    )


STANDS_IN = """#!/usr/bin/env python3
import json, pathlib, sys, urllib.request
if sys.argv[1] == "--version":
    print("Chromium 150.0.1.2")
    sys.exit()
root = sys.argv[-1].rpartition("/")[0] + "/"
calls = pathlib.Path("calls.txt")
def told(what, **content):
    urllib.request.urlopen(root + what, json.dumps(content).encode()).close()
told("ready", load_ms=1)
while True:
    with urllib.request.urlopen(root + "row") as given:
        if given.status == 204:
            break
        number = int(given.headers["X-Row"])
    so_far = len(calls.read_text()) if calls.exists() else 0
    calls.write_text("." * (so_far + 1))
    if so_far == 70 and not pathlib.Path("again").exists():
        told("failed", error="no memory")
        break
    told("answer", row=number, shares=[0.75, 0.25], run_ms=2.0, prepare_ms=so_far / 100)
"""


def test_what_was_scored_before_a_crash_is_not_scored_again(
    home: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunegate.pipeline.predict_browser.PART", 50)
    assert edge("baseline", "--runtime-from", runtime, "-o", "page").return_value == 0
    (home / "browser").write_text(STANDS_IN)
    (home / "browser").chmod(0o755)
    words = ("predict", "page", "--data", "data/labelled.csv", "-o", "p.csv", "-q")
    words += ("--runtime", "browser", "--browser", home / "browser")
    crashed = invoke(*words)
    assert "the page failed (no memory)" in str(crashed.exception)
    assert not (home / "p.csv").exists()
    (home / "again").touch()
    assert invoke(*words).return_value == 0
    assert len((home / "calls.txt").read_text()) == 71 + 162 - 50
    assert "p.browser.json is there already" in str(invoke(*words, "-o", "p.parquet").exception)
    lines = (home / "p.csv").read_text().splitlines()
    assert lines[0] == '"id","p_safe","p_unsafe"'
    assert len(lines) == 163
    times = json.loads((home / "p.browser.json").read_text())
    assert (times["rows"], times["run_p50_ms"], times["browser"]) == (162, 2, "Chromium 150.0.1.2")
    assert list(home.glob(".partial-*")) == []


def eight_bit(home: Path) -> Path:
    """The baseline as the demo makes its candidate of it: pruned, then int8 in an ONNX file."""
    policy = (home / "policy.yaml").read_text()
    before, _, after = policy.partition("  - finetune:")
    (home / "small.yaml").write_text(f"{before}  - quantize: {{}}\n{after.partition(chr(10))[2]}")
    made = invoke("compress", "small.yaml", "-o", "small", "-q")
    assert made.return_value == 0, made.exception
    assert json.loads((home / "small" / "surgery.json").read_text())["storage"]["format"] == "onnx"
    return home / "small"


def test_what_runs_in_the_browser_is_what_is_judged(home: Path) -> None:
    require_browser()
    (home / "moderation.yaml").write_text(POLICY)
    candidate = eight_bit(home)
    words = (candidate, "--runtime-from", RUNTIME, "--policy", "moderation.yaml", "-o", "page")
    assert edge(*words).return_value == 0
    equals_onnxruntime_on_the_same_values(home, candidate)
    head, *rows = (home / "data" / "labelled.csv").read_text().splitlines(keepends=True)
    judged = [row for row in rows if row.endswith(",gate\n")]
    (home / "data" / "gate.csv").write_text("".join([head, *judged]))
    table = ("--data", "data/gate.csv", "--positive", "unsafe")
    scored = invoke(
        "predict", "page", *table, "--runtime", "browser", "--column", "candidate", "-o", "new.csv"
    )
    assert scored.return_value == 0, scored.exception
    assert "onnxruntime-web 1.30.0 in Chromium" in scored.output
    times = json.loads((home / "new.browser.json").read_text())
    assert times["rows"] == len(judged) == 60
    assert 0 < times["run_p50_ms"] <= times["run_p95_ms"]
    assert list(home.glob(".partial-*")) == []
    before = invoke("predict", "baseline", *table, "--column", "baseline", "-o", "old.csv", "-q")
    assert before.return_value == 0, before.exception
    files = ("--labels", "data/gate.csv", "--baseline-predictions", "old.csv")
    more = ("--candidate-predictions", "new.csv", "--out", "verdict", "-q")
    judged = invoke("gate", "moderation.yaml", *files, *more)
    assert judged.return_value == 0, judged.exception
    people_see_the_same_scores(home)


def equals_onnxruntime_on_the_same_values(home: Path, candidate: Path) -> None:
    from prunegate.edge.browser_session import PageAnswers, browser_session
    from prunegate.edge.folder import judged_files, read_edge_folder
    from prunegate.models.open_model import open_model
    from prunegate.predict.classify import probabilities
    from prunegate.predict.material import images_of

    model = open_model(candidate)
    paths = sorted((home / "data" / "images").glob("gate-*.png"))[:20]
    images = images_of(paths, model)
    wanted = probabilities(model.module, images, batch_size=1)  # a scale serves a batch
    values = images.inputs(np.arange(20))["pixel_values"].numpy()
    files, _ = read_edge_folder(home / "page")
    answers = PageAnswers(classes=2, whole=True)
    with browser_session({**files, **judged_files()}, answers) as session:
        given = session.values(values, (16, 16))
        drawn = session.pictures(paths)
    assert np.abs(given.shares - wanted).max() <= 1e-4
    assert np.abs(drawn.shares - wanted).max() <= 1e-4


def test_texts_are_cut_and_scored_in_the_browser_as_here(home: Path) -> None:
    require_browser()
    write_texts_model(home / "texts")
    texts = [
        "buy shoes now",
        "FREE free!",
        "Ünïcödé café",
        "日本語 day",
        "the day's shoes, 1.5",
        "?",
    ]
    texts += ["", "  a\tb ", "buying 100% free shoes now " * 4, "🙂 smile", "a\u0000b\u00adc"]
    with (home / "texts.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(t for t in texts if t)])
    words = ("predict", "texts", "--data", "texts.csv", "--positive", "spam", "-q")
    found = invoke(*words, "-o", "here.parquet", "--batch", "1")
    assert found.return_value == 0, found.exception
    shutil.copytree(home / "texts", home / "pickled")
    to_pickle(home / "pickled")
    words = ("predict", "pickled", *words[2:], "--allow-pickle-weights")
    words += ("--runtime", "browser", "--runtime-from", RUNTIME)
    found = invoke(*words, "-o", "there.parquet")
    assert found.return_value == 0, found.exception
    here, there = (pq.read_table(home / f"{name}.parquet") for name in ("here", "there"))
    assert here["id"] == there["id"]
    assert np.abs(here["score"].to_numpy() - there["score"].to_numpy()).max() <= 1e-4
    assert edge("texts", "--runtime-from", RUNTIME, "-o", "page").return_value == 0
    seen = looked_at(home, texts=texts[:2], name="texts")
    assert seen["focused"] == "text"
    assert [set(numbers) for numbers in seen["numbers"]] == [{"ham", "spam"}] * 2


def looked_at(home: Path, **job: Any) -> dict[str, Any]:
    """What a browser with people's eyes sees of a page; nobody is shut out, nothing goes wrong."""
    job |= {"executable": shutil.which("chromium"), "folder": str(home / "page")}
    job["shots"] = os.environ.get("PRUNEGATE_SHOTS")
    (home / "job.json").write_text(json.dumps(job))
    done = subprocess.run(
        ["node", str(TOOLS / "edge.mjs"), str(home / "job.json")],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert (seen["errors"], seen["violations"]) == ([], [])
    assert not seen["too_wide"]
    assert seen["left"] == 0
    return seen


def people_see_the_same_scores(home: Path) -> None:
    """The page by keyboard, read aloud, in the dark, on a telephone; it sends nothing."""
    with (home / "new.csv").open(newline="") as file:
        scores = {row["id"]: float(row["candidate"]) for row in csv.DictReader(file)}
    names = [f"gate-{number:02}" for number in range(4)]
    broken = home / "broken.png"
    broken.write_text("no picture")
    pictures = [home / "data" / "images" / f"{name}.png" for name in names]
    seen = looked_at(home, pictures=[*map(str, pictures), str(broken)])
    assert seen["focused"] == "files"
    assert all(asked.startswith("GET /") for asked in seen["requests"])
    assert seen["sent"] == ["connect-src", "img-src", "script-src-elem"]  # refused, all three
    for number, card in enumerate(seen["cards"][:4]):
        score = scores[f"gate{number}"]
        assert ("unsafe" if score >= 0.45 else "not unsafe") in card.splitlines()
        assert 0 <= score - float(seen["numbers"][number]["unsafe"]) < 1.01e-4  # cut, not rounded
    assert "Not scored" in seen["cards"][4]
