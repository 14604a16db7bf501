"""The page's JavaScript prepares pictures as Python does, to the bit."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from numpy.typing import NDArray
from PIL import Image

from prunegate.predict.framing import Framing
from prunegate.predict.preprocessing import Preprocessing

PICTURES = 90
PROGRAM = """
import { readFileSync } from "node:fs";
import { framed, values } from "./pixels.mjs";
const jobs = JSON.parse(readFileSync("jobs.json", "utf8"));
const made = jobs.map(({ data, height, width, ...job }) => {
  const image = { data: new Uint8ClampedArray(Buffer.from(data, "base64")), height, width };
  const found = values(framed(image, job.processing), job.processing, job.input);
  return Buffer.from(found.buffer).toString("base64");
});
process.stdout.write(JSON.stringify(made));
"""
RULES: list[dict[str, Any]] = [
    {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    {"scale": 0.01, "mean": None, "std": None},
    {"scale": None, "mean": (127.5, 100.0, 90.0), "std": (128.0, 60.0, 0.5)},
]
FORMS = [("NCHW", "RGB"), ("NHWC", "RGB"), ("NCHW", "BGR"), ("NHWC", "BGR")]


def preparations(rng: np.random.Generator, number: int) -> Preprocessing:
    """Every filter, sizes larger and smaller, the shape kept or not, crops beyond the picture."""

    def side() -> int:
        return int(rng.integers(1, 100))

    size = (None, (side(), side()), side() // 2 + 1)[number % 3]
    crops = tuple((side(), side()) for _ in range(number // 3 % 3))
    framing = Framing(size=size, resample=number % 6, crops=crops)
    return Preprocessing(framing=framing, **RULES[number // 2 % 3])


def expected(
    preprocessing: Preprocessing, picture: NDArray[np.uint8], layout: str, channels: str
) -> NDArray[np.float32]:
    framed = np.asarray(preprocessing.framing.applied(Image.fromarray(picture)))
    table = preprocessing.table()
    found = np.stack([table[channel][framed[..., channel]] for channel in range(3)])
    if channels == "BGR":
        found = found[::-1]
    return found if layout == "NCHW" else found.transpose(1, 2, 0)


def test_pictures_are_prepared_as_in_python(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        message = "not installed: node; see .ci/run"
        if os.environ.get("PRUNEGATE_CI"):
            pytest.fail(message)
        pytest.skip(message)
    rng = np.random.default_rng(4)
    jobs, wanted = [], []
    tall_first = int(PIL.__version__.split(".")[0]) >= 13
    for number in range(PICTURES):
        height, width = map(int, rng.integers(1, 120, 2))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        found, (layout, channels) = preparations(rng, number), FORMS[number % 4]
        processing = {
            **asdict(found.framing),
            "tall_first": tall_first,
            **{name: getattr(found, name) for name in ("scale", "mean", "std")},
        }
        wanted.append(expected(found, picture, layout, channels))
        jobs.append(
            {
                "data": base64.b64encode(picture.tobytes()).decode(),
                "height": height,
                "width": width,
                "processing": processing,
                "input": {"layout": layout, "channels": channels},
            }
        )
    script = (resources.files("prunegate.edge") / "page" / "pixels.js").read_bytes()
    (tmp_path / "pixels.mjs").write_bytes(script)
    (tmp_path / "work.mjs").write_text(PROGRAM)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(
        ["node", "work.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for made, want, job in zip(json.loads(done.stdout), wanted, jobs, strict=True):
        got = np.frombuffer(base64.b64decode(made), np.float32)
        assert np.array_equal(got, want.ravel()), job["processing"]
