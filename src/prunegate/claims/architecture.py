"""Architecture: what a model of the stated sizes has, and what removing parts leaves, by counting.

Vision Transformers only: their arithmetic needs neither weights nor torch. Papers count a ViT with
or without its classification head; a stated number of parameters may be either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from prunegate.claims import sentences
from prunegate.claims.changes import agrees
from prunegate.claims.checked import CheckedFigure
from prunegate.claims.checked_counts import Counts, given
from prunegate.claims.ranges import Range
from prunegate.errors import UnsupportedError
from prunegate.models.vit_geometry import ViTGeometry
from prunegate.policy import written_figure as units
from prunegate.policy.claims import Stated, StatedModel
from prunegate.policy.messages import literal
from prunegate.policy.written_figure import Written
from prunegate.text.said import joined, said

_SIZES = {"Ti": (192, 12, 3), "S": (384, 12, 6), "B": (768, 12, 12), "L": (1024, 24, 16)}
"""Width, layers and heads per layer (Dosovitskiy et al. 2021; Touvron et al. 2021 for Ti and S);
an MLP is four times as wide."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is left of a model."""

    heads: int
    neurons: int
    layers: int


def geometry(model: StatedModel) -> ViTGeometry:
    """The sizes of a stated model.

    Raises:
        ModelError: the config has a size that cannot be.
        UnsupportedError: a config of another family.
    """
    if model.config is not None:
        kind = model.config.get("model_type", "vit")
        if kind != "vit":
            raise UnsupportedError(
                f"claims: model: config: model_type is {literal(kind)}; parameters are worked out "
                "for vit. Remove 'model' to check the figures against each other"
            )
        return ViTGeometry.from_config(model.config)
    size, _, patch = str(model.architecture).removeprefix("ViT-").partition("/")
    width, layers, heads = _SIZES[size]
    config = {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "patch_size": int(patch),
        "num_labels": model.labels,
    }
    return ViTGeometry.from_config(config)


def architecture(stated: Stated, sizes: ViTGeometry) -> Iterator[CheckedFigure]:
    """Check counts and parameters against a model's sizes."""
    heads, neurons, layers = (given(part) for part in (stated.heads, stated.neurons, stated.layers))
    whole = Left(
        heads=sizes.heads * sizes.layers, neurons=sizes.neurons * sizes.layers, layers=sizes.layers
    )
    for figure, claimed, has in (
        ("heads: before", heads.get("before"), whole.heads),
        ("heads: per_layer", heads.get("per_layer"), sizes.heads),
        ("heads: layers", heads.get("layers"), sizes.layers),
        ("neurons: before", neurons.get("before"), whole.neurons),
        ("layers: before", layers.get("before"), sizes.layers),
    ):
        if claimed is not None:
            yield _count(figure, claimed, has)
    if stated.parameters is None:
        return
    found = stated.parameters.figures
    if "before" in found:
        yield _before(found["before"], sizes, whole)
    left = _left(whole, heads, neurons, layers)
    if left is None:
        return
    if problem := _impossible(left, whole):
        yield from _not_possible(found, problem)
    elif "after" in found:
        yield _after(found["after"], sizes, whole, left)
    elif "change" in found and found["change"].unit == units.PERCENT:
        yield _change(found["change"], sizes, whole, left)


def parameters_left(sizes: ViTGeometry, left: Left) -> int:
    """Parameters with so much left, wherever in the model it is left.

    >>> from prunegate.policy.claims import StatedModel
    >>> b16 = geometry(StatedModel(architecture="ViT-B/16", labels=1000))
    >>> parameters_left(b16, Left(heads=64, neurons=36864, layers=12))
    70823656
    """
    layer = sizes.layer
    units_left = left.heads * layer.head + left.neurons * layer.neuron
    return sizes.ledger.outside + left.layers * layer.rest + units_left


def _classifier(sizes: ViTGeometry) -> int:
    return sizes.labels * (sizes.hidden + 1)


def _left(whole: Left, heads: Counts, neurons: Counts, layers: Counts) -> Left | None:
    """What the figures say is left; what they are silent about stays. None: they say nothing."""
    after = {
        "heads": _after_of(heads, whole.heads),
        "neurons": _after_of(neurons, whole.neurons),
        "layers": _after_of(layers, whole.layers),
    }
    if all(count is None for count in after.values()):
        return None
    rest = {"heads": whole.heads, "neurons": whole.neurons, "layers": whole.layers}
    if after["layers"] is not None:  # a layer that goes takes its heads and neurons along
        rest = {name: count * after["layers"] // whole.layers for name, count in rest.items()}
    return Left(**{name: rest[name] if count is None else count for name, count in after.items()})


def _after_of(found: Counts, whole: int) -> int | None:
    if "after" in found:
        return found["after"]
    return whole - found["removed"] if "removed" in found else None


def _impossible(left: Left, whole: Left) -> str:
    for name in ("heads", "neurons", "layers"):
        count, all_of_it = getattr(left, name), getattr(whole, name)
        if not 0 < count <= all_of_it:
            return said("claim.impossible", n=count, what=name, whole=all_of_it)
    return ""


def _not_possible(found: dict[str, Written], problem: str) -> Iterator[CheckedFigure]:
    for key in ("after", "change"):
        if key in found:
            yield CheckedFigure(
                figure=f"parameters: {key}",
                stated=found[key].text,
                status="not checked",
                basis="architecture",
                sum=problem,
            )


def _count(figure: str, claimed: int, has: int) -> CheckedFigure:
    right = claimed == has
    told = said("claim.has", n=has)
    return CheckedFigure(
        figure=figure,
        stated=f"{claimed:,}",
        status="right" if right else "contradicted",
        basis="architecture",
        sum=told if right else sentences.against(told, f"{claimed:,}"),
    )


def _before(claim: Written, sizes: ViTGeometry, whole: Left) -> CheckedFigure:
    total = parameters_left(sizes, whole)
    told = said("claim.has_parameters", n=total)
    return _parameters("before", claim, sizes, (told, total))


def _after(claim: Written, sizes: ViTGeometry, whole: Left, left: Left) -> CheckedFigure:
    total = parameters_left(sizes, left)
    checked = _parameters("after", claim, sizes, (_sum(sizes, whole, left), total))
    if checked.status == "right" or left.neurons < whole.neurons or claim.value >= total:
        return checked
    spare = -((claim.value - total) // sizes.neuron_parameters)
    told = said("claim.needs", told=checked.sum, n=int(spare), each=sizes.neuron_parameters)
    return CheckedFigure(**{**vars(checked), "sum": told})


def _parameters(
    key: str, claim: Written, sizes: ViTGeometry, expected: tuple[str, int]
) -> CheckedFigure:
    told, total = expected
    bare = total - _classifier(sizes)
    fits = [n for n in (total, bare) if Range.of(claim, count=True).meets(Range.exactly(n))]
    if fits and total not in fits:
        told = said("claim.bare", told=told, n=bare)
    elif not claim.whole:
        told = said("claim.about", told=told, value=sentences.like(Fraction(total), claim))
    return CheckedFigure(
        figure=f"parameters: {key}",
        stated=claim.text,
        status="right" if fits else "contradicted",
        basis="architecture",
        sum=told if fits else sentences.against(told, claim.text),
        uses=("heads: after", "heads: removed") if key == "after" else (),
    )


def _sum(sizes: ViTGeometry, whole: Left, left: Left) -> str:
    """``64 of 144 heads: 86,567,656 − 80 × 196,800 = 70,823,656 parameters``."""
    layer = sizes.layer
    gone = [
        (name, getattr(left, plural), getattr(whole, plural), cost)
        for name, plural, cost in (
            ("heads", "heads", layer.head),
            ("MLP neurons", "neurons", layer.neuron),
            ("layers", "layers", layer.rest),
        )
    ]
    told = [
        said("claim.left", now=now, whole=all_of_it, what=name)
        for name, now, all_of_it, _ in gone
        if now < all_of_it
    ]
    terms = [said("claim.gone", n=was - now, each=cost) for _, now, was, cost in gone if now < was]
    before, after = parameters_left(sizes, whole), parameters_left(sizes, left)
    ends = {"before": before, "after": after}
    if not terms:
        return said("claim.total_whole", told=said("claim.nothing_removed"), **ends)
    return said("claim.total", told=told, gone=joined(terms, " "), **ends)


def _change(claim: Written, sizes: ViTGeometry, whole: Left, left: Left) -> CheckedFigure:
    ratio = Fraction(parameters_left(sizes, left), parameters_left(sizes, whole)) - 1
    right = agrees(claim, Range.exactly(ratio))
    told = said("claim.change", told=_sum(sizes, whole, left), value=sentences.like(ratio, claim))
    return CheckedFigure(
        figure="parameters: change",
        stated=claim.text,
        status="right" if right else "contradicted",
        basis="architecture",
        sum=told if right else sentences.against(told, claim.text),
        uses=("heads: after", "heads: removed"),
    )
