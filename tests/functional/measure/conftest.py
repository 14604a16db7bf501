"""Models to measure, made once a worker."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from prunegate_test_tiny import invoke
from tests.functional.measure.measuring import MEMORY, QUIET

from prunegate.cost.measurement import Estimate95, Measurements


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A folder of models: the baseline, an ONNX and an int8 candidate, a BERT."""
    from transformers import BertConfig, BertForSequenceClassification

    home = tmp_path_factory.mktemp("models")
    shutil.copytree(model, home / "home")
    shutil.copytree(model / "baseline", home / "baseline")
    policy = home / "home" / "policy.yaml"
    plain = policy.read_text()
    for name, step in (("onnx", "- export: onnx"), ("int8", "- quantize: {engine: torch}")):
        start = plain.index("compress:")
        prune = "compress:\n  - prune: {what: heads, amount: 0.34, criterion: magnitude}\n  "
        policy.write_text(plain[:start] + prune + step + "\n")
        assert invoke("compress", policy, "-o", home / name, "-q").exception is None
    sizes = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 3}
    bert = BertConfig(**sizes, intermediate_size=8, vocab_size=30, max_position_embeddings=20)
    BertForSequenceClassification(bert).save_pretrained(home / "bert")
    (home / "bert" / "tokenizer.json").write_text("{}")
    return home


@pytest.fixture
def place(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Estimate95], None]]:
    """The models in the working folder, quick timing, known memory; call it to set the noise."""
    shutil.copytree(models, tmp_path / "m")
    monkeypatch.chdir(tmp_path / "m")
    module: Any = import_module("prunegate.pipeline.measure_folders")
    real = module.measure

    def noise(interval: Estimate95) -> None:
        def measured(*args: Any, **given: Any) -> Measurements:
            found: Measurements = real(*args, **{**given, "seconds": 0.02})
            return replace(found, noise=interval, cpu_noise=interval, quiet=interval == QUIET)

        monkeypatch.setattr(module, "measure", measured)

    def memory(_model: Any, _inputs: Any, batches: Any, _threads: int) -> dict[int, int]:
        return {batch: MEMORY + batch for batch in batches}

    monkeypatch.setattr(module, "peak_memory", memory)
    noise(QUIET)
    import torch

    threads = torch.get_num_threads()
    yield noise
    torch.set_num_threads(threads)
