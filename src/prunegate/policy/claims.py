"""Stated figures: what somebody says that a compression saves and costs, as they wrote it.

The nouns of a claims file, and of ``claims: figures:`` in a policy. Figures stay text, because
their digits say how far they were rounded (``written_figure.py``). Whether they are true is not
asked here; that is the business of ``claims``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Strict, WithJsonSchema, field_validator, model_validator

from prunegate.policy import written_figure as units
from prunegate.policy.messages import literal
from prunegate.policy.place import Place
from prunegate.policy.section import Positive, Section, Text
from prunegate.policy.written_figure import EXAMPLES, Written, written, written_or_range

Severity = Literal["block", "warn"]
_AS_JSON = {"anyOf": [{"type": "string"}, {"type": "number"}], "examples": EXAMPLES.split(", ")}


def _legible(text: str) -> str:
    written(text)
    return text


def _legible_range(text: str) -> str:
    written_or_range(text)
    return text


_RANGES = {**_AS_JSON, "examples": ["-29 %", "1.4x", "-20 to -40 %"]}
Figure = Annotated[str, Strict(), AfterValidator(_legible), WithJsonSchema(_AS_JSON)]
"""One figure with its unit, as it is written."""
FigureOrRange = Annotated[str, Strict(), AfterValidator(_legible_range), WithJsonSchema(_RANGES)]
"""One figure, or two that it lies between."""

_LIKE = {
    units.PLAIN: "a plain number such as 64 or 61 M",
    units.PERCENT: "a share such as 94 %",
    units.MONEY: "an amount such as $0.0042",
    units.MS: "a time such as 40 ms",
    units.BYTES: "a size such as 346 MB",
}


class StatedModel(Section):
    """The baseline's architecture; with it, parameters are worked out without weights."""

    architecture: (
        Literal["ViT-Ti/16", "ViT-S/16", "ViT-B/16", "ViT-B/32", "ViT-L/16", "ViT-L/32"] | None
    ) = None
    """A Vision Transformer by name, at 224 x 224 pixels."""
    config: dict[str, Any] | None = None
    """The content of its config.json; model_type vit."""
    labels: Positive | None = None
    """Classes of the classification head; which head it is moves the parameters by up to 1 %."""

    @model_validator(mode="after")
    def _one_source(self) -> StatedModel:
        if (self.architecture is None) == (self.config is None):
            raise ValueError("give 'architecture' (with 'labels') or 'config', one of the two")
        if (self.labels is None) != (self.architecture is None):
            raise ValueError("'labels' goes with 'architecture'; a config has its own")
        return self


class StatedChange(Section):
    """A figure before and after, and what is said of the change."""

    units: ClassVar[tuple[str, ...]] = (units.PLAIN,)
    """Units that before and after may have."""

    before: Figure | None = None
    """Of the baseline."""
    after: Figure | None = None
    """Of the candidate."""
    change: FigureOrRange | None = None
    """By how much it changed: in per cent, or in the unit of the figures, or from how much to how
    much (-20 to -40 %). Without a sign: a size, in either direction."""
    times: FigureOrRange | None = None
    """How many times smaller or faster, such as 1.4x, or from 1.2 to 1.6x."""

    @property
    def figures(self) -> dict[str, Written]:
        """The figures that are stated, by key."""
        given = {name: getattr(self, name) for name in ("before", "after", "change", "times")}
        return {name: written_or_range(text) for name, text in given.items() if text is not None}

    @model_validator(mode="after")
    def _units_fit(self) -> StatedChange:
        found = self.figures
        if not found:
            raise ValueError("states nothing; give 'before', 'after', 'change' or 'times'")
        for name in ("before", "after"):
            if name in found:
                _require(name, found[name], self.units)
        _require_times(found.get("times"))
        if "change" in found:
            self._require_change(found["change"], found.get("before") or found.get("after"))
        return self

    def _require_change(self, change: Written, figure: Written | None) -> None:
        if change.unit == units.PERCENT:
            return
        _require("change", change, self.units, "or a share of it such as -29 %")
        scaled = figure is not None and not figure.whole and figure.unit == units.PLAIN
        if scaled and change.whole and figure is not None and abs(figure.value) >= 1000:
            raise ValueError(
                f"change: got {literal(change.text)} beside {literal(figure.text)}; give its unit, "
                "such as -29 % or -25 M"
            )


def _require(name: str, figure: Written, allowed: tuple[str, ...], other: str = "") -> None:
    if figure.unit not in allowed:
        wanted = " or ".join(_LIKE[unit] for unit in allowed if unit in _LIKE)
        tail = f", {other}" if other else ""
        raise ValueError(f"{name}: got {literal(figure.text)}, expected {wanted}{tail}")
    if name != "change" and figure.direction < 0 and units.PERCENT not in allowed:
        raise ValueError(f"{name}: got {literal(figure.text)}; it cannot be negative")


def _require_times(times: Written | None) -> None:
    if times is not None and (times.unit != units.TIMES or times.value <= 0):
        raise ValueError(f"times: got {literal(times.text)}, expected a factor such as 1.4x")


class StatedMetric(StatedChange):
    """A quality metric before and after."""

    units: ClassVar[tuple[str, ...]] = (units.PERCENT, units.PLAIN)

    name: Text
    """As in a policy: precision, recall, ..."""
    slice: Text = "overall"
    """Which slice the figures are of."""
    rounded: Literal["each", "written"] = "written"
    """What a change in points was taken from: the figures as they are ``written`` (91 % to 89 % is
    2 points), or unrounded ones, so that ``each`` of the three was rounded by itself."""

    def _require_change(self, change: Written, figure: Written | None) -> None:
        if figure is None or figure.unit == units.PERCENT:
            if change.unit != units.POINTS and (figure or change.unit != units.PLAIN):
                raise ValueError(
                    f"change: got {literal(change.text)}, expected points such as 1 point (per "
                    "cent of a share can be read in two ways)"
                )
        elif change.unit != units.PLAIN:
            raise ValueError(
                f"change: got {literal(change.text)} beside {literal(figure.text)}; write both as "
                "shares (94 % and 1 point) or both as plain numbers"
            )

    @model_validator(mode="after")
    def _one_unit(self) -> StatedMetric:
        found = [figure.unit for key, figure in self.figures.items() if key in ("before", "after")]
        if len(set(found)) > 1:
            raise ValueError("before and after have different units; write both as shares (94 %)")
        if self.times is not None:
            raise ValueError("a metric has no 'times'; give 'change'")
        return self


class StatedCost(StatedChange):
    """An amount of money."""

    units: ClassVar[tuple[str, ...]] = (units.MONEY, units.PLAIN)


class StatedTime(StatedChange):
    """A latency."""

    units: ClassVar[tuple[str, ...]] = (units.MS,)


class StatedSize(StatedChange):
    """Bytes on disk."""

    units: ClassVar[tuple[str, ...]] = (units.BYTES,)


class StatedHeads(Section):
    """Attention heads, in whole numbers."""

    before: Figure | None = None
    """Of the baseline, in all layers together."""
    after: Figure | None = None
    """Of the candidate."""
    removed: Figure | None = None
    """How many went."""
    layers: Figure | None = None
    """How many layers there are."""
    per_layer: Figure | None = None
    """Heads of each layer before."""
    removed_per_layer: Figure | None = None
    """How many went from each layer."""
    kept_per_layer: Figure | None = None
    """How many stayed in each layer."""

    @model_validator(mode="after")
    def _whole(self) -> StatedHeads:
        _require_counts(self)
        return self


class StatedCounts(Section):
    """A count before and after, in whole numbers."""

    before: Figure | None = None
    """Of the baseline."""
    after: Figure | None = None
    """Of the candidate."""
    removed: Figure | None = None
    """How many went."""

    @model_validator(mode="after")
    def _whole(self) -> StatedCounts:
        _require_counts(self)
        return self


def _require_counts(section: Section) -> None:
    given = {name: text for name, text in section if text is not None}
    if not given:
        raise ValueError(f"states nothing; give one of {', '.join(type(section).model_fields)}")
    for name, text in given.items():
        figure = written(str(text))
        if not figure.whole or figure.signed:
            raise ValueError(f"{name}: got {literal(text)}, expected a whole number such as 64")


class StatedMonth(Section):
    """What one month costs at one volume."""

    volume: Figure
    """Inferences a month."""
    before: Figure | None = None
    """What the baseline costs."""
    after: Figure | None = None
    """What the candidate costs."""
    saving: Figure | None = None
    """The difference."""

    @model_validator(mode="after")
    def _amounts(self) -> StatedMonth:
        volume = written(self.volume)
        if volume.unit != units.PLAIN or volume.signed:
            raise ValueError(f"volume: got {literal(self.volume)}, expected a count such as 180000")
        given = [name for name in ("before", "after", "saving") if getattr(self, name) is not None]
        if not given:
            raise ValueError("states nothing; give 'before', 'after' or 'saving'")
        for name in given:
            _require(name, written(getattr(self, name)), (units.MONEY, units.PLAIN))
        return self


class Stated(Section):
    """Everything that is stated."""

    about: Text | None = None
    """Where the figures are from."""
    model: StatedModel | None = None
    metrics: tuple[StatedMetric, ...] = ()
    """Quality before and after."""
    heads: StatedHeads | None = None
    neurons: StatedCounts | None = None
    """Hidden neurons of all MLPs together."""
    layers: StatedCounts | None = None
    """How many layers there are."""
    parameters: StatedChange | None = None
    """Of the whole model."""
    flops: StatedChange | None = None
    """Operations of one forward pass."""
    size: StatedSize | None = None
    latency: StatedTime | None = None
    time_to_first_token: StatedTime | None = None
    """Of a language model that writes: until the first token is there."""
    time_per_token: StatedTime | None = None
    """Of every further token."""
    throughput: StatedChange | None = None
    """Inferences in a unit of time."""
    price: StatedCost | None = None
    """Money per inference."""
    monthly: tuple[StatedMonth, ...] = ()
    """Costs a month, at one volume each."""

    @model_validator(mode="after")
    def _one_currency(self) -> Stated:
        found = sorted({figure.currency for figure in self._money() if figure.currency})
        if len(found) > 1:
            raise ValueError(f"amounts in {' and '.join(found)}; state all of them in one currency")
        return self

    @model_validator(mode="after")
    def _metrics_once(self) -> Stated:
        names = [(metric.name, metric.slice) for metric in self.metrics]
        for name, place in names:
            if names.count((name, place)) > 1:
                raise ValueError(f"{literal(name)} on {literal(place)} is stated twice; keep one")
        return self

    def _money(self) -> Iterator[Written]:
        if self.price is not None:
            yield from self.price.figures.values()
        for month in self.monthly:
            for text in (month.before, month.after, month.saving):
                if text is not None:
                    yield written(text)


class ClaimsFile(Stated):
    """A whole claims file, version 1."""

    claims: Literal[1]
    """Version of the claims file."""

    @field_validator("claims", mode="before")
    @classmethod
    def _one_and_not_true(cls, version: Any) -> Any:
        # true == 1 == 1.0 in Python; the file has to say 1
        if isinstance(version, bool | float):
            raise ValueError("expected 1, the version of the claims file")  # noqa: TRY004 - pydantic turns only ValueError into a mistake
        return version

    @property
    def stated(self) -> Stated:
        """The figures without the file's version."""
        given = {name: getattr(self, name) for name in Stated.model_fields}
        return Stated.model_construct(self.model_fields_set - {"claims"}, **given)


class ClaimsRule(Section):
    """The section ``claims`` of a policy: stated figures that have to be right."""

    file: Place | None = None
    """A claims file, relative to the policy file [default: NAME.claims.yaml beside NAME.yaml]."""
    figures: Stated | None = None
    """The figures themselves, in place of a file."""
    severity: Severity = "block"
    """What a contradicted figure does: reject (block) or only warn."""
