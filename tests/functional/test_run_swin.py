"""``run`` on a stock Swin folder: stages of different width, cut, taught, in eight bits, judged."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from prunegate_test_tiny import POLICY, write_data

from prunegate.models.load import load_model
from prunegate.pipeline.context import Settings, set_up
from prunegate.pipeline.run import run
from prunegate.policy.load import read_policy

pytestmark = pytest.mark.slow

STEPS = """\
compress:
  - prune: {what: heads, amount: 0.34, compensate: ridge}
  - prune: {what: neurons, amount: 0.4, compensate: ridge, scope: budget}
  - prune: {what: layers, amount: {keep: 2}}
  - finetune: {steps: 4, batch_size: 8, learning_rate: 0.01, teacher: baseline}
  - quantize: {engine: torch}
"""


def write_model(folder: Path) -> None:
    from transformers import SwinConfig, SwinForImageClassification, ViTImageProcessorPil

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = SwinConfig(
            image_size=16,
            patch_size=2,
            embed_dim=12,
            depths=[2, 1],
            num_heads=[2, 4],
            window_size=4,
            mlp_ratio=2.0,
            initializer_range=0.3,
            id2label={0: "safe", 1: "unsafe"},
            label2id={"safe": 0, "unsafe": 1},
        )
        SwinForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(do_resize=False).save_pretrained(folder)


def test_a_swin_is_cut_in_every_stage_taught_and_judged_in_eight_bits(tmp_path: Path) -> None:
    write_model(tmp_path / "baseline")
    write_data(tmp_path / "data")
    before, _, _ = POLICY.partition("compress:")
    policy = tmp_path / "policy.yaml"
    policy.write_text(before + STEPS)
    (tmp_path / "out").mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        record = run(read_policy(policy), tmp_path / "out", Settings(seconds=0.02)).record
    finally:
        torch.set_num_threads(threads)
    surgery = json.loads((tmp_path / "out/candidate/surgery.json").read_text())
    heads, _, _, tuned, _ = surgery["recipe"]
    assert heads["removed"] == 3
    assert surgery["storage"]["format"] == "int8"
    assert {"divergence_before", "divergence_after"} <= tuned.keys()
    assert record.compression is not None
    assert record.compression.heads_before == (2, 2, 4)
    assert record.compression.neurons_before == (24, 24, 48)
    assert record.compression.layers_kept is not None
    assert len(record.compression.layers_kept) == 2
    assert record.control is not None
    again = load_model(tmp_path / "out/candidate")
    assert record.candidate is not None
    assert (
        again.active_heads
        == record.candidate.active_heads
        == sum(map(len, record.compression.heads_kept))
    )
    table = pq.read_table(tmp_path / "out/predictions.parquet")
    bench = set_up(read_policy(policy), Settings())
    assert list(bench.score(again, "candidate")) == table["candidate"].to_pylist()
