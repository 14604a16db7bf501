"""How a candidate is made: the steps of ``compress``, and what ``search`` may vary in them.

Where a step's rows come from is said in the step; the gate split is never among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Strict, Tag, field_validator, model_validator

from prunegate.criteria import CRITERIA
from prunegate.policy.section import Confidence, Positive, Section, Selection, Share, shape_of

SPLITS = ("train", "calibration", "search", "gate")
Split = Literal["train", "calibration", "search", "gate"]


NEVER_THE_GATE = "the gate split is for judging only; use train or calibration"
Scope = Literal["global", "per_layer", "budget"]
OTHER_SCOPE: Mapping[str, Scope] = {"global": "budget", "budget": "global"}
"""Scopes that remove the same number of units wherever units cost the same, each by the other."""
UnitKind = Literal["heads", "neurons", "filters", "layers"]
"""What can be cut out."""
Pattern = Literal["weights", "2:4"]
"""What can become zeros in place."""
Fraction = Annotated[float, Strict(), Field(gt=0, lt=1)]

if TYPE_CHECKING:
    CriterionName = str
else:  # one of the names that there are
    CRITERIA.close("the policy's schema lists them; add it before prunegate.policy is imported")
    CriterionName = Literal[tuple(CRITERIA)]


class Rows(Section):
    """Which labelled rows a step sees."""

    split: Split
    """Which split they come from; never the gate split."""
    where: Selection = {}  # noqa: RUF012  # pydantic copies it, and Rows is frozen
    """Column values that a row must have."""
    limit: Positive | None = None
    """At most this many rows, drawn with the run's seed."""

    @field_validator("split")
    @classmethod
    def _never_the_gate(cls, split: str) -> str:
        if split == "gate":
            raise ValueError(NEVER_THE_GATE)
        return split


class StepSection(Section):
    """What one kind of step has to be told."""

    @property
    def rows(self) -> Rows | None:
        """The labelled rows that it looks at; None: it looks at none."""
        return None


def _form(annotation: Any) -> str:
    """How the value of a key is written: a mapping, or the word that it can be."""
    part = get_args(annotation)[0]  # the other one is None
    return "{...}" if isinstance(part, type) else str(get_args(part)[0])


class ShareBelow(Section):
    """Remove the units that carry less than this share of their layer's importance."""

    share_below: Annotated[float, Strict(), Field(gt=0, lt=1)]
    """The share of the layer's importance: 0.02 is 2 %."""


class Keep(Section):
    """Keep this many units."""

    keep: Positive
    """How many stay."""


Amount = Annotated[
    Annotated[float, Strict(), Field(gt=0, lt=1), Tag("number")]
    | Annotated[ShareBelow, Tag("share_below")]
    | Annotated[Keep, Tag("keep")],
    Discriminator(shape_of("share_below", "keep")),
]


class Prune(StepSection):
    """Remove units, which makes the model smaller, or zero single weights, which does not."""

    what: Literal[UnitKind, Pattern]
    """heads, neurons, filters and layers are cut out; weights and 2:4 become zeros in place."""
    criterion: CriterionName = "taylor"
    """What ranks the units; random is the control that the others have to beat."""
    amount: Amount | None = None
    """The share of units to remove, or a rule for how many; 2:4 is always half."""
    scope: Scope = "global"
    """Rank all layers together, or each by itself; budget: try how much each layer can spare."""
    min_per_layer: Positive = 1
    """Units (or weights) that stay in every layer."""
    plans: Annotated[int, Strict(), Field(ge=1, le=20)] = 1
    """Of ``scope: budget``: try so many plans, each recovered by up to 20 batches of the
    ``finetune`` step that follows, and keep the one with the least loss after that on ``data``."""
    cycles: Positive = 1
    """Reach the amount in so many rounds, each ending with the ``finetune`` step that follows."""
    rewind: Literal["initial", "early", "none"] = "none"
    """Put the survivors back to ``model: initial`` or ``model: early`` after each removal."""
    compensate: Literal["ridge", "none"] = "none"
    """ridge: let what stays stand in for what goes, by least squares on the rows of ``data``."""
    data: Rows = Rows(split="calibration")
    """Rows that rank the units, where the criterion looks at any."""

    @property
    def looks_at_rows(self) -> bool:
        """Whether it needs labelled rows."""
        ranked_by_rows = CRITERIA[self.criterion].looks_at_rows
        return ranked_by_rows or self.compensate != "none" or self.scope == "budget"

    @property
    def rows(self) -> Rows | None:
        """Those that rank the units, or that compensation is fitted on."""
        return self.data if self.looks_at_rows else None

    @property
    def units(self) -> UnitKind | None:
        """What is cut out; None: single weights become zeros."""
        return None if self.what == "weights" or self.what == "2:4" else self.what  # noqa: PLR1714  # narrows the type

    @property
    def repeats(self) -> bool:
        """Whether it is done together with the fine-tuning that follows."""
        return self.cycles > 1 or self.rewind != "none"

    @model_validator(mode="after")
    def _criterion_fits(self) -> Prune:
        if self.units is None and not CRITERIA[self.criterion].scores_weights:
            able = ", ".join(name for name, one in CRITERIA.items() if one.scores_weights)
            raise ValueError(
                f"criterion {self.criterion} does not score single weights; use one of: {able}"
            )
        return self

    @model_validator(mode="after")
    def _amount_fits(self) -> Prune:
        if (self.what == "2:4") != (self.amount is None):
            raise ValueError(
                "'amount' is needed, such as 0.4, {share_below: 0.02} or {keep: 64}; only 2:4, "
                "which is always half, has none"
            )
        if self.what == "weights" and isinstance(self.amount, ShareBelow):
            raise ValueError(
                "share_below is for units; give weights a share to remove or {keep: N}"
            )
        if self.what == "2:4" and self.cycles > 1:
            raise ValueError("2:4 is one pattern, not reached in cycles; remove 'cycles'")
        if self.cycles > 1 and isinstance(self.amount, ShareBelow):
            raise ValueError("share_below cannot be spread over cycles; give a share or {keep: N}")
        return self

    @model_validator(mode="after")
    def _budget_fits(self) -> Prune:
        if self.scope != "budget":
            return self
        if self.units is None or self.units == "layers":
            raise ValueError(
                "scope: budget is for heads, neurons and filters, of which layers have more or "
                f"fewer; use scope: global for 'what: {self.what}'"
            )
        if isinstance(self.amount, ShareBelow) or self.cycles > 1:
            raise ValueError(
                "scope: budget spends one share or {keep: N} at once; remove share_below or cycles"
            )
        return self

    @model_validator(mode="after")
    def _plans_fit(self) -> Prune:
        if self.plans > 1 and self.scope != "budget":
            raise ValueError("'plans' are of a budget; add 'scope: budget', or remove 'plans'")
        if self.plans > 1 and self.rewind != "none":
            raise ValueError(
                "rewind puts earlier weights back, which no plan was tried with; keep one of "
                "'plans' and 'rewind'"
            )
        return self

    @model_validator(mode="after")
    def _compensation_fits(self) -> Prune:
        if self.compensate == "none":
            return self
        if self.units is None or self.units == "layers":
            raise ValueError(
                f"compensate: ridge is for heads, neurons and filters, whose readers can be fitted "
                f"anew; remove it from 'what: {self.what}'"
            )
        if self.rewind != "none":
            raise ValueError(
                "rewind puts earlier weights back, which would undo 'compensate'; keep one of them"
            )
        return self


class Finetune(StepSection):
    """Train what is left, shortly."""

    epochs: Annotated[float, Strict(), Field(gt=0)] | None = None
    """Passes over the rows; either this or steps."""
    steps: Positive | None = None
    """Batches in all; either this or epochs."""
    learning_rate: Annotated[float, Strict(), Field(gt=0)] = 1e-4
    """Highest step size of the optimiser."""
    batch_size: Positive = 64
    """Rows of a batch."""
    weight_decay: Annotated[float, Strict(), Field(ge=0)] = 0.01
    """Of the optimiser."""
    flips: Annotated[bool, Strict()] | None = None
    """Mirror half of the images; by default images are and texts are not."""
    teacher: Literal["baseline"] | None = None
    """baseline: learn what the baseline answers, beside what the labels say."""
    weight: Share = 0.9
    """Of the teacher's answers in the loss; the labels have the rest."""
    temperature: Annotated[float, Strict(), Field(ge=0.1, le=100)] = 2.0
    """What both models' logits are divided by; above 1, unlikely answers count for more. Not of a
    score task."""
    split: Split | None = None
    """Short for ``data: {split: ...}``."""
    data: Rows | None = None
    """Rows to train on; by default the train split."""

    @property
    def rows(self) -> Rows:
        """The rows to train on, however they were named."""
        return self.data or Rows(split=self.split or "train")

    @property
    def mirrors(self) -> bool:
        """Whether half of the images are mirrored; a batch of something else has none."""
        return self.flips is not False

    @property
    def taught(self) -> bool:
        """Whether a teacher has a say."""
        return self.teacher is not None and self.weight > 0

    @field_validator("split")
    @classmethod
    def _never_the_gate(cls, split: str | None) -> str | None:
        if split == "gate":
            raise ValueError(NEVER_THE_GATE)
        return split

    @model_validator(mode="after")
    def _epochs_or_steps(self) -> Finetune:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either 'epochs' or 'steps'")
        if self.split is not None and self.data is not None:
            raise ValueError("'split' is short for 'data: {split: ...}'; give one of the two")
        if self.teacher is None and self.model_fields_set & {"weight", "temperature"}:
            raise ValueError("'weight' and 'temperature' are a teacher's; add 'teacher: baseline'")
        return self


class Quantize(StepSection):
    """Store and compute with eight-bit whole numbers; what is judged is the quantized model."""

    to: Literal["int8"] = "int8"
    """What numbers become."""
    kind: Literal["dynamic", "static", "weight_only"] = "dynamic"
    """dynamic: activations are scaled as they come; static: scaled once, on ``data``; weight_only:
    activations stay floating-point."""
    engine: Literal["onnxruntime", "torch"] = "onnxruntime"
    """What the candidate will run in: model.onnx (extra 'edge') or a torch module."""
    per_channel: Annotated[bool, Strict()] = True
    """A scale for every output channel instead of one per tensor."""
    embeddings: Annotated[bool, Strict()] | None = None
    """Quantize embedding tables too; by default where they hold most of the weights."""
    data: Rows = Rows(split="calibration")
    """Rows that scale the activations (static only)."""

    @property
    def rows(self) -> Rows | None:
        """Those that scale the activations."""
        return self.data if self.kind == "static" else None

    @model_validator(mode="after")
    def _torch_has_no_static(self) -> Quantize:
        if self.engine == "torch" and self.kind == "static":
            raise ValueError("static int8 runs in onnxruntime; set engine: onnxruntime")
        if self.kind != "static" and "data" in self.model_fields_set:
            raise ValueError("only static int8 looks at data; remove 'data' or set kind: static")
        return self


class Step(Section):
    """One step of ``compress``: exactly one of its keys."""

    prune: Prune | None = None
    finetune: Finetune | None = None
    quantize: Quantize | None = None
    export: Literal["onnx"] | None = None
    """Turn the model into model.onnx (extra 'edge'); what is judged is that file."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Step:
        if len(self._given) != 1:
            kinds = type(self).model_fields.items()
            forms = ", ".join(f"{{{name}: {_form(key.annotation)}}}" for name, key in kinds)
            raise ValueError(f"a step is one of {forms}")
        return self

    @property
    def _given(self) -> dict[str, StepSection | str]:
        """Its keys that are there."""
        return {name: part for name, part in self if part is not None}

    @property
    def kind(self) -> str:
        """Which of its keys it is."""
        return next(iter(self._given))

    @property
    def rows(self) -> Rows | None:
        """The labelled rows that the step looks at; None: it looks at none."""
        part = self._given[self.kind]
        return part.rows if isinstance(part, StepSection) else None


class Vary(Section):
    """One thing that ``search`` may change: how much a prune step removes."""

    step: Positive
    """Which step of ``compress``, counted from 1."""
    amount: tuple[Fraction, Fraction]
    """Smallest and largest share to remove."""

    @field_validator("amount")
    @classmethod
    def _ascends(cls, amount: tuple[float, float]) -> tuple[float, float]:
        if not amount[0] < amount[1]:
            raise ValueError("amount is [smallest, largest] share, the smallest first")
        return amount


class SearchControl(Section):
    """What the chosen amounts are held beside on the search split; nothing of it is ever chosen."""

    draws: Annotated[int, Strict(), Field(ge=0, le=20)] = 3
    """Draws of the random criterion, each by a seed of its own."""
    scope: Literal["global", "budget", "none"] | None = None
    """Once by this scope instead of the other; default: global where a step that varies says
    budget, else none. Only what ``vary`` names is changed, and ``per_layer`` stays."""


def _switch_or_control(value: Any) -> str:
    return "control" if isinstance(value, dict | Section) else "switch"


class SearchSection(Section):
    """Look for the smallest candidate that passes, on the search split."""

    objective: Literal[
        "parameters", "model_bytes", "latency_p50_ms", "latency_p95_ms", "cost_per_1k"
    ] = "parameters"
    """What is to be as small as possible."""
    vary: Annotated[tuple[Vary, ...], Field(min_length=1)]
    """One amount is found by bisection, several by an optimiser."""
    attempts: Annotated[int, Strict(), Field(ge=2, le=1000)] = 12
    """At most so many candidates are made, those of ``control`` not counted."""
    tolerance: Annotated[float, Strict(), Field(gt=0, lt=1)] = 0.01
    """A bisection ends when the passing and the failing share are this close."""
    confidence: Confidence | None = None
    """How sure an attempt has to be on the search split; default: as sure as the gate. What is
    chosen looks better there than it is, so asking more makes the gate likelier to confirm it."""
    control: Annotated[
        Annotated[bool, Strict(), Tag("switch")] | Annotated[SearchControl, Tag("control")],
        Discriminator(_switch_or_control),
    ] = True
    """Also try the random criterion, to tell what ranking was worth, and global ranking beside a
    budget; false: neither."""

    @property
    def beside(self) -> SearchControl:
        """What ``control`` asks for, however it is written."""
        if isinstance(self.control, SearchControl):
            return self.control
        return SearchControl() if self.control else SearchControl(draws=0, scope="none")
