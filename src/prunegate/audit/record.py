"""DecisionRecord: everything a verdict rests on, as one frozen value with one digest.

The record is the authority; the HTML, the summary and the JUnit file are views of it. Its bytes
are RFC 8785 canonical JSON (``canonical.py``), so that its sha256 names it for good. It holds no
absolute path and no environment variable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from prunegate.audit.control_record import Control
from prunegate.audit.expectations_record import RecordedExpectations
from prunegate.audit.labelling_record import RecordedLabelling
from prunegate.audit.opinion.agreement import SecondOpinion
from prunegate.audit.record_sentences import sentences_of
from prunegate.audit.search_record import Search
from prunegate.audit.tallied import Tallies
from prunegate.audit.written_texts import Generation, QualityScorer
from prunegate.claims.checked import Claims
from prunegate.cost.measurement import Measurements
from prunegate.cost.projection import Projection
from prunegate.discovery.discovered import DiscoveredSlice
from prunegate.predict.tuned_threshold import TunedThreshold
from prunegate.text.said import Phrase, phrases_in
from prunegate.verdict.finding import (
    ABSENT,
    Finding,
    Guarantee,
    Outcome,
    ProductionValue,
    ReferenceDoubt,
    SliceSummary,
    WarningFact,
)
from prunegate.verdict.gate_set_attempt import GateSetAttempt
from prunegate.verdict.waiver import Waiver

FORMAT = "urn:prunegate:record:v1"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """What computed the verdict."""

    name: str
    version: str
    python: str
    platform: str
    packages: dict[str, str]
    """Versions of the libraries that the result depends on."""


@dataclass(frozen=True, kw_only=True)
class PolicyRef:
    """The policy, by content."""

    name: str
    purpose: str | None
    owner: str | None
    sha256: str
    document: dict[str, Any]
    """The parsed policy, so that the verdict can be replayed from the record alone; a place outside
    its folder stands as its last name (``…/base``)."""
    sentences: tuple[str, ...]
    """Each rule in plain words."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file or frame that was judged."""

    role: str
    """predictions, or labels, baseline_predictions and candidate_predictions where these came in
    files of their own; data, measurements, claims, ..."""
    name: str
    """File name without folders, or the frame's kind."""
    sha256: str | None
    """None for a frame in memory."""
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Saturating:
    """That a quantized model computes otherwise on x86 processors without VNNI."""

    products: int
    """Eight-bit products of the model."""
    saturating: int
    """Of those, the ones whose sums can pass 16 bits there."""
    here: bool
    """Whether the predictions were made on such a processor."""
    rows: int | None = None
    """Rows that were scored a second time, without saturation; None: not done."""
    changed: int | None = None
    """Of those, rows whose decision changes; None: not done, or the task decides nothing."""


@dataclass(frozen=True, kw_only=True)
class ModelRef:
    """A model, by content."""

    name: str
    architecture: str
    digest: str
    """sha256 over the folder's files (JCS list of path, size, sha256)."""
    parameters: int
    model_bytes: int
    """As the gate itself would store it: each tied weight once, in the precision it has."""
    active_heads: int | None
    """None: nobody can tell."""
    saturating: Saturating | None = None
    """None: it computes the same eight-bit products on every processor, or has none."""
    zeros: int | None = field(default=None, metadata=ABSENT)
    """Weights that are zero; None: not counted."""
    bytes_found: int | None = field(default=None, metadata=ABSENT)
    """Bytes of its files, where those are others than ``model_bytes``."""
    precision: str | None = field(default=None, metadata=ABSENT)
    """What its weights are stored in; None: float32."""
    pickled: tuple[str, ...] | None = field(default=None, metadata=ABSENT)
    """Pickles that its weights were read from, by torch's weights_only reader; None: they were
    not."""


@dataclass(frozen=True, kw_only=True)
class NamedModel:
    """A model by content, where its predictions were judged and it was not run here."""

    role: str
    """baseline or candidate."""
    digest: str
    """As a ModelRef's."""
    source: Literal["predictions", "folder"]
    """Who says that it made the predictions: their own file, or the policy, whose folder was
    hashed."""


@dataclass(frozen=True, kw_only=True)
class Compression:
    """What was changed to make the candidate."""

    recipe: tuple[dict[str, Any], ...]
    """The steps as the policy spells them."""
    heads_before: tuple[int, ...]
    """Heads per layer of the baseline."""
    heads_kept: tuple[tuple[int, ...], ...]
    """Original indices of the heads kept, per layer."""
    head_share: tuple[tuple[float, ...], ...]
    """Each head's share of its layer's importance at the first ranking; empty: not ranked."""
    neurons_before: tuple[int, ...]
    neurons_kept: tuple[int, ...]
    """MLP neurons per layer before and after."""
    loss_first: float | None = None
    loss_last: float | None = None
    """Mean training loss of the first and last tenth of the fine-tuning steps."""
    summary: tuple[str, ...] = ()
    """What was done, one sentence a step."""
    layers_kept: tuple[int, ...] | None = None
    """Original indices of the layers kept; None: none was dropped, or there are none to drop."""
    filters_before: tuple[int, ...] = ()
    filters_kept: tuple[int, ...] = ()
    """Filters per group of convolutions before and after."""
    zeros: int | None = None
    """Weights that are zero in place; they are no saving by themselves. None: not done."""
    storage: str = "float32"
    """How the candidate is stored: float32, int8 (torch) or onnx."""


@dataclass(frozen=True, kw_only=True)
class Flip:
    """One row that the baseline got right and the candidate gets wrong (or the reverse)."""

    id: str
    slices: tuple[str, ...]
    """Names of the by-key slices that the row belongs to."""
    label: str
    baseline: float | str
    candidate: float | str
    """Scores (or 0/1 decisions), or the labels that the models chose."""
    lost: bool
    """True: the candidate is the one that is wrong, or worse."""
    image: str | None = None
    """Image path relative to the data's image folder."""
    text: str | None = None
    """The beginning of the text that was judged; of a document, of its reference."""
    class_label: str | None = field(default=None, metadata=ABSENT)
    """The one of several labels that the models decide differently; then ``label`` is that label
    where it is right, and ``not`` with it where it is not."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The git working directory that the policy lay in."""

    commit: str
    """Full object name of HEAD."""
    dirty: bool
    """Whether anything in the policy's folder differs from that commit."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar (rules on a gate set) that was sealed into the audit trail."""

    entry: str
    """sha256 of the entry."""
    sealed_at: str
    """UTC, ISO 8601, seconds, by the clock of who sealed it."""
    rules: str
    """sha256 of what decided in the policy that was sealed."""
    contents: str
    """sha256 of the gate set with its slicing values, as it was sealed."""
    before_predictions: bool | None = None
    """Whether that was before the predictions were made; None: when they were is not known."""
    at_most: int = 0
    """Findings of a verdict that the policy which was sealed lets be waived."""
    max_days: int = 0
    """For how many days."""
    looser: bool = False
    """Whether this verdict's policy lets more be waived, or for longer."""


@dataclass(frozen=True, kw_only=True)
class DecisionRecord:
    """One decision, whole."""

    format: str = FORMAT
    created: str
    """UTC, ISO 8601, seconds."""
    command: str
    """gate, run, search or demo."""
    seed: int | None = None
    tool: Tool
    policy: PolicyRef
    inputs: tuple[Input, ...]
    baseline: ModelRef | None = None
    candidate: ModelRef | None = None
    compression: Compression | None = None
    outcome: Outcome
    exit_code: int
    reasons: tuple[str, ...]
    statement: str
    findings: tuple[Finding, ...]
    slices: tuple[SliceSummary, ...]
    tallies: Tallies | None = None
    """What the slices' rows sum up to beyond their cells; None: the cells say it all."""
    flips: tuple[Flip, ...] = ()
    pictures: dict[str, str] = field(default_factory=dict)
    """sha256 of the picture that the report shows of a flip, by the flip's id."""
    generations: tuple[Generation, ...] = ()
    """A sample for people to read; nothing is judged by it."""
    control: Control | None = None
    search: Search | None = None
    discoveries: tuple[DiscoveredSlice, ...] = ()
    """Undeclared slices that lost beyond chance; advice, which changed nothing."""
    measurements: Measurements | None = None
    cost: Projection | None = None
    claims: Claims | None = None
    """Stated figures and what became of them; None: the policy states none."""
    warnings: tuple[str, ...] = ()
    allowed_losses: tuple[int, ...] | None = None
    """Places in ``warnings``, from 0, of those about a real loss that its limit allows; None: an
    earlier record, which does not say."""
    doubts: tuple[ReferenceDoubt, ...] = ()
    """Why a model's decisions may say little; shifts and orders of rows are taken on its word."""
    reference: Literal["required", "warn", "off"] | None = None
    """What was demanded of the baseline itself; None: an earlier record, where nobody looked."""
    warning_facts: tuple[WarningFact, ...] | None = None
    """What those of them are about that follow from rules, slices and claims; None: not said."""
    guarantee: Guarantee | None = None
    """What ``statement`` guarantees; None: nothing, as no blocking limit was tested, or an earlier
    record."""
    known_limits: tuple[str, ...] = ()
    """What this record does not show."""
    environment: dict[str, str] = field(default_factory=dict)
    attempt: GateSetAttempt | None = None
    """Which attempt on its gate set this is; None: nobody counted, or the engine cannot tell gate
    sets apart."""
    bar: Bar | None = None
    """The bar that was sealed for this gate set; None: none is known."""
    waivers: tuple[Waiver, ...] = ()
    """What waived findings were waived by, one for each; empty: nothing is waived."""
    second_opinion: SecondOpinion | None = None
    """None: the record was made without one."""
    workspace: Workspace | None = None
    """None: the policy lay in no git working directory, or git could not be asked."""
    revalidate_on: str | None = None
    """UTC date from which the decision has to be taken anew; None: the policy sets no term."""
    models: tuple[NamedModel, ...] = ()
    """Of the models that were not run here, those that are known by digest."""
    labelling: RecordedLabelling | None = None
    """What was labelled, where that was not every row; then a slice's cells count labelled rows."""
    counts_query: str | None = None
    """Fingerprint of the query that counted the rows elsewhere (``prunegate sql``); None: they were
    counted here, or the counts do not say how they were made."""
    ignored: dict[str, int] = field(default_factory=dict)
    """Rows that were left out, by the label that the policy ignores."""
    edges: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Of each key that is sliced by quantiles, the largest number of each part but the last."""
    tuned: TunedThreshold | None = field(default=None, metadata=ABSENT)
    """How the candidate's threshold was chosen; None: the policy gives it."""
    scorer: QualityScorer | None = field(default=None, metadata=ABSENT)
    """Who rated what both models wrote; None: nobody here."""
    production: tuple[ProductionValue, ...] | None = field(default=None, metadata=ABSENT)
    """What is judged overall, reweighted to production's mix; None: the policy declares none."""

    expectations: RecordedExpectations | None = field(default=None, metadata=ABSENT)
    """That the data met the policy's own expectations; None: it has none."""
    phrases: tuple[Phrase, ...] | None = field(default=None, metadata=ABSENT)
    """What those of its sentences say that have values in them, as facts; None: not said."""

    def __post_init__(self) -> None:
        """Keep what the sentences say that were made here."""
        found = (*(self.phrases or ()), *phrases_in(sentences_of(self)))
        kept = {(one.kind, repr(one.values)): one for one in found}
        object.__setattr__(self, "phrases", tuple(kept.values()) or None)

    def model_digest(self, role: str) -> str | None:
        """The digest of the baseline or candidate; None: it is not known."""
        ran: ModelRef | None = getattr(self, role)
        if ran is not None:
            return ran.digest
        return next((model.digest for model in self.models if model.role == role), None)
