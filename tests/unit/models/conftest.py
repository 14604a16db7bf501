"""Tiny Vision Transformers with random weights, in memory and as folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Two threads that wait for each other are slow on a shared machine, and tiny models gain nothing.


def tiny_config(**changes: Any) -> dict[str, Any]:
    return {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "image_size": 16,
        "patch_size": 8,
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 10,
        "id2label": {"0": "safe", "1": "unsafe"},
        "label2id": {"safe": 0, "unsafe": 1},
        **changes,
    }


def tiny_vit(seed: int = 0, **changes: Any) -> tuple[Any, dict[str, Any]]:
    """A module whose every weight matters (biases too), and its config."""

    import torch

    from prunegate.models.vit import FAMILY

    config = tiny_config(**changes)
    module = FAMILY.skeleton(config, FAMILY.whole(config))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return module, config


def write_folder(folder: Path, seed: int = 0, **changes: Any) -> Path:
    from prunegate.models.weights import write_weights

    module, config = tiny_vit(seed, **changes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(write_weights(module))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    )
    return folder


@pytest.fixture(scope="session")
def make_config() -> Callable[..., dict[str, Any]]:
    return tiny_config


@pytest.fixture(scope="session")
def make_vit() -> Callable[..., tuple[Any, dict[str, Any]]]:
    return tiny_vit


@pytest.fixture
def baseline_folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "baseline")


@pytest.fixture
def make_candidate(baseline_folder: Path, tmp_path: Path) -> Callable[[], tuple[Path, Any]]:
    """Cut the baseline by hand and save it; return the folder and the module in memory."""

    def make() -> tuple[Path, Any]:
        from prunegate.models.cut import cut_whole
        from prunegate.models.load import load_baseline
        from prunegate.models.save import write_candidate
        from prunegate.models.surgery import Ranking, Surgery
        from prunegate.models.weights import weights_sha256

        baseline = load_baseline(baseline_folder)
        family, module = baseline.family, baseline.module
        kept = baseline.kept.narrowed("heads", [(0, 2), (1,)])
        kept = kept.narrowed("neurons", [(0, 3, 9), tuple(range(10))])
        cut_whole(family, module, kept)
        surgery = Surgery(
            architecture=family.architecture,
            config=baseline.config,
            kept=kept,
            parameters=sum(parameter.numel() for parameter in module.parameters()),
            weights_sha256=weights_sha256(module),
            baseline_digest=baseline.digest,
            recipe=({"step": "prune", "what": "heads", "removed": 3},),
            seed=7,
            importance={
                "heads": Ranking(criterion="taylor", shares=((0.5, 0.1, 0.4), (None, 1.0, 0.0)))
            },
        )
        folder = tmp_path / "candidate"
        write_candidate(module, surgery, folder, baseline_folder)
        return folder, module

    return make
