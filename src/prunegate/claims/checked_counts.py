"""Counts: heads, neurons and layers against each other, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prunegate.claims.checked import CheckedFigure
from prunegate.claims.sentences import against
from prunegate.policy.claims import Stated
from prunegate.policy.written_figure import written
from prunegate.text.said import said

if TYPE_CHECKING:
    from pydantic import BaseModel

Counts = dict[str, int]


def given(section: BaseModel | None) -> Counts:
    """The counts that a section states, by key; none where there is no section."""
    if section is None:
        return {}
    return {name: int(written(text).value) for name, text in section if text is not None}


def check_counts(stated: Stated, layers: int | None = None) -> Iterator[CheckedFigure]:
    """Check counts that follow from each other.

    Args:
        stated: the figures.
        layers: how many layers the architecture has, where it is known and none are stated.
    """
    heads = given(stated.heads)
    stated_layers = heads.get("layers", given(stated.layers).get("before"))
    known = stated_layers if stated_layers is not None else layers
    source = "heads: layers" if "layers" in heads else "layers: before"
    uses = (source,) if stated_layers is not None else ()
    if known is not None:
        yield from _per_layer(heads, known, uses)
    for name, found in (
        ("heads", heads),
        ("neurons", given(stated.neurons)),
        ("layers", given(stated.layers)),
    ):
        yield from _removed(name, found)
    yield from _layers_agree(heads, given(stated.layers))


def _per_layer(heads: Counts, layers: int, uses: tuple[str, ...]) -> Iterator[CheckedFigure]:
    if "per_layer" in heads and "before" in heads:
        total, each = layers * heads["per_layer"], heads["per_layer"]
        told = said("claim.per_layer", layers=str(layers), each=str(each), total=total)
        yield _whole("heads", "before", (told, total), heads, ("heads: per_layer", *uses))
    before = heads.get("before")
    if before is None and "per_layer" in heads:
        before = layers * heads["per_layer"]
    if "removed_per_layer" in heads and before is not None and "after" in heads:
        each = heads["removed_per_layer"]
        total = before - layers * each
        told = said(
            "claim.removed_per_layer",
            before=before,
            layers=str(layers),
            each=str(each),
            total=total,
        )
        more = ("heads: removed_per_layer", "heads: before", *uses)
        yield _whole("heads", "after", (told, total), heads, more)
    if "kept_per_layer" in heads and "after" in heads:
        each = heads["kept_per_layer"]
        told = said("claim.per_layer", layers=str(layers), each=str(each), total=layers * each)
        more = ("heads: kept_per_layer", *uses)
        yield _whole("heads", "after", (told, layers * each), heads, more)


def _removed(name: str, found: Counts) -> Iterator[CheckedFigure]:
    if not {"before", "after", "removed"} <= found.keys():
        return
    total = found["before"] - found["after"]
    told = said(
        "claim.removed", before=found["before"], after=found["after"], total=total, what=name
    )
    yield _whole(name, "removed", (told, total), found, (f"{name}: before", f"{name}: after"))


def _layers_agree(heads: Counts, layers: Counts) -> Iterator[CheckedFigure]:
    if "layers" in heads and "before" in layers:
        told = said("claim.layers", n=str(layers["before"]))
        yield _whole("heads", "layers", (told, layers["before"]), heads, ("layers: before",))


def _whole(
    name: str, key: str, expected: tuple[str, int], found: Counts, uses: tuple[str, ...]
) -> CheckedFigure:
    told, total = expected
    right = found[key] == total
    return CheckedFigure(
        figure=f"{name}: {key}",
        stated=f"{found[key]:,}",
        status="right" if right else "contradicted",
        basis="arithmetic",
        sum=told if right else against(told, f"{found[key]:,}"),
        uses=uses,
    )
