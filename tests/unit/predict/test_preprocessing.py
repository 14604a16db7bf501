"""Preprocessing: pixel values are those of transformers' own processors, or it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.depth import times

from prunegate.errors import ModelError, TableError, UnsupportedError
from prunegate.predict.framing import Framing
from prunegate.predict.images import from_array
from prunegate.predict.preprocessing import Preprocessing

pytestmark = pytest.mark.models

SIDES = st.integers(1, 40)
PAIRS = st.fixed_dictionaries({"height": SIDES, "width": SIDES})
LISTS = st.lists(SIDES, min_size=2, max_size=2)
EDGES = st.builds(lambda side: {"shortest_edge": side}, SIDES)
FLAGS = st.sampled_from([True, False, None])
CHANNELS = st.one_of(st.floats(0.1, 1), st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
COMMON = {
    "do_resize": FLAGS,
    "resample": st.sampled_from([0, 1, 2, 3, 4, 5]),
    "do_center_crop": FLAGS,
    "crop_size": st.one_of(SIDES, PAIRS, LISTS),
    "do_rescale": FLAGS,
    "rescale_factor": st.sampled_from([1 / 255, 1 / 127.5]),
    "do_normalize": FLAGS,
    "image_mean": CHANNELS,
    "image_std": CHANNELS,
}
CONFIGS = {
    "ViT": {"size": st.one_of(SIDES, PAIRS, EDGES, LISTS), "default_to_square": FLAGS},
    "DeiT": {"size": st.one_of(SIDES, PAIRS, EDGES, LISTS)},
    "ConvNext": {
        "size": st.one_of(
            st.integers(2, 40), st.sampled_from([{"shortest_edge": 9}, 383, {"shortest_edge": 384}])
        ),
        "crop_pct": st.one_of(st.floats(0.4, 1.3), st.just(1)),
    },
}


def library(name: str, **config: Any) -> Any:
    import importlib

    module = f"transformers.models.{name.lower()}.image_processing_pil_{name.lower()}"
    return getattr(importlib.import_module(module), f"{name}ImageProcessorPil")(**config)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=times(20, thorough=100), deadline=None)
@given(data=st.data(), height=st.integers(1, 60), width=st.integers(1, 60))
def test_pixel_values_equal_transformers_own(
    name: str, data: st.DataObject, height: int, width: int
) -> None:
    wanted = dict(CONFIGS[name])
    size = {"size": wanted.pop("size")}  # the default is large, which is slow
    config = data.draw(st.fixed_dictionaries(size, optional={**COMMON, **wanted}))
    if config.get("do_center_crop") and "crop_size" not in config:
        config["crop_size"] = 24
    pixels = noise(1, height, width, 3, seed=height * 61 + width)
    expected = library(name, **config)([Image.fromarray(pixels[0])], return_tensors="np")
    read = Preprocessing.from_config({"image_processor_type": f"{name}ImageProcessor", **config})
    ours = from_array(pixels, read).pixel_values(np.arange(1)).numpy()
    np.testing.assert_allclose(ours, expected["pixel_values"], atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [((500, 333, 3), {"size": 224}), ((97, 411, 3), {"size": 224}), ((700, 900, 3), {"size": 384})],
)
def test_a_published_resnets_file_gives_the_librarys_bytes(
    shape: tuple[int, ...], sizes: dict[str, Any]
) -> None:
    """As microsoft/resnet-50 has it: no name of a crop, the feature extractor's old name."""
    config = {"crop_pct": 0.875, "do_resize": True, "resample": 3, **sizes}
    raw = {**config, "do_rescale": False, "do_normalize": False}
    pixels = noise(1, *shape)
    expected = library("ConvNext", **raw)([Image.fromarray(pixels[0])], return_tensors="np")
    ours = from_array(
        pixels,
        Preprocessing.from_config({**raw, "feature_extractor_type": "ConvNextFeatureExtractor"}),
    )
    assert ours.pixels is not None
    np.testing.assert_array_equal(ours.pixels, expected["pixel_values"])


@pytest.mark.parametrize(
    ("name", "framing"),
    [
        ("ViT", Framing(size=(224, 224), resample=2)),
        ("DeiT", Framing(size=(256, 256), resample=3, crops=((224, 224),))),
        ("ConvNext", Framing(size=(384, 384), resample=3)),
    ],
)
def test_a_file_that_the_library_writes_is_read(
    tmp_path: Path, name: str, framing: Framing
) -> None:
    library(name).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "preprocessor_config.json").read_text())
    read = Preprocessing.from_config(config)
    assert read.framing == framing
    assert read.mean == read.std == (0.5, 0.5, 0.5)
    bare = {"image_processor_type": config["image_processor_type"] + "Fast"}
    assert Preprocessing.from_config(bare) == read


def test_a_file_without_a_name_is_of_the_models_kind() -> None:
    config = {"size": 224}
    assert Preprocessing.from_config(config, "resnet").framing.crops == ((224, 224),)
    assert Preprocessing.from_config(config, "vit").framing == Framing(size=(224, 224), resample=2)


def test_a_sliver_that_would_grow_beyond_memory_is_refused() -> None:
    read = Preprocessing.from_config({"size": {"shortest_edge": 1000}})
    with pytest.raises(TableError, match="400 x 1 pixels would be resized to 400000 x 1000"):
        from_array(noise(1, 1, 400, 3), read)


CONVNEXT = {"image_processor_type": "ConvNextImageProcessor"}


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"image_processor_type": "CLIPImageProcessor"}, UnsupportedError, "CLIPImageProcessor"),
        ({"do_pad": True}, UnsupportedError, "do_pad"),
        ({"do_flip_channel_order": True}, UnsupportedError, "do_flip_channel_order"),
        ({"do_center_crop": True}, ModelError, "crop_size is None"),
        (
            {"do_center_crop": True, "crop_size": {"shortest_edge": 3}},
            UnsupportedError,
            "crop_size",
        ),
        ({"do_center_crop": True, "crop_size": 0}, ModelError, "crop_size"),
        ({"do_center_crop": 1}, ModelError, "do_center_crop"),
        ({"size": {"shortest_edge": 3, "longest_edge": 4}}, UnsupportedError, "longest_edge"),
        ({"size": {"longest_edge": 4}}, UnsupportedError, "longest_edge"),
        ({"size": {"shortest_edge": 2.5}}, ModelError, "size"),
        ({"size": [1, 2, 3]}, ModelError, "size"),
        ({"size": 0}, ModelError, "size"),
        ({"size": {"height": True, "width": 3}}, ModelError, "size"),
        ({**CONVNEXT, "size": {"height": 4, "width": 4}}, UnsupportedError, "shortest_edge"),
        ({**CONVNEXT, "size": 224, "crop_pct": 0}, ModelError, "crop_pct"),
        ({**CONVNEXT, "size": 224, "crop_pct": 1e-9}, ModelError, "crop_pct"),
        ({**CONVNEXT, "size": 224, "crop_pct": 300}, ModelError, "crop_pct"),
        ({**CONVNEXT, "size": 224, "crop_pct": "0.9"}, ModelError, "crop_pct"),
        ({"default_to_square": 0}, ModelError, "default_to_square"),
        ({"resample": 9}, ModelError, "resample"),
        ({"do_resize": "yes"}, ModelError, "do_resize"),
        ({"size": None}, ModelError, "size"),
        ({"resample": None}, ModelError, "resample"),
        ({"image_mean": None}, ModelError, "image_mean"),
        ({**CONVNEXT, "size": 224, "crop_pct": None}, ModelError, "crop_pct"),
        ({"rescale_factor": float("nan")}, ModelError, "rescale_factor"),
        ({"rescale_factor": 0}, ModelError, "rescale_factor"),
        ({"image_mean": [0.5, 0.5]}, ModelError, "image_mean"),
        ({"image_std": [0.5, 0.5, 0]}, ModelError, "image_std"),
        ({"image_std": [0.5, 0.5, "x"]}, ModelError, "image_std"),
    ],
)
def test_settings_that_are_not_done_are_refused(
    config: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Preprocessing.from_config(config)
