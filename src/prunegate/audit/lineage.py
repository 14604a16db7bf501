"""Lineage: the models of a run as the record names them, and what made one of the other.

A candidate made elsewhere is described by its manifest, as far as the manifest goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prunegate.audit.record import Compression, ModelRef, Saturating
from prunegate.compress.steps import Candidate
from prunegate.criteria import CRITERIA
from prunegate.models.kept_units import KeptUnits
from prunegate.models.load import LoadedModel
from prunegate.text.numbers import plain, share

_SCOPES = {
    "global": "over all layers together",
    "per_layer": "layer by layer",
    "budget": "within layers, of which each gave what loses least in sum",
}


def model_ref(model: LoadedModel, name: str, saturating: Saturating | None = None) -> ModelRef:
    """A model by content."""
    return ModelRef(
        name=name,
        architecture=model.family.architecture,
        digest=model.digest,
        parameters=model.parameters,
        model_bytes=model.model_bytes,
        active_heads=model.active_heads,
        saturating=saturating,
        zeros=model.zeros,
        bytes_found=None if model.bytes_found == model.model_bytes else model.bytes_found,
        precision=None if model.precision == "float32" else model.precision,
        pickled=model.pickled or None,
    )


def compression_of(
    baseline: LoadedModel, candidate: LoadedModel, made: Candidate | None
) -> Compression | None:
    """What was removed; None where the candidate was made elsewhere and has no manifest."""
    surgery = candidate.surgery
    if surgery is None:
        return None
    losses = made.losses[-1] if made is not None and made.losses else ()
    ranking = surgery.importance.get("heads")
    whole = baseline.family.whole(surgery.config)
    return Compression(
        recipe=tuple(dict(step) for step in surgery.recipe),
        heads_before=whole.counts("heads"),
        heads_kept=surgery.kept.of("heads"),
        head_share=tuple(tuple(s or 0.0 for s in layer) for layer in ranking.shares)
        if ranking
        else (),
        neurons_before=whole.counts("neurons"),
        neurons_kept=surgery.kept.counts("neurons"),
        layers_kept=_layers(surgery.kept, whole),
        filters_before=whole.counts("filters"),
        filters_kept=surgery.kept.counts("filters"),
        zeros=surgery.zeros,
        storage=surgery.storage.format,
        loss_first=_mean(losses[: max(1, len(losses) // 10)]),
        loss_last=_mean(losses[-max(1, len(losses) // 10) :]),
        summary=tuple(_sentence(step) for step in surgery.recipe),
    )


def lineage_warnings(baseline: LoadedModel, candidate: LoadedModel) -> tuple[str, ...]:
    """What is worth knowing where the candidate was not made of this baseline."""
    surgery = candidate.surgery
    ancestors = {baseline.digest, baseline.digest_with_papers}
    if baseline.surgery is not None:
        ancestors.add(baseline.surgery.baseline_digest)
    if surgery is None or surgery.baseline_digest in ancestors:
        return ()
    found, wanted = surgery.baseline_digest[:12], baseline.digest[:12]
    return (f"the candidate was not made of this baseline ({wanted}) but of {found}",)


def _layers(kept: KeptUnits, whole: KeptUnits) -> tuple[int, ...] | None:
    return kept.of("layers")[0] if kept.of("layers") != whole.of("layers") else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _sentence(step: Mapping[str, Any]) -> str:
    """One step in words; a step that another program wrote is spelled out as it stands."""
    try:
        return _in_words(step)
    except (KeyError, TypeError, ValueError):  # lacks what a sentence needs
        return ", ".join(f"{name}: {value}" for name, value in step.items())


def _in_words(step: Mapping[str, Any]) -> str:
    rows = f" on {step['rows']:,} rows ({step['data']})" if step.get("rows") else ""
    if step["step"] == "prune":
        return (
            _pruning_in_words(step, rows)
            + _plans_in_words(step)
            + _compensation_in_words(step, rows)
        )
    if step["step"] == "quantize":
        kind = {"dynamic": "dynamic", "static": "static", "weight_only": "weight-only"}
        scale = "channel" if step["per_channel"] else "tensor"
        return (
            f"Quantized to {step['to']} for {step['engine']}: {kind[step['kind']]}, one scale a "
            f"{scale}{rows}."
        )
    if step["step"] == "export":
        return f"Exported to {step['to'].upper()}."
    length = f"{step['steps']:,} steps" if "steps" in step else f"{step['epochs']:g} epochs"
    return (
        f"Fine-tuned for {length} of {step['batch_size']} rows at a learning rate of "
        f"{step['learning_rate']:g}{rows}.{_teacher_in_words(step)}"
    )


def _teacher_in_words(step: Mapping[str, Any]) -> str:
    """How much the teacher counted, and what the training bought on rows that it saw."""
    if "teacher" not in step:
        return ""
    numbers = "distance_before" in step
    softened = "" if numbers else f", temperature {step['temperature']:g}"
    taught = f" The {step['teacher']} was the teacher (weight {step['weight']:g}{softened})"
    if "measured_rows" not in step:
        return f"{taught}."
    what, unit = ("mean squared distance", "") if numbers else ("divergence", " nats")
    apart = [step[f"{'distance' if numbers else 'divergence'}_{w}"] for w in ("before", "after")]
    return (
        f"{taught}: on {step['measured_rows']:,} of these rows the loss went from "
        f"{_loss(step['loss_before'])} to {_loss(step['loss_after'])} and the {what} from the "
        f"teacher's answers from {_loss(apart[0])} to {_loss(apart[1])}{unit}."
        f"{_accuracy_in_words(step)}"
    )


def _loss(value: float) -> str:
    """Three places, or as many digits where these would all be zero."""
    return f"{value:.3f}" if not 0 < abs(value) < 0.001 else f"{value:.3g}"


def _compensation_in_words(step: Mapping[str, Any], rows: str) -> str:
    """What ridge regression did, and what it bought on the rows that it was fitted on."""
    if "compensate" not in step:
        return ""
    return (
        f" What stays was fitted to stand in for what went, by {step['compensate']} regression"
        f"{rows}: on {step['measured_rows']:,} of them the loss was {_loss(step['loss_before'])} "
        f"before, {_loss(step['loss_removed'])} with the units merely gone and "
        f"{_loss(step['loss_after'])} with the fit.{_accuracy_in_words(step, 'removed')}"
    )


def _plans_in_words(step: Mapping[str, Any]) -> str:
    """Which plan of a budget was kept, and what all lost after a short recovery."""
    if "plans" not in step:
        return ""
    losses = [_loss(plan["loss"]) for plan in step["plans"]]
    if len(losses) == 1:
        return " Within the budget there was one plan only."
    return (
        f" Of {len(losses)} plans, each recovered for {step['plan_steps']} batches, plan "
        f"{step['plan']} lost least on the rows of the ranking; in the order of what was expected "
        f"of them: {', '.join(losses)}."
    )


def _accuracy_in_words(step: Mapping[str, Any], between: str = "") -> str:
    whens = ("before", between, "after") if between else ("before", "after")
    shares = [step[f"accuracy_{when}"] for when in whens if f"accuracy_{when}" in step]
    return (
        f" Accuracy, in that order: {', '.join(plain(share(s)) for s in shares)}." if shares else ""
    )


def _pruning_in_words(step: Mapping[str, Any], rows: str) -> str:
    scope = _SCOPES[step["scope"]]
    known = CRITERIA.get(step["criterion"])
    ranked = f"ranked by {step['criterion']}{rows if known is None or known.looks_at_rows else ''}"
    cycle = f" (cycle {step['cycle']} of {step['cycles']})" if "cycle" in step else ""
    rewound = f" The rest went back to its {step['rewind']} weights." if "rewind" in step else ""
    if step["what"] == "2:4":
        return f"Set {step['removed']:,} weights to zero, two of every four, {ranked}.{rewound}"
    if step["what"] == "weights":
        done = f"Set {step['removed']:,} weights to zero{cycle}"
        return f"{done}, {ranked} {scope}.{rewound}"
    units = step["what"] if step["removed"] != 1 else step["what"].removesuffix("s")
    done = f"Removed {step['removed']:,} {units}{cycle}, {ranked}"
    if step["what"] == "layers":
        return f"{done}; at least {step['min_per_layer']} stay.{rewound}"
    return f"{done} {scope}; at least {step['min_per_layer']} stay in each layer.{rewound}"
