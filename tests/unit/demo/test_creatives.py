"""Laws of the rendering: bytes from a seed, exact shares, nothing that repeats."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.demo.creatives import CONTENT_TYPES, Creatives, render_creatives
from prunegate.errors import InputError


@pytest.fixture(scope="module")
def creatives() -> Creatives:
    return render_creatives(1_500, seed=11)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(creatives):
    again = render_creatives(1_500, seed=11)
    assert again.pixels.tobytes() == creatives.pixels.tobytes()
    assert (again.unsafe == creatives.unsafe).all()
    assert (again.content_type == creatives.content_type).all()
    assert (again.ids == creatives.ids).all()


@pytest.mark.slow
def test_another_seed_gives_other_creatives(creatives):
    other = render_creatives(1_500, seed=12)
    assert not (other.pixels == creatives.pixels).all(axis=(1, 2, 3)).any()


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(count=st.integers(1, 1_499))
def test_a_shorter_rendering_is_a_prefix(creatives, count):
    short = render_creatives(count, seed=11)
    assert len(short) == count
    assert (short.pixels == creatives.pixels[:count]).all()
    assert (short.unsafe == creatives.unsafe[:count]).all()


def test_pixels_are_rgb_bytes_that_use_the_range(creatives):
    assert creatives.pixels.dtype == np.uint8
    assert creatives.pixels.shape == (1_500, 32, 32, 3)
    assert (creatives.pixels.std(axis=(1, 2, 3)) > 1).all()  # nothing blank


def test_every_twenty_creatives_have_exact_shares(creatives):
    for start in range(0, len(creatives), 20):
        some = creatives.take(slice(start, start + 20))
        for content in CONTENT_TYPES:
            here = some.content_type == content
            assert here.sum() == 5
            assert some.unsafe[here].sum() == 2


def test_no_creative_repeats(creatives):
    digests = {sha256(image.tobytes()).digest() for image in creatives.pixels}
    assert len(digests) == len(set(creatives.ids)) == len(creatives)


def test_position_and_brightness_do_not_give_the_label_away(creatives):
    """The mean image of each class is alike: only the shape of the object tells them apart."""
    for content in CONTENT_TYPES:
        here = creatives.content_type == content
        brightness = creatives.pixels.mean(axis=(1, 2, 3))
        unsafe = brightness[here & creatives.unsafe]
        safe = brightness[here & ~creatives.unsafe]
        error = np.sqrt(unsafe.var() / len(unsafe) + safe.var() / len(safe))
        assert abs(unsafe.mean() - safe.mean()) < 4 * error


def test_take_keeps_rows_together(creatives):
    unsafe = creatives.take(creatives.unsafe)
    assert unsafe.unsafe.all()
    assert len(unsafe) == 600
    assert (unsafe.pixels[0] == creatives.pixels[np.flatnonzero(creatives.unsafe)[0]]).all()


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (-1, 0), (5, -1)])
def test_nothing_to_render_is_refused(count, seed):
    with pytest.raises(InputError, match="at least 1 creative and a seed of 0 or more"):
        render_creatives(count, seed)
