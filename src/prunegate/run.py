"""From a policy to a candidate and its predictions: everything that comes before ``gate``.

::

    labelled data -> contract -> compress -> candidate folder -> predict -> measure -> gate

The candidate that is judged is the one that was written to disk and loaded again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from prunegate.audit.assemble import Origin
from prunegate.audit.control import control_of
from prunegate.audit.lineage import compression_of, lineage_warnings, model_ref
from prunegate.audit.record import Control, Input, Search
from prunegate.compress.recipe import Candidate
from prunegate.cost.measurements_file import write_measurements
from prunegate.data.labelled_rows import LabelledRows
from prunegate.data.thumbnails import thumbnail
from prunegate.evaluation.advice import advice
from prunegate.gate import Decision, gate
from prunegate.models.store import LoadedModel
from prunegate.policy.load import PolicyFile
from prunegate.workbench import Scores, Settings, Workbench, set_up

CANDIDATE = "candidate"
PREDICTIONS = "predictions.parquet"
MEASUREMENTS = "measurements.json"


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
    if source.policy.compress:
        return decide(bench, *bench.make(source.policy.compress, folder / CANDIDATE), folder)
    return decide(bench, bench.found(), None, folder)


def decide(
    bench: Workbench,
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
    source, settings = bench.source, bench.settings
    scores = {
        name: bench.score(model, name)
        for name, model in (("baseline", bench.baseline), ("candidate", candidate))
    }
    pq.write_table(bench.predictions(scores), folder / PREDICTIONS)
    measurements = bench.measure(candidate)
    write_measurements(measurements, folder / MEASUREMENTS)
    settings.progress("look for undeclared slices that lost", 0, 1)
    labelled = source.folder / str(bench.policy.data.table)
    told = advice(bench.policy, labelled, folder / PREDICTIONS, settings.seed)
    settings.progress("look for undeclared slices that lost", 1, 1)
    rows, table = bench.rows, bench.table
    origin = Origin(
        command=settings.command,
        inputs=(Input(role="data", name=table.path.name, sha256=table.sha256, rows=len(rows)),),
        images={str(name): image for name, image in zip(rows.ids, rows.images, strict=True)},
        made={
            "seed": settings.seed,
            "baseline": model_ref(bench.baseline, "baseline"),
            "candidate": model_ref(candidate, "candidate"),
            "compression": compression_of(bench.baseline, candidate, made),
            "control": _control(bench, scores),
            "search": search,
            "discoveries": told.slices,
        },
    )
    bench.require_unchanged()
    decision = gate(source, folder / PREDICTIONS, measurements=measurements, origin=origin)
    warned = (*bench.warnings, *lineage_warnings(bench.baseline, candidate), *told.warnings)
    return _illustrated(decision, rows, warned)


def _control(bench: Workbench, scores: Scores) -> Control | None:
    """The same fine-tuning with nothing removed; None where nothing is fine-tuned."""
    if not bench.settings.control or not bench.policy.compress:
        return None
    model = bench.unpruned(bench.policy.compress)
    if model is None:
        return None
    return control_of(
        bench.policy, bench.rows, {**scores, "control": bench.score(model, "control")}
    )


def _illustrated(decision: Decision, rows: LabelledRows, warnings: tuple[str, ...]) -> Decision:
    """The decision with pictures of its flips, and with what the data and models warn of."""
    image = dict(zip(rows.ids, rows.images, strict=True))
    pictures = {flip.id: thumbnail(rows.folder / image[flip.id]) for flip in decision.record.flips}
    told = (*decision.verdict.warnings, *warnings)
    return replace(
        decision,
        verdict=replace(decision.verdict, warnings=told),
        record=replace(decision.record, warnings=told),
        pictures=pictures,
    )
