"""The workbench: a policy's models and labelled data, ready to be worked on.

``run``, ``compress``, ``importance`` and ``search`` start here: the data contract is checked before
a model is loaded, images or texts are read once, and every candidate is made, scored and timed in
the same way. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.audit.provenance import now
from prunegate.compress.from_policy import stage_in_words, steps_of
from prunegate.compress.recipe import Candidate, Step, compress
from prunegate.cost.measure import describe, figures, measure
from prunegate.cost.measurement import Measurements, ModelFigures
from prunegate.data.checked import check_rows
from prunegate.data.hashing import FileHash, hash_files, require_unchanged
from prunegate.data.labelled_rows import LabelledRows
from prunegate.errors import InputError, UnsupportedError
from prunegate.models.save import save_candidate
from prunegate.models.store import LoadedModel, load_candidate, load_model
from prunegate.policy.load import PolicyFile
from prunegate.policy.model import Policy
from prunegate.policy.recipe import Split
from prunegate.policy.recipe import Step as PolicyStep
from prunegate.predict.classify import positive_scores
from prunegate.predict.material import Material, classes_of, prepare
from prunegate.predict.table import predictions

Progress = Callable[[str, int, int], None]
Scores = Mapping[str, NDArray[np.float64]]
"""Columns of the predictions table, by the model's name: baseline, candidate."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is carried out; none of it is policy."""

    seed: int = 0
    device: str = "cpu"
    batch: int = 1
    """Rows per timed call."""
    seconds: float = 10.0
    """About how long to time."""
    control: bool = True
    """Also make the unpruned control, where the recipe fine-tunes."""
    command: str = "run"
    progress: Progress = lambda _stage, _done, _total: None


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """A baseline and its labelled data."""

    source: PolicyFile
    settings: Settings
    table: FileHash
    """The labelled table, by content."""
    hashes: tuple[FileHash, ...]
    """Of each row's image; empty for texts."""
    material: Material
    baseline: LoadedModel
    warnings: tuple[str, ...]
    """Of the data contract."""

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self.source.policy

    @property
    def rows(self) -> LabelledRows:
        """The labelled rows of every split."""
        return self.material.rows

    def steps(self, section: Sequence[PolicyStep]) -> tuple[Step, ...]:
        """Steps of a policy with the rows that they ask for."""
        return steps_of(section, lambda wanted: self.material.examples(wanted, self.settings.seed))

    def make(self, section: Sequence[PolicyStep], folder: Path) -> tuple[LoadedModel, Candidate]:
        """Make a candidate, save it in ``folder`` (new) and load it again."""
        made = compress(
            self.baseline,
            self.steps(section),
            seed=self.settings.seed,
            device=self.settings.device,
            progress=self.told(section, "candidate"),
        )
        save_candidate(made.module, made.surgery, folder, self.baseline.folder)
        return load_candidate(folder), made

    def found(self) -> LoadedModel:
        """Load the candidate that the policy names, made elsewhere."""
        named = self.policy.model.candidate if self.policy.model else None
        if named is None:
            raise InputError("the policy names no candidate; add 'model: {candidate: FOLDER}'")
        found = load_model(self.source.folder / named)
        if found.preprocessor != self.baseline.preprocessor:
            raise UnsupportedError(
                "the candidate's preprocessor_config.json differs from the baseline's; give both "
                "the same, or judge their predictions with 'prunegate gate'"
            )
        classes_of(self.policy, found.config)
        return found

    def unpruned(self, section: Sequence[PolicyStep]) -> LoadedModel | None:
        """The baseline after the section's fine-tuning alone; None where nothing is fine-tuned."""
        training = [step for step in section if step.finetune]
        if not training:
            return None
        made = compress(
            self.baseline,
            self.steps(training),
            seed=self.settings.seed,
            device=self.settings.device,
            progress=self.told(training, "control"),
        )
        return replace(self.baseline, module=made.module)

    def score(self, model: LoadedModel, name: str, split: Split = "gate") -> NDArray[np.float64]:
        """Scores of a split, float64 [rows]; each model's config says which class is positive."""
        return positive_scores(
            model.module,
            self.material.split(split),
            classes_of(self.policy, model.config).positive,
            device=self.settings.device,
            progress=lambda _stage, done, total: self.settings.progress(
                f"score with the {name}", done, total
            ),
        )

    def predictions(self, scores: Scores, split: Split = "gate") -> pa.Table:
        """The predictions table of a split: what ``gate`` and ``judge`` read."""
        return predictions(self.policy, self.rows, scores, split)

    def measure(self, candidate: LoadedModel, split: Split = "gate") -> Measurements:
        """Time baseline and candidate, interleaved, on rows of a split."""
        images, settings = self.material.split(split), self.settings
        timed = measure(
            self.baseline.module.to(settings.device),
            candidate.module.to(settings.device),
            images.pixel_values(np.arange(settings.batch) % len(images)).to(settings.device),
            batch=settings.batch,
            seconds=settings.seconds,
            progress=lambda _stage, done, total: settings.progress("time both models", done, total),
        )
        return describe(timed, baseline=_counted(self.baseline), candidate=_counted(candidate))

    def counted(self, candidate: LoadedModel) -> Measurements:
        """What is counted about both models, with nothing timed."""
        return Measurements(
            created=now(),
            engine="not timed",
            batch=1,
            threads=1,
            rounds=0,
            baseline=_counted(self.baseline),
            candidate=_counted(candidate),
        )

    def require_unchanged(self) -> None:
        """Insist that no input changed since it was hashed: the record names them by content."""
        require_unchanged([self.table, *self.hashes])

    def told(self, section: Sequence[PolicyStep], model: str) -> Progress:
        """Progress of a recipe in plain words."""
        return lambda stage, done, total: self.settings.progress(
            stage_in_words(section, stage, model), done, total
        )


def set_up(source: PolicyFile, settings: Settings) -> Workbench:
    """Check the data contract, load the baseline and read the rows that are used.

    Raises:
        InputError: the policy lacks a section, the data break their contract (before a model is
            loaded), or the baseline cannot be used.
    """
    policy = source.policy
    _require_sections(policy)
    table = hash_files([source.folder / str(policy.data.table)])[0]
    checked = check_rows(policy, source.folder, settings.progress)
    checked.report.require()
    baseline = load_model(source.folder / policy.model.baseline)  # type: ignore[union-attr]  # required above
    classes = classes_of(policy, baseline.config)
    settings.progress("read the images", 0, 1)
    material = prepare(policy, checked.rows, checked.hashes, baseline.preprocessor, classes)
    settings.progress("read the images", 1, 1)
    return Workbench(
        source=source,
        settings=settings,
        table=table,
        hashes=checked.hashes,
        material=material,
        baseline=baseline,
        warnings=checked.report.warnings,
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


def _counted(model: LoadedModel) -> ModelFigures:
    return figures(
        digest=model.digest,
        model_bytes=model.model_bytes,
        parameters=model.parameters,
        active_heads=model.active_heads,
    )
