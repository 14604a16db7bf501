"""``prunegate run`` refused or stopped: one message, and nothing is left behind."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from prunegate_test_tiny import POLICY, edit

from prunegate.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


@pytest.fixture
def refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run, expect bad input (or another code) and nothing written, return the message."""

    def refuse(*options: str, code: int = 2) -> str:
        before = sorted(home.rglob("*"))
        monkeypatch.setattr(sys, "argv", ["prunegate", "run", "policy.yaml", "-q", *options])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        assert (stop.value.code, printed.out) == (code, ""), printed
        assert sorted(home.rglob("*")) == before
        return printed.err

    return refuse


def test_the_contract_comes_before_any_model(
    home: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = import_module("prunegate.pipeline.context")

    def never(*_: object) -> None:
        raise AssertionError("a model was asked for")

    monkeypatch.setattr(module, "open_named", never)
    edit(home / "data/labelled.csv", "video", "radio")
    message = refused(code=4)  # as gate says of a declared slice without rows: inconclusive
    assert "data contract" in message
    assert "content_type=video" in message
    assert "baseline" not in message


def missing_model(home: Path) -> None:
    shutil.rmtree(home / "baseline")


def other_label(home: Path) -> None:
    edit(home / "baseline/config.json", '"0": "safe"', '"0": "fine"')
    edit(home / "baseline/config.json", '"1": "unsafe"', '"1": "bad"')


def missing_image(home: Path) -> None:
    (home / "data/images/gate-07.png").unlink()


def outside_image(home: Path) -> None:
    edit(home / "data/labelled.csv", "images/gate-07.png", "../baseline/config.json")


def twin(home: Path) -> None:
    shutil.copy(home / "data/images/train-05.png", home / "data/images/gate-07.png")


def unknown_split(home: Path) -> None:
    edit(home / "data/labelled.csv", "display,train", "display,training")


def damaged_image(home: Path) -> None:
    path = home / "data/images/gate-07.png"
    path.write_bytes(path.read_bytes()[:200])


def text_as_image(home: Path) -> None:
    (home / "data/images/gate-07.png").write_text("not an image")


def nan_weights(home: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = home / "baseline/model.safetensors"
    weights = load_file(path)
    weights["classifier.bias"][0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})


def gate_split_in_a_step(home: Path) -> None:
    edit(home / "policy.yaml", "split: train", "split: gate")


def no_sections(home: Path) -> None:
    text = POLICY.replace(", threshold: 0.5", "")
    (home / "policy.yaml").write_text(text[: text.index("model:")])


def two_candidates(home: Path) -> None:
    edit(home / "policy.yaml", "{baseline: baseline}", "{baseline: baseline, candidate: baseline}")


def missing_table(home: Path) -> None:
    (home / "data/labelled.csv").unlink()


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (missing_model, ["baseline"]),
        (other_label, ["0: fine, 1: bad", "'unsafe'", "id2label"]),
        (missing_image, ["images/gate-07.png", "No such file"]),
        (outside_image, ["../baseline/config.json", "leaves the image folder"]),
        (twin, ["data contract", "'gate7'", "more than one split"]),
        (unknown_split, ["training", "train, calibration, search, gate"]),
        (damaged_image, ["gate-07.png", "cannot be read"]),
        (text_as_image, ["gate-07.png", "cannot be read"]),
        (nan_weights, ["NaN", "classifier.bias"]),
        (gate_split_in_a_step, ["policy.yaml:", "gate split is for judging only"]),
        (no_sections, ["model:", "data:", "threshold", "compress", "prunegate gate"]),
        (two_candidates, ["remove one of the two"]),
        (missing_table, ["labelled.csv"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_input_is_told_and_leaves_nothing(
    home: Path, refused: Callable[..., str], spoil: Callable[[Path], None], parts: list[str]
) -> None:
    spoil(home)
    message = refused()
    assert message.startswith("error: ")
    for part in parts:
        assert part in message
    assert "Traceback" not in message


def test_a_device_that_is_not_there_is_refused(refused: Callable[..., str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert "cuda" in refused("--device", "cuda")


def test_a_taken_folder_is_refused_before_any_work(
    home: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = import_module("prunegate.pipeline.context")

    monkeypatch.setattr(module, "check_rows", partial(pytest.fail, "the data were read"))
    assert "not empty" in refused("--out", "data")


@pytest.mark.parametrize(
    ("home_of", "place"),
    [
        ("prunegate.pipeline.context", "compress"),
        ("prunegate.pipeline.context", "measure"),
        ("prunegate.pipeline.run", "gate"),
        ("prunegate.pipeline.run", "thumbnail"),
    ],
)
def test_ctrl_c_leaves_nothing(
    home: Path,
    home_of: str,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module: Any = import_module(home_of)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = sorted(home.rglob("*"))
    monkeypatch.setattr(module, place, interrupt)
    monkeypatch.setattr(sys, "argv", ["prunegate", "run", "policy.yaml", "-q", "--no-control"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert "aborted" in capsys.readouterr().err
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(
    ("error", "told"), [(RuntimeError("boom"), "boom"), (MemoryError(), "memory ended")]
)
def test_a_model_that_raises_in_the_middle_leaves_nothing(
    home: Path,
    error: Exception,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tried = []

    def fail(*_: object, batch_size: int, **__: object) -> None:
        tried.append(batch_size)
        raise error

    before = sorted(home.rglob("*"))
    monkeypatch.setattr("prunegate.predict.tasks.classified.positive_scores", fail)
    monkeypatch.setattr(sys, "argv", ["prunegate", "run", "policy.yaml", "-q", "--no-control"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert told in capsys.readouterr().err
    assert tried == [128, 64, 32, 16, 8, 4, 2, 1]
    assert sorted(home.rglob("*")) == before


def test_an_image_that_changes_while_the_run_works_is_refused(
    home: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = import_module("prunegate.pipeline.context")

    real = module.measure

    def meddle(*given: Any, **named: Any) -> Any:
        twin(home)
        return real(*given, **named)

    monkeypatch.setattr(module, "measure", meddle)
    assert "gate-07.png" in refused("--no-control")
