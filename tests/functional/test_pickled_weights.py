"""A baseline whose weights are in a pickle, through the commands that open models."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from prunegate.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

ALLOWED = "--allow-pickle-weights"


@pytest.fixture
def start(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run a command in ``home``, whose baseline is a pickle: exit code, stderr."""
    (stored,) = home.rglob("model.safetensors")
    torch.save(safetensors.torch.load_file(stored), stored.with_name("pytorch_model.bin"))
    stored.unlink()

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
