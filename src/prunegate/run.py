"""From a policy to a candidate and its predictions: everything that comes before ``gate``.

::

    labelled data -> contract -> compress -> candidate folder -> predict -> measure -> gate

The candidate that is judged is the one that was written to disk and loaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prunegate.audit.assemble import Origin
from prunegate.audit.control import control_of
from prunegate.audit.lineage import compression_of, lineage_warnings, model_ref
from prunegate.audit.record import Control, Input
from prunegate.compress.from_policy import stage_in_words, steps_of
from prunegate.compress.recipe import Candidate, Step, compress, without_pruning
from prunegate.cost.measure import describe, figures, measure
from prunegate.cost.measurement import Measurements, ModelFigures
from prunegate.cost.measurements_file import write_measurements
from prunegate.data.checked import check_rows
from prunegate.data.hashing import hash_files, require_unchanged
from prunegate.data.labelled_rows import LabelledRows
from prunegate.data.thumbnails import thumbnail
from prunegate.errors import InputError, UnsupportedError
from prunegate.gate import Decision, gate
from prunegate.models.save import save_candidate
from prunegate.models.store import LoadedModel, load_candidate, load_model
from prunegate.policy.load import PolicyFile
from prunegate.policy.model import Policy
from prunegate.policy.model import Step as PolicyStep
from prunegate.predict.classify import positive_scores
from prunegate.predict.material import Material, classes_of, prepare
from prunegate.predict.table import write_predictions

Progress = Callable[[str, int, int], None]

CANDIDATE = "candidate"
PREDICTIONS = "predictions.parquet"
MEASUREMENTS = "measurements.json"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is carried out; none of it is policy."""

    seed: int = 0
    device: str = "cpu"
    batch: int = 1
    """Images per timed call."""
    seconds: float = 10.0
    """About how long to time."""
    control: bool = True
    """Also make the unpruned control, where the recipe fine-tunes."""
    command: str = "run"
    progress: Progress = lambda _stage, _done, _total: None


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
    policy = source.policy
    _require_sections(policy)
    table = hash_files([source.folder / str(policy.data.table)])[0]
    checked = check_rows(policy, source.folder, settings.progress)
    checked.report.require()
    rows, hashes = checked.rows, checked.hashes
    baseline = load_model(source.folder / policy.model.baseline)  # type: ignore[union-attr]  # required above
    classes = classes_of(policy, baseline.config)
    settings.progress("read the images", 0, 1)
    material = prepare(policy, rows, hashes, baseline.preprocessor, classes)
    settings.progress("read the images", 1, 1)
    candidate, made = _candidate(source, baseline, material, folder, settings)
    scores = {
        name: _score(model, policy, material, name, settings)
        for name, model in (("baseline", baseline), ("candidate", candidate))
    }
    write_predictions(folder / PREDICTIONS, policy, rows, scores)
    measurements = _measured(baseline, candidate, material, folder, settings)
    origin = Origin(
        command=settings.command,
        inputs=(Input(role="data", name=table.path.name, sha256=table.sha256, rows=len(rows)),),
        images={str(name): image for name, image in zip(rows.ids, rows.images, strict=True)},
        made={
            "seed": settings.seed,
            "baseline": model_ref(baseline, "baseline"),
            "candidate": model_ref(candidate, "candidate"),
            "compression": compression_of(baseline, candidate, made),
            "control": _control(policy, baseline, material, scores, settings),
        },
    )
    require_unchanged([table, *hashes])  # the record names them by content
    decision = gate(source, folder / PREDICTIONS, measurements=measurements, origin=origin)
    return _illustrated(
        decision, rows, (*checked.report.warnings, *lineage_warnings(baseline, candidate))
    )


def _require_sections(policy: Policy) -> None:
    if policy.task.kind != "binary":
        raise UnsupportedError(
            f"'run' judges image classifiers on a binary task, not on a {policy.task.kind} one; "
            "make the predictions yourself and judge them with 'prunegate gate'"
        )
    if policy.group is not None:
        raise UnsupportedError(
            "'run' does not read the group column of the labelled data; judge the predictions with "
            "'prunegate gate'"
        )
    missing = [
        need
        for need, there in {
            "model: {baseline: FOLDER}": policy.model is not None,
            "data: {table: FILE}": policy.data.table is not None,
            "task: {threshold: 0.5}": policy.task.threshold is not None,
            "compress: [...] or model: {candidate: FOLDER}": bool(policy.compress)
            or (policy.model is not None and policy.model.candidate is not None),
        }.items()
        if not there
    ]
    if missing:
        raise InputError(
            f"the policy lacks what a run needs: {'; '.join(missing)}. To judge predictions that "
            "exist already, use 'prunegate gate'"
        )


def _candidate(
    source: PolicyFile, baseline: LoadedModel, material: Material, folder: Path, settings: Settings
) -> tuple[LoadedModel, Candidate | None]:
    model = source.policy.model
    if model is not None and model.candidate is not None:
        found = load_model(source.folder / model.candidate)
        if found.preprocessor != baseline.preprocessor:
            raise UnsupportedError(
                "the candidate's preprocessor_config.json differs from the baseline's; give both "
                "the same, or judge their predictions with 'prunegate gate'"
            )
        classes_of(source.policy, found.config)
        return found, None
    made = compress(
        baseline,
        _steps(source.policy, material, settings),
        seed=settings.seed,
        device=settings.device,
        progress=_told(source.policy.compress, "candidate", settings),
    )
    save_candidate(made.module, made.surgery, folder / CANDIDATE, baseline.folder)
    return load_candidate(folder / CANDIDATE), made


def _steps(policy: Policy, material: Material, settings: Settings) -> tuple[Step, ...]:
    return steps_of(policy.compress, lambda wanted: material.examples(wanted, settings.seed))


def _told(section: Sequence[PolicyStep], model: str, settings: Settings) -> Progress:
    """Progress of a recipe in plain words."""
    return lambda stage, done, total: settings.progress(
        stage_in_words(section, stage, model), done, total
    )


def _score(
    model: LoadedModel, policy: Policy, material: Material, name: str, settings: Settings
) -> NDArray[np.float64]:
    """Scores on the gate split; each model's own config says which class is the positive one."""
    return positive_scores(
        model.module,
        material.split("gate"),
        classes_of(policy, model.config).positive,
        device=settings.device,
        progress=lambda _stage, done, total: settings.progress(
            f"score with the {name}", done, total
        ),
    )


def _control(
    policy: Policy,
    baseline: LoadedModel,
    material: Material,
    scores: Mapping[str, NDArray[np.float64]],
    settings: Settings,
) -> Control | None:
    """The same fine-tuning with nothing removed; None where nothing is fine-tuned."""
    if not settings.control or not policy.compress:
        return None
    steps = without_pruning(_steps(policy, material, settings))
    if not steps:
        return None
    made = compress(
        baseline,
        steps,
        seed=settings.seed,
        device=settings.device,
        progress=_told([s for s in policy.compress if s.finetune], "control", settings),
    )
    model = replace(baseline, module=made.module)
    control = _score(model, policy, material, "control", settings)
    return control_of(policy, material.rows, {**scores, "control": control})


def _measured(
    baseline: LoadedModel,
    candidate: LoadedModel,
    material: Material,
    folder: Path,
    settings: Settings,
) -> Measurements:
    images = material.split("gate")
    timed = measure(
        baseline.module.to(settings.device),
        candidate.module.to(settings.device),
        images.pixel_values(np.arange(settings.batch) % len(images)).to(settings.device),
        batch=settings.batch,
        seconds=settings.seconds,
        progress=lambda _stage, done, total: settings.progress("time both models", done, total),
    )
    measurements = describe(timed, baseline=_counted(baseline), candidate=_counted(candidate))
    write_measurements(measurements, folder / MEASUREMENTS)
    return measurements


def _counted(model: LoadedModel) -> ModelFigures:
    return figures(
        digest=model.digest,
        model_bytes=model.model_bytes,
        parameters=model.parameters,
        active_heads=model.active_heads,
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
