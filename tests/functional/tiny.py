"""A tiny model with labelled images, on which whole commands run in a second or two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

from prunegate.cli import cli

POLICY = """\
prunegate: 1
name: tiny
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: content_type, expect: [display, video]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.5, evidence: point}
  - {metric: negative_flip_rate, at_most: 0.5, evidence: point}
  - {metric: model_bytes, max_ratio: 0.99}
model: {baseline: baseline}
data: {table: data/labelled.csv}
compress:
  - prune: {what: heads, amount: 0.34}
  - prune: {what: neurons, amount: 0.4}
  - finetune: {steps: 4, batch_size: 8, learning_rate: 0.01, data: {split: train, limit: 20}}
cost: {billing: {per_inference: {baseline: 0.0042}}}
"""
SPLITS = {"train": 30, "calibration": 12, "gate": 60, "search": 60}


def write_baseline(folder: Path) -> None:
    """A stock Hugging Face folder with weights wide enough for pruning to change decisions."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ViTForImageClassification(
            ViTConfig(
                image_size=16,
                patch_size=8,
                hidden_size=12,
                num_hidden_layers=2,
                num_attention_heads=3,
                intermediate_size=10,
                initializer_range=0.5,
                id2label={0: "safe", 1: "unsafe"},
                label2id={"safe": 0, "unsafe": 1},
            )
        )
    model.save_pretrained(folder)
    ViTImageProcessorPil(do_resize=False, size={"height": 16, "width": 16}).save_pretrained(folder)


def to_pickle(folder: Path) -> None:
    """Move the weights of a folder from safetensors into a pickle of torch.save."""
    import safetensors.torch
    import torch

    stored = folder / "model.safetensors"
    torch.save(safetensors.torch.load_file(stored), folder / "pytorch_model.bin")
    stored.unlink()


def write_data(folder: Path) -> None:
    rng = np.random.default_rng(1)
    rows = ["id,image,label,content_type,split"]
    (folder / "images").mkdir(parents=True)
    for split, count in SPLITS.items():
        for number in range(count):
            unsafe = number % 2
            name = f"images/{split}-{number:02}.png"
            pixels = np.clip(rng.normal(90 + 60 * unsafe, 60, (16, 16, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
            kind = "display" if number % 4 < 2 else "video"
            rows.append(f"{split}{number},{name},{'unsafe' if unsafe else 'safe'},{kind},{split}")
    (folder / "labelled.csv").write_text("\n".join(rows) + "\n")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments], standalone_mode=False)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def with_signed_weights(raw: bytes) -> bytes:
    """An int8 model.onnx of ours as most tools write it: int8 weights around zero.

    The numbers are the same; on x86 processors without VNNI the products are not.
    """
    import onnx

    model = onnx.load_model_from_string(raw)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        first = {"MatMulInteger": 1, "DequantizeLinear": 0}.get(node.op_type)
        if first is None or node.input[first] not in stored:
            continue
        for place in (first, first + 2):  # the weights, and what is zero among them
            values = onnx.numpy_helper.to_array(stored[node.input[place]])
            if values.dtype == np.uint8:
                node.input[place] = f"{node.output[0]}_{place}"  # onnxruntime wants zeros unshared
                signed = (values.astype(np.int16) - 128).astype(np.int8)
                added = onnx.numpy_helper.from_array(signed, node.input[place])
                model.graph.initializer.append(added)
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    whole: bytes = model.SerializeToString()
    return whole
