"""Flipped examples: rows on which exactly one of the two models is right, with their pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord, Flip
from prunegate.report import numbers
from prunegate.report.inert import named, shorten

MOST_LOST, MOST_GAINED, MOST_GROUPS = 12, 4, 12
"""Examples per slice, and slices, that are shown."""
PICTURE_BUDGET = 480_000
"""Bytes of pictures in one report, so that it stays small enough for an e-mail."""
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One flipped row."""

    id: str
    picture: str | None
    """A data: address, or None."""
    label: str
    before: str
    after: str
    verdict: str
    """lost or gained, in words."""
    lost: bool
    slices: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The flipped rows of one slice."""

    name: str
    counted: str
    """How many there are and how many are shown."""
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Flips:
    """The section of flipped examples."""

    threshold: str
    """The score from which a row counts as positive; empty where labels were judged."""
    groups: tuple[Group, ...]
    hidden_groups: int
    without_picture: int
    """Shown rows whose picture is missing, unreadable or over the budget."""
    with_pictures: bool


class _Album:
    """Hands out pictures as data addresses until the budget is spent."""

    def __init__(self, pictures: Mapping[str, bytes], threshold: float | None) -> None:
        self.threshold = threshold
        self._pictures = pictures
        self._left = PICTURE_BUDGET

    def address(self, flip: Flip) -> str | None:
        """The row's picture, or None where there is none to show."""
        content = self._pictures.get(flip.id, b"")
        kind = next((name for magic, name in _KINDS.items() if content.startswith(magic)), None)
        if kind is None or len(content) > self._left:
            return None
        self._left -= len(content)
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def flips(record: DecisionRecord, pictures: Mapping[str, bytes]) -> Flips | None:
    """Flipped rows by slice; None where the record holds none."""
    if not record.flips:
        return None
    by_slice: dict[str, list[Flip]] = {}
    for flip in record.flips:
        by_slice.setdefault(flip.slices[0] if flip.slices else "overall", []).append(flip)
    threshold = _threshold(record)
    album = _Album(pictures, threshold)
    order = sorted(by_slice, key=lambda name: -sum(f.lost for f in by_slice[name]))
    groups = tuple(_group(name, by_slice[name], album) for name in order[:MOST_GROUPS])
    missing = [e for g in groups for e in g.examples if e.picture is None]
    return Flips(
        threshold="" if threshold is None else f"{threshold:g}",
        groups=groups,
        hidden_groups=len(order) - len(groups),
        without_picture=len(missing) if pictures else 0,
        with_pictures=bool(pictures),
    )


def _threshold(record: DecisionRecord) -> float | None:
    task = record.policy.document.get("task")
    found = task.get("threshold") if isinstance(task, dict) else None
    return float(found) if isinstance(found, int | float) else None


def _group(name: str, found: list[Flip], album: _Album) -> Group:
    lost = _furthest(f for f in found if f.lost)
    gained = _furthest(f for f in found if not f.lost)
    shown = lost[:MOST_LOST] + gained[:MOST_GAINED]
    counted = f"{len(lost)} lost and {len(gained)} gained in the record"
    if len(shown) < len(found):
        counted += f"; {len(shown)} shown, those whose scores moved furthest"
    return Group(
        name=named(name), counted=counted, examples=tuple(_example(f, album) for f in shown)
    )


def _furthest(found: Iterable[Flip]) -> list[Flip]:
    return sorted(found, key=lambda f: (-_distance(f), f.id))


def _distance(flip: Flip) -> float:
    """How far the scores are apart; labels are as far as they can be."""
    if isinstance(flip.baseline, str) or isinstance(flip.candidate, str):
        return 1.0
    return abs(flip.candidate - flip.baseline)


def _example(flip: Flip, album: _Album) -> Example:
    return Example(
        id=shorten(flip.id, 60),
        picture=album.address(flip),
        label=shorten(flip.label, 60),
        before=_said(flip.baseline, album.threshold),
        after=_said(flip.candidate, album.threshold),
        verdict=_verdict(flip),
        lost=flip.lost,
        slices=", ".join(named(name) for name in flip.slices[1:]),
    )


def _verdict(flip: Flip) -> str:
    if not flip.label:
        return "lost: the candidate is worse" if flip.lost else "gained: the candidate is better"
    only = "baseline" if flip.lost else "candidate"
    return f"{'lost' if flip.lost else 'gained'}: only the {only} is right"


def _said(value: float | str, threshold: float | None) -> str:
    """A label as it is; a score with its decimals; any other number with four digits."""
    if isinstance(value, str):
        return shorten(value, 60)
    return _score(value, threshold) if 0 <= value <= 1 else f"{value:,.4g}"


def _score(score: float, threshold: float | None) -> str:
    """A score with decimals enough to tell it from the threshold and from certainty: ``0.998``."""
    for digits in range(numbers.decimals([score], threshold, 2, 5), 6):
        text = f"{score:.{digits}f}"
        if float(text) not in (0.0, 1.0) or score in (0.0, 1.0):
            return text
    return "> 0.9999" if score > 0.5 else "< 0.0001"
