"""Lineage: the models of a run as the record names them, and what made one of the other.

A candidate made elsewhere is described by its manifest, as far as the manifest goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.recipe_words import step_in_words
from prunegate.audit.record import Compression, ModelRef, Saturating
from prunegate.compress.steps import Candidate
from prunegate.models.kept_units import KeptUnits
from prunegate.models.load import LoadedModel
from prunegate.text.said import said


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
        summary=tuple(map(step_in_words, surgery.recipe)),
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
    return (said("warning.ancestor", baseline=wanted, other=found),)


def _layers(kept: KeptUnits, whole: KeptUnits) -> tuple[int, ...] | None:
    return kept.of("layers")[0] if kept.of("layers") != whole.of("layers") else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
