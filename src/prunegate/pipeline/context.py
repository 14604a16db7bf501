"""The context of a run: a policy's models and labelled data, ready to be worked on.

``run``, ``compress``, ``importance`` and ``search`` start here: the data contract is checked before
a model is loaded, images or texts are read once, and every candidate is made, scored and timed in
the same way. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import torch
from torch import Tensor, nn

from prunegate._version import __version__
from prunegate.audit.generations import generations_of
from prunegate.audit.ledger import Ledger
from prunegate.audit.provenance import now
from prunegate.audit.record import Saturating
from prunegate.audit.written_texts import Generation
from prunegate.compress.checkpoint import kept_until_done
from prunegate.compress.execute import compress
from prunegate.compress.steps import (
    Candidate,
    PreparedStep,
    StageProgress,
    prepare_steps,
    without_pruning,
)
from prunegate.cost.generation_speed import Lengths
from prunegate.cost.measure import describe, measure
from prunegate.cost.measurement import Measurements
from prunegate.data.file_hashes import hash_files, require_unchanged
from prunegate.data.labelled.checked_rows import CheckedRows, check_rows
from prunegate.data.labelled.rows import LabelledRows
from prunegate.errors import InputError, ModelError, UnsupportedError
from prunegate.io.hashing import FileHash
from prunegate.io.progress import Progress, silent
from prunegate.models.digest import tree_digest
from prunegate.models.load import LoadedModel, exactly, load_model, read_candidate, saturation
from prunegate.models.save import write_candidate
from prunegate.pipeline.early_refusals import refuse_models, require_sections
from prunegate.pipeline.elsewhere import (
    counted_figures,
    in_one_engine,
    open_named,
    prepares_otherwise,
)
from prunegate.pipeline.generating import lengths_of, require_room, timed_writing
from prunegate.pipeline.writing import RatedWriting
from prunegate.policy.load import PolicyFile
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Split, Step
from prunegate.policy.task import Role
from prunegate.predict.classify import SCORED
from prunegate.predict.documents import beginnings, sample_rows
from prunegate.predict.generate import Greedy
from prunegate.predict.likelihood import Likelihoods
from prunegate.predict.material import Material, prepare_material, require_answers, require_suitable
from prunegate.predict.predictions_table import predictions
from prunegate.predict.score import scales_by_batch, score
from prunegate.predict.tasks.every import answers_of
from prunegate.predict.tasks.task_answers import Scored
from prunegate.predict.tokens import TOKENIZER_FILE

_LONGEST_NOTE = 1000
Scores = Mapping[str, Scored]
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
    generations: int = 24
    """Documents of the gate split that both models continue (language models only)."""
    new_tokens: int = 48
    """Tokens of such a continuation, at most."""
    pickles: bool = False
    """Whether weights may be read from a pickle, where there are no safetensors."""
    command: str = "run"
    ledger: Ledger | None = None
    """Says which attempt on its gate set the verdict is; None: nobody counts."""
    checkpoints: Path | None = None
    """Folder that unfinished work is kept in, to be taken up again; None: nowhere."""
    progress: Progress = silent


@dataclass(frozen=True, kw_only=True)
class Context:
    """A baseline and its labelled data."""

    source: PolicyFile
    settings: Settings
    table: FileHash
    """The labelled table, by content."""
    checked: CheckedRows
    """What the data contract said."""
    hashes: tuple[FileHash, ...]
    """Of each row's image; for texts, of the tokenizer."""
    material: Material
    baseline: LoadedModel
    warnings: tuple[str, ...]
    """Of the data contract, and about texts that were cut short."""
    exported: dict[str, nn.Module] = field(default_factory=dict, repr=False, compare=False)
    """Models in another engine, by their digests; copies of a context share it."""
    own: dict[str, Material] = field(default_factory=dict, repr=False, compare=False)
    """The rows as a candidate with a preprocessor or tokenizer of its own takes them, by digest."""
    answers: dict[Split, Scored] = field(default_factory=dict, repr=False, compare=False)
    """What the baseline makes of a split; copies of a context share it."""
    writing: RatedWriting | None = None
    """What both models write and who rates it; None: the policy does not ask."""

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self.source.policy

    @property
    def rows(self) -> LabelledRows:
        """The labelled rows of every split."""
        return self.material.rows

    def steps(self, section: Sequence[Step]) -> tuple[PreparedStep, ...]:
        """Steps of a policy with the rows that they ask for."""
        return prepare_steps(
            section,
            lambda wanted: self.material.examples(wanted, self.settings.seed),
            self._earlier,
        )

    def make(self, section: Sequence[Step], folder: Path) -> tuple[LoadedModel, Candidate]:
        """Make a candidate, save it in ``folder`` (new) and load it again.

        Interrupted work leaves its state in ``settings.checkpoints``, and is taken up from there.
        """
        with kept_until_done(self.settings.checkpoints, self._identity(section)) as place:
            made = compress(
                self.baseline,
                self.steps(section),
                seed=self.settings.seed,
                device=self.settings.device,
                checkpoints=place,
                progress=self.told("candidate"),
            )
            write_candidate(made.module, made.surgery, folder, self.baseline.folder)
        return read_candidate(folder), made

    def found(self) -> LoadedModel:
        """Load the candidate that the policy names, made elsewhere."""
        found = open_named(self.source, "candidate", pickles=self.settings.pickles)
        require_suitable(self.policy, self.rows, found)
        if lengths := self.lengths():
            require_room(lengths, [found])
        if prepares_otherwise(self.material, self.baseline, found):
            self.own[found.digest] = prepare_material(self.policy, self.rows, self.hashes, found)
        require_answers(self.policy, self.material_of(found), found)
        return found

    def material_of(self, model: LoadedModel) -> Material:
        """The rows as a model takes them."""
        return self.own.get(model.digest, self.material)

    def unpruned(self, section: Sequence[Step]) -> LoadedModel | None:
        """The baseline after the section's fine-tuning alone; None where nothing is fine-tuned."""
        training = without_pruning(self.steps(section))
        if not training:
            return None
        made = compress(
            self.baseline,
            training,
            seed=self.settings.seed,
            device=self.settings.device,
            progress=self.told("control"),
        )
        return replace(self.baseline, module=made.module)

    def score(self, model: LoadedModel, name: str, split: Split = "gate") -> Scored:
        """What a model makes of a split: scores, labels or likelihoods, as the task asks.

        Each model's own config says which number stands for which class.
        """
        found = score(
            self.policy,
            model,
            self.material_of(model).split(split),
            batch_size=self.settings.batch if scales_by_batch(model) else SCORED,
            device=self.settings.device,
            progress=lambda _stage, done, total: self.settings.progress(
                f"score with the {name}", done, total
            ),
        )
        if self.writing is None or not isinstance(found, Likelihoods):
            return found
        texts = self.writing.texts(
            model,
            split,
            lambda done, total: self.settings.progress(f"let the {name} write", done, total),
        )
        return replace(found, quality=self.writing.quality(texts, split))

    def of_baseline(self, split: Split = "gate") -> Scored:
        """What the baseline makes of a split; it is asked once."""
        if split not in self.answers:
            self.answers[split] = self.score(self.baseline, "baseline", split)
        return self.answers[split]

    def saturating(self, model: LoadedModel, name: str, scored: Scored) -> Saturating | None:
        """Whether a model computes otherwise on other processors; if it does here, on what rows.

        ``scored`` is what it makes of the gate split; ``name`` is baseline or candidate.
        """
        found = saturation(model)
        if found is None or not found.saturating:
            return None
        told = Saturating(products=found.products, saturating=found.saturating, here=found.here)
        if not found.here:
            return told
        try:
            other = exactly(model)
        except ModelError:  # onnxruntime 1.32 cannot do it where weights share their zero points
            return told
        exact = self.score(other, f"{name}, without saturation")
        role: Role = "candidate" if name == "candidate" else "baseline"
        changed = answers_of(self.policy).changed(self.policy.task, role, scored, exact)
        return replace(told, rows=len(self.material.split("gate")), changed=changed)

    def predictions(self, scores: Scores, split: Split = "gate") -> pa.Table:
        """The predictions table of a split: what ``gate`` and ``judge`` read."""
        return predictions(self.policy, self.rows, scores, split)

    def measure(self, candidate: LoadedModel, split: Split = "gate") -> Measurements:
        """Time both models in the candidate's engine, interleaved, on rows of a split."""
        settings, sides = self.settings, [self.baseline, candidate]
        try:
            modules = in_one_engine(sides, self.exported, settings.progress)
        except UnsupportedError as error:
            told = {"not_timed": str(error)[:_LONGEST_NOTE]}
            return replace(self.counted(candidate), environment=told)
        samples = [self._sample(side, split) for side in sides]
        timed = measure(
            modules[0].to(settings.device),
            modules[1].to(settings.device),
            samples[0],
            candidate_inputs=samples[1] if candidate.digest in self.own else None,
            batch=settings.batch,
            seconds=settings.seconds,
            progress=lambda _stage, done, total: settings.progress("time both models", done, total),
        )
        if lengths := self.lengths(split):
            timed = timed_writing(
                timed,
                sides,
                lengths,
                seconds=settings.seconds,
                device=settings.device,
                progress=settings.progress,
            )
        return describe(
            timed, baseline=counted_figures(self.baseline), candidate=counted_figures(candidate)
        )

    def lengths(self, split: Split = "gate") -> Lengths | None:
        """How much both models write to be timed; None: nobody asks."""
        if self.rows.reads != "documents":
            return None
        rows, settings = self.material.split(split), self.settings
        return lengths_of(self.policy, rows, texts=settings.batch, seed=settings.seed)

    def generations(self, candidate: LoadedModel) -> tuple[Generation, ...]:
        """What both models continue a sample of prompts with; nothing but for language models.

        A document with nothing to begin from (no prompt, and a model without a start token) is
        left out.
        """
        tokens, rows, settings = self.material.tokens, self.rows, self.settings
        if tokens is None or rows.reads != "documents":
            return ()
        drawn = sample_rows(self.policy, rows, settings.generations, settings.seed).tolist()
        if self.writing is not None:
            return self.writing.sample(drawn, (self.baseline, candidate))
        starts = beginnings([rows.prompts[place] for place in drawn], tokens)
        asked = {place: one for place, one in zip(drawn, starts, strict=True) if len(one)}
        greedy = Greedy(tokens=tokens, most=settings.new_tokens, device=settings.device)
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            settings.progress("let both models write", done, 2 * len(asked))

        said = [
            greedy.texts(model.module, list(asked.values()), advance)
            for model in (self.baseline, candidate)
        ]
        return generations_of(self.policy, rows, list(asked), said)

    def _sample(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        """Rows of a split to time a model on, on its device."""
        rows = self.material_of(model).split(split)
        sample = rows.inputs(rows.typical(self.settings.batch))
        return {name: tensor.to(self.settings.device) for name, tensor in sample.items()}

    def counted(self, candidate: LoadedModel) -> Measurements:
        """What is counted about both models, with nothing timed."""
        return Measurements(
            created=now(),
            engine="not timed",
            batch=1,
            threads=1,
            rounds=0,
            baseline=counted_figures(self.baseline),
            candidate=counted_figures(candidate),
        )

    def require_unchanged(self) -> None:
        """Insist that no input changed since it was hashed: the record names them by content."""
        require_unchanged([self.table, *self.hashes])

    def told(self, model: str) -> StageProgress:
        """Progress of a recipe in plain words."""
        return lambda stage, done, total: self.settings.progress(stage.words(model), done, total)

    def _identity(self, section: Sequence[Step]) -> dict[str, Any]:
        """Everything that decides what ``make`` makes, to the bit."""
        earlier = [getattr(self.policy.model, when, None) for when in ("initial", "early")]
        folders = [self.source.folder / named for named in earlier if named is not None]
        return {
            "versions": [
                __version__,
                *map(version, ("torch", "transformers")),
                torch.get_num_threads(),
            ],
            "baseline": self.baseline.digest,
            "earlier": [tree_digest(folder) for folder in folders],
            "data": [self.table.sha256, *(found.sha256 for found in self.hashes)],
            "columns": self.policy.data.columns.model_dump(),
            "section": [step.model_dump(mode="json") for step in section],
            "seed": self.settings.seed,
            "device": self.settings.device,
        }

    def _earlier(self, when: Literal["initial", "early"]) -> LoadedModel:
        section = self.policy.model
        named = getattr(section, when) if section is not None else None
        if named is None:
            raise InputError(f"rewind: {when} needs 'model: {{{when}: FOLDER}}' in the policy")
        return load_model(self.source.folder / named, pickles=self.settings.pickles)


def set_up(source: PolicyFile, settings: Settings) -> Context:
    """Check the data contract, load the baseline and read the rows that are used.

    Raises:
        InputError: the policy lacks a section, the data break their contract (before a model is
            loaded), or the baseline cannot be used.
    """
    policy = source.policy
    require_sections(policy)
    refuse_models(source, pickles=settings.pickles)
    table = hash_files([source.folder / str(policy.data.table)])[0]
    checked = check_rows(policy, source.folder, settings.progress)
    checked.report.require()
    baseline = open_named(source, "baseline", pickles=settings.pickles)
    settings.progress(f"read the {checked.rows.reads}", 0, 1)
    material = prepare_material(policy, checked.rows, checked.hashes, baseline)
    require_answers(policy, material, baseline)
    settings.progress(f"read the {checked.rows.reads}", 1, 1)
    tokenizer = [baseline.folder / TOKENIZER_FILE] if material.tokens else []
    bench = Context(
        source=source,
        settings=settings,
        table=table,
        checked=checked,
        hashes=(*checked.hashes, *hash_files(tokenizer)),
        material=material,
        baseline=baseline,
        warnings=(*checked.report.warnings, *material.warnings, *baseline.warnings),
    )
    if lengths := bench.lengths():
        require_room(lengths, [baseline])
    writing = RatedWriting.of(
        policy, source.folder, material, settings.device, pickles=settings.pickles
    )
    return replace(bench, writing=writing)
