"""From a policy to a candidate and its predictions: everything that comes before ``gate``.

::

    labelled data -> contract -> compress -> candidate folder -> predict -> measure -> gate

The candidate that is judged is the one that was written to disk and loaded again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from prunegate.audit.assemble import Origin
from prunegate.audit.control_record import Control
from prunegate.audit.generations import excerpt
from prunegate.audit.lineage import compression_of, lineage_warnings, model_ref
from prunegate.audit.prediction_metadata import noted
from prunegate.audit.record import Input
from prunegate.audit.search_record import Search
from prunegate.audit.unpruned_control import control_of
from prunegate.audit.zero_weights import zero_warnings
from prunegate.compress.steps import Candidate
from prunegate.cost.measurements_file import write_measurements
from prunegate.data.labelled.rows import LabelledRows
from prunegate.data.labelled.thumbnails import thumbnail
from prunegate.discovery.advice import Advice, advice
from prunegate.gate import Decision, gate
from prunegate.models.load import LoadedModel
from prunegate.pipeline.context import Context, Scores, Settings, set_up
from prunegate.pipeline.pickled_weights import pickle_warnings
from prunegate.pipeline.tuning import require_tunable, with_tuned_threshold
from prunegate.policy.load import PolicyFile
from prunegate.report.embedded_record import digests_of
from prunegate.report.flips import blurred, pictures_shown
from prunegate.text.said import said

CANDIDATE = "candidate"
PREDICTIONS = "predictions.parquet"
MEASUREMENTS = "measurements.json"
EXCERPT = 200
"""Characters of a text that go with a flip."""


def run(source: PolicyFile, folder: Path, settings: Settings) -> Decision:
    """Make (or load) a candidate and judge it; candidate, predictions and figures stay in a folder.

    Args:
        source: a policy with ``model``, ``data: table`` and ``compress`` (or ``model: candidate``).
        folder: an existing, empty folder; the caller publishes it.
        settings: seed, device and the like.

    Raises:
        InputError: the policy lacks a section, the data break their contract (before a model is
            loaded), or a model cannot be used.
    """
    bench = set_up(source, settings)
    require_tunable(bench)
    if bench.policy.task.traits.estimated:  # a number beyond the range is told before hours of work
        bench.of_baseline()
    if source.policy.compress:
        made = bench.make(source.policy.compress, folder / CANDIDATE)
        return judge_candidate(bench, *made, folder)
    return judge_candidate(bench, bench.found(), None, folder)


def judge_candidate(
    bench: Context,
    candidate: LoadedModel,
    made: Candidate | None,
    folder: Path,
    search: Search | None = None,
) -> Decision:
    """Judge a candidate on the gate split; its predictions and figures stay in a folder.

    Args:
        bench: the models and data.
        candidate: as loaded from disk.
        made: how it was made; None where it was made elsewhere.
        folder: an existing folder; the caller publishes it.
        search: how it was chosen, where it was.
    """
    untuned = bench
    bench, tuned = with_tuned_threshold(bench, candidate)
    models = {"baseline": bench.baseline, "candidate": candidate}
    scores = {"baseline": bench.of_baseline(), "candidate": bench.score(candidate, "candidate")}
    named = {
        name: model_ref(model, name, bench.saturating(model, name, scores[name]))
        for name, model in models.items()
    }
    pq.write_table(noted(bench.predictions(scores), named), folder / PREDICTIONS)
    measurements = bench.measure(candidate)
    write_measurements(measurements, folder / MEASUREMENTS)
    generations = bench.generations(candidate)
    found = _undeclared(bench, folder / PREDICTIONS)
    made_of = {
        **named,
        "compression": compression_of(bench.baseline, candidate, made),
        "control": _control(bench, scores, untuned),
        "search": search,
        "discoveries": found.slices,
        "generations": generations,
        "tuned": tuned,
    }
    bench.require_unchanged()
    decision = gate(
        bench.source,
        folder / PREDICTIONS,
        measurements=measurements,
        origin=_origin(bench, made_of),
        ledger=bench.settings.ledger,
    )
    warned = _warned(bench, candidate, found, len(generations))
    return _illustrated(decision, bench.rows, warned)


def _undeclared(bench: Context, predictions: Path) -> Advice:
    """Slices that the policy does not declare and that lost."""
    stage, progress = "look for undeclared slices that lost", bench.settings.progress
    progress(stage, 0, 1)
    labelled = bench.source.folder / str(bench.policy.data.table)
    found = advice(bench.policy, labelled, predictions, bench.settings.seed)
    progress(stage, 1, 1)
    return found


def _origin(bench: Context, made: Mapping[str, Any]) -> Origin:
    """Where a verdict comes from: the command, the data, and what was made on the way."""
    rows, table, writing = bench.rows, bench.table, bench.writing
    return Origin(
        command=bench.settings.command,
        inputs=(Input(role="data", name=table.path.name, sha256=table.sha256, rows=len(rows)),),
        images=dict(zip(map(str, rows.ids), rows.images, strict=False)),
        texts=_excerpts(rows),
        expected=bench.checked.report.expected,
        made={
            "seed": bench.settings.seed,
            "scorer": None if writing is None else writing.told,
            **made,
        },
    )


def _warned(bench: Context, candidate: LoadedModel, found: Advice, written: int) -> tuple[str, ...]:
    """What is warned of: the data, both models, the look for slices, and what both wrote."""
    models = {"baseline": bench.baseline, "candidate": candidate}
    return (
        *bench.warnings,
        *pickle_warnings(bench, candidate),
        *lineage_warnings(bench.baseline, candidate),
        *zero_warnings(candidate),
        *candidate.warnings,
        *found.warnings,
        *_unwritten(bench, written),
        *(() if bench.writing is None else bench.writing.warnings(models)),
    )


def _control(bench: Context, scores: Scores, untuned: Context) -> Control | None:
    """The same fine-tuning with nothing removed; None where nothing is fine-tuned.

    Where the candidate's threshold is tuned, so is the control's, for itself.
    """
    if not bench.settings.control or not bench.policy.compress:
        return None
    model = bench.unpruned(bench.policy.compress)
    if model is None:
        return None
    own, _ = with_tuned_threshold(untuned, model)
    policies = {"candidate": bench.policy, "control": own.policy}
    return control_of(policies, bench.rows, {**scores, "control": bench.score(model, "control")})


def _unwritten(bench: Context, written: int) -> tuple[str, ...]:
    """A warning about documents of the sample that no model could begin to continue."""
    if bench.rows.reads != "documents":
        return ()
    asked = min(bench.settings.generations, len(bench.material.split("gate")))
    if written == asked:
        return ()
    return (said("warning.unwritten", n=asked - written, whole=asked),)


def _excerpts(rows: LabelledRows) -> dict[str, str]:
    """The beginning of each row's text; of a document, of its reference. None of images."""
    texts = rows.texts or rows.references
    return {
        str(name): excerpt(text, EXCERPT) for name, text in zip(rows.ids, texts, strict=bool(texts))
    }


def _illustrated(decision: Decision, rows: LabelledRows, warnings: tuple[str, ...]) -> Decision:
    """The decision with pictures of its flips, and with what the data and models warn of."""
    pictures = {
        flip.id: thumbnail(rows.folder / flip.image, blur=blurred(decision.record))
        for flip in decision.record.flips
        if flip.image is not None
    }
    told = (*decision.verdict.warnings, *warnings)
    shown = pictures_shown(decision.record, pictures)
    return replace(
        decision,
        verdict=replace(decision.verdict, warnings=told),
        record=replace(decision.record, warnings=told, pictures=digests_of(shown)),
        pictures=shown,
    )
