"""Images: the library's own numbers, and one message for all that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from prunegate.errors import ModelError, TableError, UnsupportedError
from prunegate.predict.images import from_array, open_images
from prunegate.predict.preprocessing import Preprocessing

AS_THEY_ARE = Preprocessing.from_config({"do_resize": False})


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(folder: Path, pixels: np.ndarray) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    return paths


@settings(max_examples=30, deadline=None)
@given(
    config=st.fixed_dictionaries(
        {
            "do_resize": st.booleans(),
            "size": st.fixed_dictionaries(
                {"height": st.integers(1, 40), "width": st.integers(1, 40)}
            ),
            "resample": st.sampled_from([0, 1, 2, 3, 4, 5]),
            "do_rescale": st.booleans(),
            "rescale_factor": st.sampled_from([1 / 255, 1 / 127.5]),
            "do_normalize": st.booleans(),
            "image_mean": st.lists(st.floats(0, 1), min_size=3, max_size=3),
            "image_std": st.lists(st.floats(0.1, 1), min_size=3, max_size=3),
        }
    ),
    seed=st.integers(0, 999),
)
def test_pixel_values_equal_transformers_own(config: dict[str, Any], seed: int) -> None:
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    pixels = noise(2, 20, 24, 3, seed=seed)
    library = ViTImageProcessorPil(**config)
    expected = library([Image.fromarray(image) for image in pixels], return_tensors="np")
    ours = from_array(pixels, Preprocessing.from_config(config)).pixel_values(np.arange(2))
    np.testing.assert_allclose(ours.numpy(), expected["pixel_values"], atol=1e-6, rtol=1e-6)


def test_a_config_that_the_library_writes_is_read(tmp_path: Path) -> None:
    import json

    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    ViTImageProcessorPil(size={"height": 32, "width": 48}).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "preprocessor_config.json").read_text())
    read = Preprocessing.from_config(config)
    assert read == Preprocessing.from_config({"size": {"height": 32, "width": 48}})
    assert read.size == (32, 48)
    assert read.mean == read.std == (0.5, 0.5, 0.5)


def test_files_arrays_and_lazy_reading_agree(tmp_path: Path) -> None:
    pixels = noise(7, 10, 12, 3)
    paths = write(tmp_path, pixels)
    rows = np.array([5, 0, 5, 6])
    in_memory = open_images(paths, AS_THEY_ARE)
    lazy = open_images(paths, AS_THEY_ARE, memory=10)
    assert in_memory.pixels is not None
    assert lazy.pixels is None
    assert len(in_memory) == len(lazy) == 7
    expected = from_array(pixels, AS_THEY_ARE).pixel_values(rows)
    assert expected.shape == (4, 3, 10, 12)
    assert expected.is_contiguous()
    np.testing.assert_array_equal(in_memory.pixel_values(rows).numpy(), expected.numpy())
    np.testing.assert_array_equal(lazy.pixel_values(rows).numpy(), expected.numpy())


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_other_modes_are_converted_as_transformers_pipelines_do(tmp_path: Path, mode: str) -> None:
    from transformers.image_utils import load_image

    suffix = "jpg" if mode == "CMYK" else "png"
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(noise(8, 8, 3)).convert(mode).save(path)
    ours = open_images([path], AS_THEY_ARE).pixels
    assert ours is not None
    expected = np.asarray(load_image(str(path)))
    np.testing.assert_array_equal(ours[0].transpose(1, 2, 0), expected)


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_all_unreadable_files_are_named_together(tmp_path: Path, memory: int) -> None:
    paths = write(tmp_path, noise(6, 8, 8, 3))
    paths[1].write_bytes(b"not an image")
    paths[2].unlink()
    paths[3].unlink()
    os.mkfifo(paths[3])
    paths[4].write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(paths[5])
    with pytest.raises(TableError, match="5 images cannot be read") as refusal:
        open_images(paths, AS_THEY_ARE, memory=memory)
    for path in paths[1:]:
        assert str(path) in str(refusal.value)
    assert str(paths[0]) not in str(refusal.value)


def test_a_truncated_file_is_refused_at_the_latest_when_it_is_decoded(tmp_path: Path) -> None:
    paths = write(tmp_path, noise(3, 64, 64, 3))
    paths[1].write_bytes(paths[1].read_bytes()[:3000])
    with pytest.raises(TableError, match=r"1\.png"):
        open_images(paths, AS_THEY_ARE)
    lazy = open_images(paths, AS_THEY_ARE, memory=0)
    with pytest.raises(TableError, match=r"1\.png"):
        lazy.pixel_values(np.arange(3))


def test_an_image_of_too_many_pixels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prunegate.predict import images

    paths = write(tmp_path, noise(1, 8, 8, 3))
    monkeypatch.setattr(images, "_MOST_PIXELS", 63)
    with pytest.raises(TableError, match="8 x 8 pixels"):
        open_images(paths, AS_THEY_ARE)


def test_images_of_several_sizes_need_resizing(tmp_path: Path) -> None:
    paths = write(tmp_path, noise(1, 8, 8, 3))
    Image.fromarray(noise(9, 9, 3)).save(tmp_path / "other.png")
    paths.append(tmp_path / "other.png")
    with pytest.raises(TableError, match="differ in size"):
        open_images(paths, AS_THEY_ARE)
    resizing = Preprocessing.from_config({"size": 6})
    assert open_images(paths, resizing).pixel_values(np.arange(2)).shape == (2, 3, 6, 6)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 3), np.float32),
    ],
)
def test_arrays_of_another_kind_are_refused(pixels: Any) -> None:
    with pytest.raises(TableError, match="uint8"):
        from_array(pixels, AS_THEY_ARE)
    with pytest.raises(TableError, match="no images"):
        open_images([], AS_THEY_ARE)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"image_processor_type": "CLIPImageProcessor"}, UnsupportedError, "CLIPImageProcessor"),
        ({"do_center_crop": True}, UnsupportedError, "do_center_crop"),
        ({"size": {"shortest_edge": 224}}, UnsupportedError, "shortest_edge"),
        ({"size": 0}, ModelError, "size"),
        ({"size": {"height": True, "width": 3}}, ModelError, "size"),
        ({"resample": 9}, ModelError, "resample"),
        ({"do_resize": "yes"}, ModelError, "do_resize"),
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
