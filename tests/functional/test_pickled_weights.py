"""A baseline whose weights are in a pickle, through the commands that open models."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prunegate_test_tiny import POLICY, to_pickle

from prunegate.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

ALLOWED = "--allow-pickle-weights"


@pytest.fixture
def start(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run a command in ``home``, whose baseline is a pickle: exit code, stderr."""
    shutil.copytree(home / "baseline", home / "plain")
    to_pickle(home / "baseline")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, capsys.readouterr().err

    return run


@pytest.mark.usefixtures("quick")
def test_a_run_says_that_weights_were_read_from_a_pickle(
    home: Path, start: Callable[..., Any]
) -> None:
    code, err = start("run", "policy.yaml", "--out", "out")
    assert code == 2
    assert f"torch read the tensors of it and nothing else: {ALLOWED}" in err
    assert not (home / "out").exists()
    code, err = start("run", "policy.yaml", "--out", "out", "--seconds", "1", ALLOWED)
    assert code in (0, 3, 4), err
    record = json.loads((home / "out/record.json").read_text())
    assert record["baseline"]["pickled"] == ["pytorch_model.bin"]
    assert "pickled" not in record["candidate"]
    told = [one for one in record["warnings"] if "the baseline's weights were read from a" in one]
    assert len(told) == 1
    assert (home / "out/candidate/model.safetensors").is_file()
    card = (home / "out/candidate/README.md").read_text()
    assert "Weights of the baseline, read from a pickle" in card


@pytest.mark.parametrize("command", ["compress", "importance"])
def test_commands_without_a_record_say_it_on_stderr(
    home: Path, start: Callable[..., Any], command: str
) -> None:
    code, err = start(command, "policy.yaml", "-o", "made", "-q")
    assert (code, (home / "made").exists()) == (2, False)
    assert ALLOWED in err
    code, err = start(command, "policy.yaml", "-o", "made", "-q", ALLOWED)
    assert (code, (home / "made").exists()) == (0, True)
    assert "pytorch_model.bin is a pickle; torch reads its tensors and nothing else" in err


def test_scores_are_those_of_the_safetensors(home: Path, start: Callable[..., Any]) -> None:
    for model, flags in (("plain", ()), ("baseline", (ALLOWED,))):
        words = ("predict", model, "--data", "data/labelled.csv", "-o", f"{model}.csv", *flags)
        code, err = start(*words)
        assert code == 0, err
    assert (home / "baseline.csv").read_bytes() == (home / "plain.csv").read_bytes()


def test_a_search_says_it_in_its_record(home: Path, start: Callable[..., Any]) -> None:
    section = "search: {vary: [{step: 2, amount: [0.1, 0.8]}], attempts: 2, tolerance: 0.4}\n"
    (home / "policy.yaml").write_text(POLICY + section)
    words = ("search", "policy.yaml", "--out", "out", "--no-control", "-q")
    code, err = start(*words)
    assert (code, (home / "out").exists()) == (2, False)
    assert ALLOWED in err
    code, err = start(*words, ALLOWED)
    assert code in (0, 3, 4), err
    record = json.loads((home / "out/record.json").read_text())
    assert record["baseline"]["pickled"] == ["pytorch_model.bin"]
    assert any("the baseline's weights were read from a" in one for one in record["warnings"])


def test_earlier_weights_are_put_back_from_a_pickle(home: Path, start: Callable[..., Any]) -> None:
    shutil.copytree(home / "plain", home / "initial")
    text = POLICY.replace("{baseline: baseline}", "{baseline: plain, initial: initial}")
    text = text.replace("amount: 0.4}", "amount: 0.4, rewind: initial}")
    (home / "policy.yaml").write_text(text)
    code, err = start("compress", "policy.yaml", "-o", "wanted", "-q")
    assert (code, err) == (0, "")
    to_pickle(home / "initial")
    words = ("compress", "policy.yaml", "-o", "made", "-q")
    code, err = start(*words)
    assert (code, (home / "made").exists()) == (2, False)
    assert "initial: pytorch_model.bin is a pickle" in err
    code, err = start(*words, ALLOWED)
    assert code == 0
    assert err.count("is a pickle; torch reads its tensors and nothing else") == 1
    assert "initial/pytorch_model.bin is a pickle" in err
    made, wanted = (home / name / "model.safetensors" for name in ("made", "wanted"))
    assert made.read_bytes() == wanted.read_bytes()


def test_a_page_is_made_of_what_the_pickle_holds(home: Path, start: Callable[..., Any]) -> None:
    package = home / "onnxruntime-web"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "onnxruntime-web", "version": "1.30.0"}')
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (package / "dist" / name).write_text(name)
    made = {}
    for model, flags in (("plain", ()), ("baseline", (ALLOWED,))):
        words = ("edge", model, "--runtime-from", str(package), "-o", f"{model}-page", "-q")
        code, err = start(*words, *flags)
        assert code == 0, err
        made[model] = (home / f"{model}-page/model.onnx").read_bytes()
    assert "is a pickle; torch reads its tensors and nothing else" in err
    assert made["plain"] == made["baseline"]
