"""The policy: what must hold before a compressed model may replace its baseline.

The nouns of a policy file, version 1, as frozen pydantic models with a closed schema: an unknown
key is a mistake, never ignored. This file says what a *document* may contain; ``consistency.py``
says what must agree *between* its parts; ``load.py`` turns both into mistakes with file and line.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    Strict,
    Tag,
    create_model,
    field_validator,
    model_validator,
)

from prunegate.metrics.checks import CHECKS, Bound, is_level
from prunegate.policy.approvals import Approvals
from prunegate.policy.claims import ClaimsRule
from prunegate.policy.cost import Cost
from prunegate.policy.data_section import Columns, DataSection
from prunegate.policy.generate import Generate
from prunegate.policy.intervals import Intervals, Period
from prunegate.policy.model_source import ModelSource, NamedPlace
from prunegate.policy.people import REDACTABLE, ReportSection, Words
from prunegate.policy.place import PUBLIC, Place
from prunegate.policy.quality import Quality
from prunegate.policy.section import (
    Confidence,
    Name,
    Number,
    Positive,
    Scalar,
    Section,
    Selection,
    Text,
    shape_of,
)
from prunegate.policy.steps import Rows, SearchSection, Step
from prunegate.policy.task import Role, Task
from prunegate.policy.waivers import Waivers


class SliceSpec(Section):
    """A slicing by one key, a cross of keys, or one named slice."""

    by: Text | tuple[Text, ...] | None = None
    """The key (or keys, for a cross) whose values are slices."""
    expect: tuple[Scalar | tuple[Scalar, ...], ...] = ()
    """Values that must be present (for a cross: lists of values); absent is never a pass."""
    name: Name | None = None
    """Name of a slice defined by ``where``."""
    where: Selection | None = None
    """Column values that a row must have (any one of a list) to belong to the named slice."""
    bins: Annotated[tuple[Number, ...], Field(min_length=1, max_length=100)] | None = None
    """Edges, rising: [100, 500] slices a column of numbers into <100, 100-500 and >=500."""
    quantiles: Annotated[int, Strict(), Field(ge=2, le=100)] | None = None
    """Slices a column of numbers into so many parts of equally many rows: q1, q2, ..."""
    every: Period | None = None
    """Slices a column of times by the calendar: 2026-11-28, 2026-W48, 2026-11, 2026-Q4, 2026."""

    @property
    def intervals(self) -> Intervals | None:
        """How the key's numbers or times are put into intervals; None: values are slices."""
        if self.bins is None and self.quantiles is None and self.every is None:
            return None
        return Intervals(bins=self.bins or (), quantiles=self.quantiles, every=self.every)

    @property
    def keys(self) -> tuple[str, ...]:
        """The slicing keys, in the policy's order; empty for a named slice."""
        if self.by is None:
            return ()
        return (self.by,) if isinstance(self.by, str) else self.by

    @property
    def label(self) -> str:
        """What a rule calls it: ``content_type``, ``content_type,region`` or the name."""
        return ",".join(self.keys) or str(self.name)

    @model_validator(mode="after")
    def _is_one_of_two_shapes(self) -> SliceSpec:
        if (self.by is None) == (self.name is None):
            raise ValueError("a slice is either {by: KEY or [KEYS]} or {name: NAME, where: {...}}")
        if (self.name is None) != (not self.where):
            raise ValueError("'name' and 'where' come together, and 'where' may not be empty")
        if self.name is not None and self.expect:
            raise ValueError("a named slice is always expected; remove 'expect'")
        if len(set(self.keys)) != len(self.keys) or (self.by is not None and not self.keys):
            raise ValueError("'by' needs at least one key, each once")
        return self

    @model_validator(mode="after")
    def _intervals_are_of_one_kind(self) -> SliceSpec:
        given = [n for n in ("bins", "quantiles", "every") if getattr(self, n) is not None]
        if len(given) > 1:
            raise ValueError(f"'{given[0]}' and '{given[1]}' are two ways; keep one")
        if given and len(self.keys) != 1:
            raise ValueError(
                f"'{given[0]}' belongs to one key; give the key an entry of its own, and crosses "
                "of it use the same intervals"
            )
        edges = self.bins or ()
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("'bins' are edges that rise, each once")
        return self

    @model_validator(mode="after")
    def _expected_values_fit_the_keys(self) -> SliceSpec:
        for value in self.expect:
            width, keys = len(value) if isinstance(value, tuple) else 1, len(self.keys)
            if keys and width != keys:
                message = f"an expected value has {width} part(s), but 'by' has {keys} key(s)"
                raise ValueError(message)
        return self


class Minimum(Section):
    """Evidence below which a slice is inconclusive, whatever the numbers say."""

    rows: Positive = 1
    """Rows of the slice."""
    positives: Positive = 1
    """binary: rows of the positive class; multiclass: rows of every class; multilabel: rows of
    every label."""


MOST_LOOKS = 20


class EvidenceSection(Section):
    """How sure the gate has to be."""

    confidence: Confidence = 0.95
    """One-sided, for every test."""
    minimum: Minimum = Minimum()
    strict: Annotated[bool, Strict()] = False
    """Test precision and F1 by a Dirichlet posterior with added losses: slower, less powerful and
    never liberal where few rows differ."""
    reuse: Literal["ledger", "strict", "none"] = "ledger"
    """What further attempts on one gate set cost: the first is tested at 1 - confidence and later
    ones at less (ledger), all at less, so that together they keep it (strict), or nothing (none,
    which the statement says)."""
    reference: Literal["required", "warn", "off"] = "required"
    """Whether the baseline has to be shown to know something: to agree with the labels beyond
    chance, on all rows and on every slice that a rule judges. required: without it nothing is
    approved; warn: the report warns; off: nobody looks."""
    looks: Annotated[int, Strict(), Field(ge=1, le=MOST_LOOKS)] = 1
    """How often labels may be judged while more are added ('prunegate label --more'): each look is
    tested at an equal share of 1 - confidence, so that all of them together keep it."""

    @property
    def alpha(self) -> float:
        """Level of each test: 1 - confidence, shared out among the looks."""
        return round(self.alpha_of_looks / self.looks, 12)

    @property
    def alpha_of_looks(self) -> float:
        """1 - confidence, free of binary noise (0.05, not 0.050000000000000044)."""
        return round(1 - self.confidence, 12)


class Relative(Section):
    """A margin as a share of the baseline's value."""

    relative: Annotated[float, Strict(), Field(ge=0, lt=1)]
    """The share: 0.03 allows a loss of 3 % of the baseline's value."""


class ErrorRatio(Section):
    """A margin as growth of the error rate: 0.5 allows half as many errors again."""

    error_ratio: Annotated[float, Strict(), Field(ge=0, le=10)]
    """The growth: 0.5 takes an error rate of 4 % to 6 % at most."""


Margin = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[Relative, Tag("relative")]
    | Annotated[ErrorRatio, Tag("error_ratio")],
    Discriminator(shape_of("relative", "error_ratio")),
]
Limit = float | Relative | ErrorRatio
"""What a rule gives as one limit."""
_WRITTEN: dict[str, Any] = {
    "level": Number,
    "margin": Margin,
    "factor": Annotated[float, Strict(), Field(gt=0)],
}
"""How a policy writes a limit, by the form that its check has."""


def bound_of(limit: Limit) -> Bound:
    """A limit as a number, and what the number is in."""
    if isinstance(limit, Relative):
        return Bound(value=limit.relative, kind="relative")
    if isinstance(limit, ErrorRatio):
        return Bound(value=limit.error_ratio, kind="error_ratio")
    return Bound(value=float(limit))


class _About(Section):
    """What a rule is about."""

    metric: Text
    """What is limited: a metric of the catalogue."""
    slices: Text | Annotated[tuple[Text, ...], Field(min_length=1)] = "overall"
    """Where: overall, all, a slicing key, a cross, a slice's name, or a list of these."""
    classes: (
        Literal["macro", "micro", "each"] | Annotated[tuple[Scalar, ...], Field(min_length=1)]
    ) = "macro"
    """multiclass, of precision, recall and f1: the average of all classes (macro), every class by
    itself (each), or some classes by name. multilabel: likewise of its labels, or all decisions
    together (micro)."""
    k: Annotated[int, Strict(), Field(ge=1)] | None = None
    """top_k_accuracy: how many of the highest scores the true class has to be among."""
    at: Annotated[float, Strict(), Field(gt=0, lt=1)] | None = None
    """recall_at_fpr: the share of negatives that each model may flag, such as 0.01.
    precision_at_recall: the share of positives that each has to flag, such as 0.9."""


if TYPE_CHECKING:
    _Limited = _About
else:  # one field for every check there is
    CHECKS.close("the policy's schema has its fields; add it before prunegate.policy is imported")
    _fields = {name: (_WRITTEN[check.form] | None, None) for name, check in CHECKS.items()}
    _Limited = create_model("_Limited", __base__=_About, __module__=__name__, **_fields)


class Rule(_Limited):
    """One metric, on some slices, within limits. Every limit given has to hold."""

    evidence: Literal["proven", "point"] = "proven"
    """proven: the limit has to be shown to hold; point: the estimate alone decides."""
    severity: Literal["block", "warn"] = "block"
    """block: the rule decides; warn: the report warns and nothing else."""
    on_undefined: Literal["fail", "inconclusive"] = "inconclusive"
    """What an undefined value is (NaN, nothing to count): never a pass."""

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits that are set, by check name, in the order of ``CHECKS``."""
        return {name: value for name in CHECKS if (value := getattr(self, name)) is not None}

    @property
    def levels(self) -> dict[str, float]:
        """Of these, the limits on the candidate's own value, which are plain numbers."""
        return {
            name: bound_of(limit).value for name, limit in self.limits.items() if is_level(name)
        }

    @property
    def selects(self) -> tuple[str, ...]:
        """The slice selectors as a tuple."""
        return (self.slices,) if isinstance(self.slices, str) else self.slices


class ModelSection(Section):
    """Where the models are: folders, relative to the policy file."""

    baseline: NamedPlace
    """A Hugging Face folder: config.json, model.safetensors, preprocessor or tokenizer files; or
    {onnx: FILE, ...}, {folder: FOLDER, classes: [...]}."""
    candidate: NamedPlace | None = None
    """A candidate made elsewhere, likewise; without it ``compress`` makes one."""
    initial: Place | None = None
    """The baseline's weights before training, for ``rewind: initial``."""
    early: Place | None = None
    """The baseline's weights early in training, for ``rewind: early``."""

    def source_of(self, role: Role) -> ModelSource | None:
        """What is said of a model; None: the policy does not name it."""
        named = self.baseline if role == "baseline" else self.candidate
        return ModelSource(folder=named) if isinstance(named, str) else named


class Revalidate(Section):
    """How long a decision holds."""

    after_days: Annotated[int, Strict(), Field(ge=1, le=3650)]
    """Days after which the candidate has to be judged anew: data and content move on."""


class Policy(Section):
    """A whole policy file, version 1."""

    prunegate: Literal[1]
    """Version of the policy language."""
    name: Name
    """Name of the policy: of its reports, and in the audit trail."""
    title: Text | None = None
    """What the report asks its question about, for people; absent: the name."""
    purpose: Text | None = None
    """What the model is for, in a sentence that the report shows."""
    owner: Text | None = None
    """Who answers for the policy."""
    task: Task
    slices: tuple[SliceSpec, ...] = ()
    """The slices that rules are about; absent: the whole table alone."""
    labels: dict[Text, dict[Text, Text]] = Field(default_factory=dict)
    """Names for people of slicing values, by slicing key."""
    words: Words = Words()
    """What rows and positives are called where people read."""
    report: ReportSection = ReportSection()
    """The report's language, and what of the data it may show."""
    group: Text | None = None
    """Column whose rows are not independent of each other (frames of one video, for example)."""
    weight: Text | None = None
    """Column of design weights, of a table that holds some rows more often than the world does:
    how many rows of the world each row stands for, or a number in proportion to that."""
    evidence: EvidenceSection = EvidenceSection()
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """What must hold; every limit of every rule is one finding for each of its slices."""
    model: ModelSection | None = None
    data: DataSection = DataSection()
    compress: tuple[Step, ...] = ()
    """The steps that make the candidate, in order."""
    search: SearchSection | None = None
    generate: Generate | None = None
    """How much language models write, to be timed (ttft_ms, tpot_ms) or rated (mean_quality)."""
    quality: Quality | None = None
    cost: Cost | None = None
    claims: ClaimsRule | None = None
    """Figures that somebody stated; contradictions are findings like any other."""
    revalidate: Revalidate | None = None
    """When the decision has to be taken anew; absent: no term is set."""
    approvals: Approvals | None = None
    """Who has to approve before the candidate ships; absent: the verdict alone decides."""
    waivers: Waivers | None = None
    """How far findings may be waived; absent: none may."""

    @field_validator("prunegate", mode="before")
    @classmethod
    def _one_and_not_true(cls, version: Any) -> Any:
        if isinstance(version, bool | float):  # true == 1 == 1.0 in Python
            raise ValueError("expected 1, the version of the policy language")  # noqa: TRY004 - pydantic turns only ValueError into a mistake
        return version

    @property
    def columns(self) -> Columns:
        """Names of the columns in the table that is judged."""
        return self.data.columns.told_apart

    @property
    def keys(self) -> tuple[str, ...]:
        """Every column that some slice needs, in the policy's order, each once."""
        named = [key for spec in self.slices for key in (*spec.keys, *(spec.where or {}))]
        return tuple(dict.fromkeys(named))

    def label_column(self, role: str, label: str, *, apart: bool = False) -> str:
        """A multilabel task's column for one label: ``label_hate``, ``candidate_hate``.

        ``apart``: as its own file calls it, where there are several files.
        """
        return f"{getattr(self.data.columns if apart else self.columns, role)}_{label}"

    def score_column(self, role: str, label: str, *, apart: bool = False) -> str:
        """A model's score of one label of a multilabel task: ``candidate_hate``, ``p_hate``."""
        prefix = self.data.scores.prefix if self.data.scores is not None else None
        if prefix is None or self.task.threshold is None:
            return self.label_column(role, label, apart=apart)
        return f"{prefix}{label}" if apart else f"{role}_{prefix}{label}"

    @property
    def intervals(self) -> dict[str, Intervals]:
        """The keys whose numbers or times are put into intervals, wherever the policy uses them."""
        return {spec.keys[0]: found for spec in self.slices if (found := spec.intervals)}

    @property
    def rows_of_steps(self) -> dict[int, Rows]:
        """The labelled rows that steps of ``compress`` look at, by the step's number from 1."""
        return {
            number: step.rows
            for number, step in enumerate(self.compress, start=1)
            if step.rows is not None
        }

    @property
    def redacted(self) -> frozenset[str]:
        """What of a row no report may show, as ``data: columns`` calls it."""
        own = {getattr(self.data.columns, role): role for role in REDACTABLE}
        return frozenset(own.get(name, name) for name in self.report.redact)

    def at_level(self, alpha: float) -> Policy:
        """The same policy with every test at another level than its own."""
        if alpha == self.evidence.alpha:
            return self
        confidence = 1 - alpha * self.evidence.looks
        evidence = self.evidence.model_copy(update={"confidence": confidence})
        return self.model_copy(update={"evidence": evidence})

    def document(self) -> dict[str, Any]:
        """Plain JSON values, places by their public names, no defaults: what the record keeps."""
        return self.model_dump(mode="json", exclude_unset=True, context=PUBLIC)
