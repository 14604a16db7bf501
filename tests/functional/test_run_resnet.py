"""``run`` on a stock ResNet folder: images of several sizes, cropped by its own preprocessor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from prunegate.pipeline.run import Settings, run
from prunegate.policy.load import read_policy

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: resnet
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: content_type, expect: [display, video]}]
rules: [{metric: recall, slices: all, max_drop: 0.9, evidence: point}]
model: {baseline: baseline}
data: {table: labelled.csv}
compress:
  - prune: {what: filters, amount: 0.3}
  - finetune: {steps: 2, batch_size: 8, learning_rate: 0.001}
"""
SPLITS = {"train": 16, "calibration": 10, "gate": 40}


def write_model(folder: Path) -> None:
    from transformers import ConvNextImageProcessorPil, ResNetConfig, ResNetForImageClassification

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = ResNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 12],
            depths=[1, 2],
            layer_type="basic",
            id2label={0: "safe", 1: "unsafe"},
            label2id={"safe": 0, "unsafe": 1},
        )
        ResNetForImageClassification(config).save_pretrained(folder)
    ConvNextImageProcessorPil(size={"shortest_edge": 32}).save_pretrained(folder)
    # Older files do not name their processor: it is told by the model.
    written = json.loads((folder / "preprocessor_config.json").read_text())
    assert written.pop("image_processor_type") == "ConvNextImageProcessor"
    (folder / "preprocessor_config.json").write_text(json.dumps(written))


def write_data(home: Path) -> None:
    rng = np.random.default_rng(1)
    rows = ["id,image,label,content_type,split"]
    for split, count in SPLITS.items():
        for number in range(count):
            name, kind = f"{split}-{number}.png", ("display", "video")[number // 2 % 2]
            pixels = rng.integers(0, 256, (*rng.integers(20, 70, 2), 3), dtype=np.uint8)
            Image.fromarray(pixels).save(home / name)
            rows.append(f"{split}{number},{name},{('safe', 'unsafe')[number % 2]},{kind},{split}")
    (home / "labelled.csv").write_text("\n".join(rows) + "\n")


def test_a_resnet_is_cut_tuned_and_judged_on_the_middle_of_images(tmp_path: Path) -> None:
    from transformers import ConvNextImageProcessorPil, ResNetForImageClassification

    write_model(tmp_path / "baseline")
    write_data(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "out").mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        settings = Settings(seconds=0.02)
        record = run(read_policy(tmp_path / "policy.yaml"), tmp_path / "out", settings).record
    finally:
        torch.set_num_threads(threads)
    surgery = json.loads((tmp_path / "out/candidate/surgery.json").read_text())
    assert sum(map(len, surgery["kept"]["filters"])) == round(0.7 * (8 + 12 + 12))
    assert record.baseline is not None
    assert record.candidate is not None
    assert record.candidate.parameters < record.baseline.parameters
    assert record.control is not None

    table = pq.read_table(tmp_path / "out/predictions.parquet")
    processor = ConvNextImageProcessorPil.from_pretrained(tmp_path / "baseline")
    module = ResNetForImageClassification.from_pretrained(tmp_path / "baseline").eval()
    images = [
        Image.open(tmp_path / f"gate-{name.removeprefix('gate')}.png")
        for name in table["id"].to_pylist()
    ]
    with torch.inference_mode():
        logits = module(**processor(images, return_tensors="pt")).logits
    expected = logits.double().softmax(-1)[:, 1].tolist()
    assert table["baseline"].to_pylist() == pytest.approx(expected, abs=1e-6)
    assert len(set(expected)) == SPLITS["gate"]
