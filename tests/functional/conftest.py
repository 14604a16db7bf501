"""A tiny model to run whole commands on; see ``tiny.py`` beside this file."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def remembered_exports(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Each model is exported to ONNX once, whichever worker needs it first; slow tests do so."""
    if "not slow" in pytestconfig.option.markexpr or not all(
        map(importlib.util.find_spec, ("onnx", "onnxscript", "onnxruntime"))
    ):
        yield
        return
    from tests.functional.exports import remembered

    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    module: Any = import_module("prunegate.compress.export")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_export", remembered(module._export, root / "exports"))
        yield


@pytest.fixture(scope="module", autouse=True)
def asked_once() -> Iterator[None]:
    """Great Expectations answers each question of a session once: see remembered_answers.py."""
    from tests.remembered_answers import remembered_answers

    with remembered_answers():
        yield


@pytest.fixture(scope="module", autouse=True)
def undrawn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Reports have empty pictures but for those of ``drawn.py``: 36 ms each, and nobody looks."""
    from tests.functional.drawn import is_drawn
    from tests.warm_process import NoDrawing

    if is_drawn(request.path):
        yield
        return

    module: Any = import_module("prunegate.report.drawing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_started", NoDrawing)
        module.drawn_svg.cache_clear()
        yield
        module.drawn_svg.cache_clear()


def _load_tiny() -> None:
    """Make ``import prunegate_test_tiny`` work: test folders are no packages."""
    name, path = "prunegate_test_tiny", Path(__file__).with_name("tiny.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_load_tiny()


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """One thread, and a timing that is too short to mean anything: no test here looks at it."""
    import torch

    module: Any = import_module("prunegate.pipeline.context")

    threads, measure = torch.get_num_threads(), module.measure
    with pytest.MonkeyPatch.context() as patch:
        torch.set_num_threads(1)
        patch.setattr(
            module, "measure", lambda *a, **given: measure(*a, **{**given, "seconds": 0.02})
        )
        yield
        torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs, made once a worker: tests spoil copies."""
    from prunegate_test_tiny import POLICY, write_baseline, write_data

    home = tmp_path_factory.mktemp("model")
    write_baseline(home / "baseline")
    write_data(home / "data")
    (home / "policy.yaml").write_text(POLICY)
    return home


@pytest.fixture
def home(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the inputs that a test may spoil; it is the working directory too."""
    shutil.copytree(model, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"
