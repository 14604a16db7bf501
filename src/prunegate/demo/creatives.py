"""Advertising creatives rendered from a seed: 32 x 32 pixels, safe or unsafe, four content types.

Each creative shows one or two objects, lighter than a muted background. 40 % are unsafe: they show
a pistol or a bottle. The rest show a phone, a mug, a key, a star or an umbrella. On a few, safe or
unsafe alike, the objects hardly stand out, so no model gets everything right. Creatives are made
in blocks with a generator of their own, so a shorter rendering is a prefix of a longer one and the
same seed gives the same bytes. Every twenty creatives in a row hold each content type five times
and two unsafe creatives of each.

This module renders to memory; ``dataset`` writes files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from prunegate.demo.shapes import SAFE, UNSAFE, Field
from prunegate.demo.styles import COLUMNS, ROWS, SIDE, STYLES, Style, blend, coverage, uniform
from prunegate.errors import InputError

CONTENT_TYPES = tuple(style.name for style in STYLES)
BLOCK = 1_000  # creatives per generator
ROUND = 20  # creatives in which every content type and label has its exact share
UNSAFE_SHARE = 0.4
PAIRS = 0.35  # share of creatives that show two objects

SHAPES = tuple((UNSAFE | SAFE).values())


@dataclass(frozen=True, kw_only=True)
class Creatives:
    """Rendered creatives, one row each."""

    ids: NDArray[np.str_]  # [N], unique
    pixels: NDArray[np.uint8]  # [N, 32, 32, 3], RGB
    unsafe: NDArray[np.bool_]  # [N], the label
    content_type: NDArray[np.str_]  # [N], display, video, ugc or story

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> Creatives:
        """The creatives at ``rows``: a slice, a mask or positions."""
        return Creatives(
            ids=self.ids[rows],
            pixels=self.pixels[rows],
            unsafe=self.unsafe[rows],
            content_type=self.content_type[rows],
        )


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """One object on each of n creatives."""

    kind: NDArray[np.int64]  # [n], position in SHAPES
    centre: Field  # [n, 2], pixels, across and down
    size: Field  # [n], half size in pixels
    angle: Field  # [n], radians
    mirror: Field  # [n], 1 or -1
    light: Field  # [n], lightness above the background
    tint: Field  # [n, 3], hue


def render_creatives(count: int, seed: int) -> Creatives:
    """Render ``count`` creatives, at least 1, from ``seed``, at least 0.

    Renders about 7,000 creatives a second on one core and needs 3 kB of memory for each.

    Raises:
        InputError: ``count`` is below 1 or ``seed`` is negative.
    """
    if count < 1 or seed < 0:
        raise InputError(
            f"cannot render {count} creatives from seed {seed}: "
            "ask for at least 1 creative and a seed of 0 or more"
        )
    blocks = [_block(seed, number) for number in range(-(-count // BLOCK))]
    pixels, unsafe, content = (np.concatenate(part)[:count] for part in zip(*blocks, strict=True))
    ids = np.array([f"creative-{number:06d}" for number in range(count)])
    return Creatives(ids=ids, pixels=pixels, unsafe=unsafe, content_type=content)


def _block(seed: int, number: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.str_]]:
    rng = np.random.default_rng([seed, number])
    style, unsafe = _shares(rng)
    pixels = np.empty((BLOCK, SIDE, SIDE, 3), np.uint8)
    for index, each in enumerate(STYLES):
        here = style == index
        pixels[here] = _paint(rng, each, unsafe[here])
    return pixels, unsafe, np.array(CONTENT_TYPES)[style]


def _shares(rng: Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Style and label of each creative of a block, in shuffled rounds of exact shares."""
    per_style = ROUND // len(STYLES)
    cell = np.arange(ROUND)
    cells = rng.permuted(np.tile(cell, (BLOCK // ROUND, 1)), axis=1).ravel()
    return cells // per_style, cells % per_style < UNSAFE_SHARE * per_style


def _paint(rng: Generator, style: Style, unsafe: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Creatives of one style as RGB bytes [n, 32, 32, 3]."""
    count = len(unsafe)
    canvas = style.backdrop(rng, count)
    outlined = rng.random(count) < style.line_art
    sweep = _sweep(rng, count, style.blur)
    for rows, layer in _layers(rng, style, unsafe):
        share = _draw(layer, outlined[rows])
        if style.blur:
            share = _smear(share, sweep[rows])
        ground = canvas[rows].mean(axis=(2, 3))
        colour = np.clip(ground + layer.light[:, None] + layer.tint, 0, 1)
        canvas[rows] = blend(canvas[rows], share, colour)
    canvas = np.clip(style.overlay(rng, canvas), 0, 1)
    return np.round(canvas * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _layers(
    rng: Generator, style: Style, unsafe: NDArray[np.bool_]
) -> list[tuple[NDArray[np.int64], _Layer]]:
    """The objects: one on every creative, a second and safe one on some, side by side."""
    count = len(unsafe)
    everywhere = np.arange(count)
    paired = np.flatnonzero(rng.random(count) < PAIRS)
    dangerous = rng.integers(0, len(UNSAFE), count)
    harmless = rng.integers(len(UNSAFE), len(SHAPES), (2, count))
    side = np.zeros(count, np.float32)
    side[paired] = 7 * _either(rng, len(paired))
    faint = np.where(rng.random(count) < style.faint, np.float32(0.15), np.float32(1))
    first = _place(rng, style, np.where(unsafe, dangerous, harmless[0]), side, faint)
    second = _place(rng, style, harmless[1][paired], -side[paired], faint[paired])
    return [(everywhere, first), (paired, second)]


def _place(
    rng: Generator, style: Style, kind: NDArray[np.int64], side: Field, faint: Field
) -> _Layer:
    """Place an object of ``kind`` on each creative, ``side`` pixels off the middle (0: alone).

    ``faint`` scales how far the object stands out from its background.
    """
    count = len(kind)
    alone = side == 0
    shrink = np.where(alone, np.float32(1), np.float32(0.72))
    roam = np.where(alone, np.float32(4), np.float32(1))
    middle = np.float32((SIDE - 1) / 2)
    across = middle + side + roam * uniform(rng, -1, 1, (count,))
    down = middle + uniform(rng, -2.5, 2.5, (count,))
    return _Layer(
        kind=kind,
        centre=np.stack([across, down], axis=1),
        size=uniform(rng, *style.size, (count,)) * shrink,
        angle=uniform(rng, -style.tilt, style.tilt, (count,)),
        mirror=_either(rng, count),
        light=uniform(rng, *style.contrast, (count,)) * faint,
        tint=uniform(rng, -0.06, 0.06, (count, 3)) * faint[:, None],
    )


def _either(rng: Generator, count: int) -> Field:
    """1 or -1, by chance."""
    return rng.integers(0, 2, count).astype(np.float32) * 2 - 1


def _draw(layer: _Layer, outlined: NDArray[np.bool_]) -> Field:
    """Share of each pixel that the objects cover, [n, 32, 32]."""
    distance = np.empty((len(layer.kind), SIDE, SIDE), np.float32)
    for kind in np.unique(layer.kind):
        here = layer.kind == kind
        turn, size = layer.angle[here, None, None], layer.size[here, None, None]
        across = COLUMNS - layer.centre[here, 0, None, None]
        down = ROWS - layer.centre[here, 1, None, None]
        u = (np.cos(turn) * across + np.sin(turn) * down) / size * layer.mirror[here, None, None]
        v = (np.cos(turn) * down - np.sin(turn) * across) / size
        distance[here] = SHAPES[kind](u, v) * size
    distance[outlined] = np.abs(distance[outlined]) - np.float32(0.5)
    return coverage(distance)


def _sweep(rng: Generator, count: int, longest: float) -> Field:
    """How far each object moves while the shutter is open, [n, 2] in pixels across and down."""
    length = uniform(rng, 0.3 * longest, longest, (count,))
    angle = uniform(rng, -0.5, 0.5, (count,))
    return np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1)


def _smear(share: Field, sweep: Field) -> Field:
    """Average ``share`` along each creative's motion: the shutter at seven moments."""
    index = np.arange(len(share))[:, None, None]
    total = np.zeros_like(share)
    moments = np.linspace(-1, 1, 7, dtype=np.float32)
    for moment in moments:
        step = np.rint(moment * sweep).astype(np.int64)
        rows = np.clip(ROWS.astype(np.int64) - step[:, 1, None, None], 0, SIDE - 1)
        columns = np.clip(COLUMNS.astype(np.int64) - step[:, 0, None, None], 0, SIDE - 1)
        total += share[index, rows, columns]
    return total / np.float32(len(moments))
