"""Directions: for every field of a policy, which way its values go from loose to tight.

One entry per field; a test derives the fields from the model, so that a new one cannot be added
without saying its direction. A direction gets the old value, the new one and both policies, and
says which way it went. The law: if no change is loosened, whatever the new policy approves the old
one would have approved. A field of unknown direction is never neutral: its change is loosened,
because it cannot be told.

Numbers are compared exactly: a policy's numbers are the doubles nearest to what is written, and
the order of those is the order of the decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from prunegate.metrics.catalogue import priced
from prunegate.metrics.checks import CHECKS
from prunegate.policy import approvals, billing, cost, people, steps, waivers
from prunegate.policy import claims as stated
from prunegate.policy.change import ChangeDirection, comparable_text
from prunegate.policy.data_section import Columns, DataSection, ScoresSection
from prunegate.policy.expectation_arguments import QuantileRanges
from prunegate.policy.expectations import Expectation
from prunegate.policy.generate import Generate
from prunegate.policy.model_source import ModelSource
from prunegate.policy.quality import Quality
from prunegate.policy.schema import (
    ErrorRatio,
    EvidenceSection,
    Minimum,
    ModelSection,
    Policy,
    Relative,
    Revalidate,
    Rule,
    SliceSpec,
)
from prunegate.policy.section import Section
from prunegate.policy.task import Task, Thresholds, Tune


@dataclass(frozen=True, kw_only=True)
class Both:
    """The two policies that are compared."""

    old: Policy
    new: Policy


@dataclass(frozen=True, kw_only=True)
class Move:
    """One value in both policies; some directions depend on what else the policies say."""

    old: Any
    new: Any
    both: Both


Direction = Callable[[Move], ChangeDirection]


def untold(because: str) -> Direction:
    """Nobody can tell without the data whether the change lets more pass."""
    return lambda _: ChangeDirection(kind="loosened", because=because, told=False)


def neutral(because: str) -> Direction:
    """The change cannot turn any verdict."""
    return lambda _: ChangeDirection(kind="neutral", because=because)


def _tighter(yes: bool, because: str) -> ChangeDirection:
    return ChangeDirection(kind="tightened" if yes else "loosened", because=because)


def higher_is_tighter(move: Move) -> ChangeDirection:
    """A number that is tighter where it is higher."""
    return _number(move.old, move.new, up=True)


def lower_is_tighter(move: Move) -> ChangeDirection:
    """A number that is tighter where it is lower."""
    return _number(move.old, move.new, up=False)


def _number(old: Any, new: Any, *, up: bool) -> ChangeDirection:
    """Limits in the same form are compared; which of two forms is stricter depends on the data."""
    if type(old) is not type(new):
        return ChangeDirection(kind="loosened", because="form", told=False)
    a, b = _bare(old), _bare(new)
    return (
        ChangeDirection(kind="neutral", because="same")
        if a == b
        else _tighter((b > a) == up, "number")
    )


def _bare(limit: Any) -> Any:
    if isinstance(limit, Relative):
        return limit.relative
    return limit.error_ratio if isinstance(limit, ErrorRatio) else limit


def ordered(*values: Any) -> Direction:
    """Values that go from loose to tight, the loosest first."""
    return lambda move: _tighter(values.index(move.new) > values.index(move.old), "order")


def present(move: Move) -> ChangeDirection:
    """Something that is demanded where it is there; in one of the policies it is not."""
    return _there(move, "added", "removed")


def _allowed(move: Move) -> ChangeDirection:
    """Something that lets more pass where it is there; in one of the policies it is not."""
    return _tighter(move.new is None, "waivable" if move.old is None else "not_waivable")


def _expected(move: Move) -> ChangeDirection:
    return _there(move, "expected", "not_expected")


def _there(move: Move, added: str, removed: str) -> ChangeDirection:
    return _tighter(move.old is None, added if move.old is None else removed)


def _fewest(move: Move) -> ChangeDirection:
    """More evidence is tighter, but slices that nobody declared are not judged below it."""
    both = move.both
    if move.new > move.old and any(map(_judges_the_undeclared, (both.old, both.new))):
        return ChangeDirection(kind="loosened", because="undeclared_slices", told=False)
    return higher_is_tighter(move)


def _judges_the_undeclared(policy: Policy) -> bool:
    slicings = {spec.label for spec in policy.slices if spec.keys}
    selected = {selector for rule in policy.rules for selector in rule.selects}
    return bool(slicings) and ("all" in selected or not slicings.isdisjoint(selected))


def _classes(move: Move) -> ChangeDirection:
    if sorted(map(comparable_text, move.old)) == sorted(map(comparable_text, move.new)):
        return ChangeDirection(kind="neutral", because="reordered")
    return ChangeDirection(kind="loosened", because="task", told=False)


def _money(move: Move) -> ChangeDirection:
    """Prices and volumes decide the figures of money, where any are limited or stated."""
    policies = (move.both.old, move.both.new)
    limited = any(rule.metric in priced() for policy in policies for rule in policy.rules)
    if limited or any(policy.claims for policy in policies):
        return ChangeDirection(kind="loosened", because="money", told=False)
    return ChangeDirection(kind="neutral", because="no_money_rule")


def _search_confidence(move: Move) -> ChangeDirection:
    """Where none is given, an attempt has to be as sure as the gate."""
    both = move.both
    old = both.old.evidence.confidence if move.old is None else move.old
    new = both.new.evidence.confidence if move.new is None else move.new
    return higher_is_tighter(Move(old=old, new=new, both=both))


def _term(move: Move) -> ChangeDirection:
    """A shorter term is tighter, and so is a term where there was none."""
    return (
        _there(move, "added", "removed") if None in (move.old, move.new) else lower_is_tighter(move)
    )


def _claims_file(move: Move) -> ChangeDirection:
    """Where the figures have been read from the file, they are compared themselves."""
    claims = (move.both.old.claims, move.both.new.claims)
    if any(one is None or one.figures is None for one in claims):
        return ChangeDirection(kind="loosened", because="claims", told=False)
    return ChangeDirection(kind="neutral", because="place")


APART = untold("undeclared")
"""Compared by what it is about, not by its place: rules, slices, and what makes them themselves."""
_TASK, _DATA, _BASELINE = untold("task"), untold("data"), untold("baseline")
_CLAIMS, _WORDS, _MAKING = untold("claims"), neutral("words"), neutral("making")


def _all(section: type[Section], direction: Direction) -> dict[str, Direction]:
    """One direction for the fields that are named here in the table."""
    return dict.fromkeys(_FIELDS[section].split(), direction)


_FIELDS: dict[type[Section], str] = {
    people.Words: "positive items",
    people.ReportSection: "language examples blur redact",
    Columns: (
        "id label baseline candidate image text prompt reference split tokens baseline_quality "
        "candidate_quality"
    ),
    Quality: "scorer output activation range with_prompt",
    steps.Rows: "split where limit",
    steps.ShareBelow: "share_below",
    steps.Keep: "keep",
    steps.Prune: "what criterion amount scope min_per_layer plans cycles rewind compensate data",
    steps.Finetune: (
        "epochs steps learning_rate batch_size weight_decay flips teacher weight temperature "
        "split data"
    ),
    steps.Quantize: "to kind engine per_channel embeddings data",
    steps.Step: "prune finetune quantize export",
    steps.Vary: "step amount",
    steps.SearchControl: "draws scope",
    billing.Prices: "baseline candidate",
    billing.TierPrices: "baseline candidate",
    billing.TokenPrices: "input output",
    billing.TokenPricesByModel: "baseline candidate",
    billing.TokensByDirection: "input output",
    billing.MachinePrices: "baseline candidate",
    billing.Seconds: "baseline candidate",
    billing.Reserved: "count per_hour upfront term_months",
    billing.ReservedByModel: "baseline candidate",
    billing.Instance: "per_hour utilisation minimum max_latency_ms reserved",
    billing.Tier: "up_to per_inference per_1k_tokens per_second",
    billing.Billing: (
        "per_inference instance tiers per_1k_tokens per_second tokens_per_inference "
        "seconds_per_inference other_inferences discount minimum_per_month"
    ),
    cost.Volumes: "now target months growth low high",
    cost.VolumeTable: "now by_month low high",
    cost.Cost: "currency billing volumes one_off",
    stated.StatedModel: "architecture config labels",
    stated.StatedChange: "before after change times",
    stated.StatedMetric: "before after change times name slice rounded",
    stated.StatedCost: "before after change times",
    stated.StatedTime: "before after change times",
    stated.StatedSize: "before after change times",
    stated.StatedHeads: "before after removed layers per_layer removed_per_layer kept_per_layer",
    stated.StatedCounts: "before after removed",
    stated.StatedMonth: "volume before after saving",
    stated.Stated: (
        "about model metrics heads neurons layers parameters flops size latency throughput price "
        "time_to_first_token time_per_token "
        "monthly"
    ),
}
"""Sections whose fields all have one direction. They are spelled out, not taken from the model: a
field that is new there would else get a direction that nobody thought about."""


def _alike(module: Any, direction: Direction) -> dict[type[Section], dict[str, Direction]]:
    own = [section for section in _FIELDS if section.__module__ == module.__name__]
    return {section: _all(section, direction) for section in own}


def _wholes(*found: Any) -> dict[type[Section], dict[str, Direction]]:
    """Sections that are compared as wholes, so that a field that is new there is, too."""
    sections = [one for one in found if isinstance(one, type) and issubclass(one, Section)]
    return {one: dict.fromkeys(one.model_fields, APART) for one in sections}


DIRECTIONS: Mapping[type[Section], Mapping[str, Direction]] = {
    Policy: {
        "prunegate": untold("language"),
        "name": _WORDS,
        "title": _WORDS,
        "purpose": _WORDS,
        "labels": _WORDS,
        "words": _WORDS,
        "report": _WORDS,
        "owner": _WORDS,
        "task": _TASK,
        "slices": APART,
        "group": untold("group"),
        "weight": untold("weight"),
        "generate": untold("generate"),
        "quality": untold("quality"),
        "evidence": untold("undeclared"),
        "rules": APART,
        "model": _BASELINE,
        "data": _DATA,
        "compress": _MAKING,
        "search": _MAKING,
        "cost": _money,
        "claims": present,
        "revalidate": present,
        "approvals": present,
        "waivers": _allowed,
    },
    **_alike(people, _WORDS),
    waivers.Waivers: {"max_days": lower_is_tighter, "at_most": lower_is_tighter},
    Revalidate: {"after_days": lower_is_tighter},
    Generate: dict.fromkeys(("new_tokens", "prompt_tokens"), untold("generate")),
    Quality: _all(Quality, untold("quality")),
    Task: {
        "kind": _TASK,
        "positive": _TASK,
        "threshold": _TASK,
        "classes": _classes,
        "labels": _classes,
        "range": untold("range"),
        "tune": _TASK,
        "ignore": untold("undeclared"),
    },
    Thresholds: {"baseline": _TASK, "candidate": _TASK, "found": _TASK},
    Tune: {"match": _TASK},
    SliceSpec: {
        "by": APART,
        "name": APART,
        "where": untold("where"),
        "expect": _expected,
        **dict.fromkeys(("bins", "quantiles", "every"), untold("where")),
    },
    EvidenceSection: {
        "confidence": higher_is_tighter,
        "minimum": untold("undeclared"),
        "strict": ordered(False, True),
        "reuse": ordered("none", "ledger", "strict"),
        "reference": ordered("off", "warn", "required"),
        "looks": untold("undeclared"),
    },
    Minimum: {"rows": _fewest, "positives": _fewest},
    Rule: {
        "metric": APART,
        "slices": APART,
        "classes": APART,
        "k": untold("undeclared"),
        "at": untold("undeclared"),
        **{
            name: higher_is_tighter if c.tighter == "higher" else lower_is_tighter
            for name, c in CHECKS.items()
        },
        "evidence": ordered("point", "proven"),
        "severity": ordered("warn", "block"),
        "on_undefined": ordered("inconclusive", "fail"),
    },
    Relative: {"relative": APART},
    ErrorRatio: {"error_ratio": APART},
    ModelSection: {
        "baseline": _BASELINE,
        "candidate": neutral("candidate"),
        "initial": _MAKING,
        "early": _MAKING,
    },
    ModelSource: dict.fromkeys(
        ("folder", "onnx", "classes", "activation", "inputs", "layout", "channels", "output"),
        _BASELINE,
    ),
    DataSection: {
        "table": _DATA,
        "images": _DATA,
        "columns": _DATA,
        "scores": _DATA,
        "production": untold("production"),
        "tolerance": _term,
        "expect": APART,
    },
    ScoresSection: dict.fromkeys(("prefix", "activation", "classes"), _DATA),
    Columns: _all(Columns, _DATA),
    steps.SearchSection: {
        **dict.fromkeys(("objective", "vary", "attempts", "tolerance", "control"), _MAKING),
        "confidence": _search_confidence,
    },
    stated.ClaimsRule: {
        "file": _claims_file,
        "figures": _CLAIMS,
        "severity": ordered("warn", "block"),
    },
    approvals.Approvals: {
        "required": present,
        "distinct": untold("undeclared"),
        "max_age_days": _term,
        "attested": ordered("count", "refuse"),
    },
    **_wholes(
        Expectation,
        QuantileRanges,
        *(part for one in Expectation.model_fields.values() for part in get_args(one.annotation)),
    ),
    approvals.Required: {"role": untold("undeclared"), "count": higher_is_tighter},
    **_alike(steps, _MAKING),
    **_alike(billing, _money),
    **_alike(cost, _money),
    **_alike(stated, _CLAIMS),
}
"""The direction of every field, by the section that has it."""


def direction_of(section: type[Section], field: str) -> Direction:
    """The declared direction; a field without one cannot be told, which is never neutral."""
    return DIRECTIONS.get(section, {}).get(field, untold("undeclared"))
