"""Models made elsewhere, beside the baseline of a run: opened as the policy says, and comparable.

A candidate may prepare images and cut texts in its own way: what is compared is its answer about
the same row. Only likelihoods of language models are about tokens, so these have to be the same.
Where the two run in different engines, the torch model is exported, because another engine's speed
is no merit of a candidate.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from prunegate.compress.quantize import export_onnx
from prunegate.cost.measurement import ModelFigures
from prunegate.errors import InputError
from prunegate.io.progress import Progress
from prunegate.models.judged_only import JudgedOnly
from prunegate.models.load import LoadedModel
from prunegate.models.open_model import open_model
from prunegate.policy.load import PolicyFile
from prunegate.policy.task import ROLES, Role
from prunegate.predict.material import Material
from prunegate.predict.tasks.every import answers_of
from prunegate.predict.tokens import TOKENIZER_FILE, Tokens


def open_named(source: PolicyFile, role: Role, *, pickles: bool = False) -> LoadedModel:
    """Load a model that a policy names.

    Args:
        source: the policy.
        role: which one.
        pickles: whether a folder's weights may be read from one.

    Raises:
        InputError: the policy does not name it, or it cannot be used.
    """
    said = source.policy.model.source_of(role) if source.policy.model else None
    if said is None:
        raise InputError(f"the policy names no {role}; add 'model: {{{role}: FOLDER}}'")
    probabilities = answers_of(source.policy).probabilities
    return open_model(source.folder / said.path, said, classes=probabilities, pickles=pickles)


def prepares_otherwise(material: Material, baseline: LoadedModel, found: LoadedModel) -> bool:
    """Whether a candidate has a preprocessor or tokenizer that is not the baseline's.

    Args:
        material: the rows as the baseline takes them.
        baseline: the baseline.
        found: the candidate.

    Raises:
        ModelError: language models that cut texts into other tokens.
    """
    if material.tokens is None:
        described = found.preprocessor or not isinstance(found.family, JudgedOnly)
        return bool(described) and found.preprocessor != baseline.preprocessor
    if found.graph is not None and not (found.folder / TOKENIZER_FILE).exists():
        return False
    tokens = Tokens.of(found.folder, found.config)
    if material.rows.reads == "documents":
        material.tokens.require_same(tokens, found.folder)
    return material.tokens != tokens


def in_one_engine(
    sides: Sequence[LoadedModel], exported: dict[str, nn.Module], progress: Progress
) -> list[nn.Module]:
    """Baseline and candidate in the same engine: as they are, or the torch model exported.

    Args:
        sides: the two.
        exported: models that were exported before, by digest; a new one is added.
        progress: called with the stage, how much is done, and the total.

    Raises:
        UnsupportedError: a model cannot be exported.
    """
    modules = [side.module for side in sides]
    if sides[0].storage.engine == sides[1].storage.engine:
        return modules
    place = 0 if sides[0].storage.engine == "torch" else 1
    model = sides[place]
    if model.digest not in exported:
        stage = f"export the {ROLES[place]}, to time it in the {ROLES[1 - place]}'s engine"
        progress(stage, 0, 1)
        module, _ = export_onnx(model.module, model.family.example(model.config))
        exported[model.digest] = module
        progress(stage, 1, 1)
    modules[place] = exported[model.digest]
    return modules


def counted_figures(model: LoadedModel) -> ModelFigures:
    """What is counted about a model, with nothing timed."""
    return ModelFigures(
        digest=model.digest,
        files=dict(model.files),
        model_bytes=model.model_bytes,
        parameters=model.parameters,
        zeros=model.zeros,
        quantized=model.quantized or None,
        active_heads=model.active_heads,
    )
