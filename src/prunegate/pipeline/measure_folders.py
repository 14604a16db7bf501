"""Measuring: two model folders against each other, in one engine, without data and without judging.

::

    two folders -> one engine -> timed in turns, batch by batch -> counted, each in its own process
                                                                    for memory -> Measurements

An ONNX candidate is timed against the baseline exported to ONNX, because another engine's speed is
no merit of pruning. Crossing engines has to be asked for, and stands in the result.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from prunegate.compress.quantize import export_onnx
from prunegate.cost.flops import COUNTED, flops
from prunegate.cost.generation_speed import Lengths
from prunegate.cost.measure import check_settings, describe, measure
from prunegate.cost.measurement import Measurements, ModelFigures
from prunegate.cost.memory import Stored, peak_memory
from prunegate.errors import InputError, MeasurementError
from prunegate.io.progress import Progress, silent
from prunegate.models.config_json import longest_text
from prunegate.models.digest import (
    difference_in_words,
    digests_by_path,
    list_digest,
    tree_files,
)
from prunegate.models.foreign_onnx import ForeignOnnx
from prunegate.models.load import LoadedModel
from prunegate.models.open_model import open_model
from prunegate.models.surgery import ONNX_FILE
from prunegate.pipeline.early_refusals import refuse_place
from prunegate.pipeline.generating import require_room, timed_writing
from prunegate.policy.model_source import ModelSource
from prunegate.policy.task import ROLES
from prunegate.predict.random_inputs import inputs_in_words, random_inputs


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How two folders are measured."""

    batches: tuple[int, ...] = (1,)
    """Samples a call; rules read the figures of the first."""
    threads: int = 1
    rounds: int = 20
    seconds: float = 20.0
    """About how long to time each batch size."""
    tokens: int | None = None
    """Length of the texts; None: 128, or as many as the model takes."""
    new_tokens: int | None = None
    """Tokens that language models write after texts of that length; None: they write nothing."""
    cross_engine: bool = False
    """Time every model in its own engine, though they differ."""
    seed: int = 0
    """Of the random inputs."""
    pickles: bool = False
    """Whether weights may be read from one, where there are no safetensors."""
    progress: Progress = silent


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One model as it is timed."""

    loaded: LoadedModel
    module: nn.Module
    stored: Stored
    exported: bool = False


def measure_folders(
    baseline: Path, candidate: Path, how: Experiment, said: Sequence[ModelSource | None] = ()
) -> Measurements:
    """Measure a baseline folder against a candidate folder, on the CPU.

    Args:
        baseline: A Hugging Face folder, or a candidate folder.
        candidate: The same; int8 and ONNX too.
        how: The experiment.
        said: What is said of each beside its files, where a graph leaves it open.

    Returns:
        Figures of the first batch size; those of further ones in ``others``.

    Raises:
        InputError: settings without sense, folders that cannot be used or that answer different
            questions, engines that would have to be crossed, or files that changed meanwhile.
    """
    _check(how)
    models = _opened((baseline, candidate), how, said or (None, None))
    with ExitStack() as kept:
        sides = _sides(models, how, kept)
        samples = _samples(models, how)
        _require_same_question(sides, samples)
        lengths = _lengths(models, samples, how)
        first, *others = [_timed(sides, samples, batch, how) for batch in how.batches]
        if lengths is not None:
            first = _timed_writing(first, models, lengths, how)
        counted = [_counted(side, one, how) for side, one in zip(sides, samples, strict=True)]
    _require_unchanged(models)
    told = _circumstances(sides, samples, how)
    first, *others = (_described(one, counted, told) for one in (first, *others))
    return replace(first, others=tuple(others))


def _opened(
    places: Sequence[Path], how: Experiment, said: Sequence[ModelSource | None]
) -> list[LoadedModel]:
    """Both models, of which none is loaded before both are known to be usable."""
    how.progress("load both models", 0, 1)
    for place in places:
        refuse_place(place, regressors=True, pickles=how.pickles)
    models = [
        open_model(place, words, classes=False, pickles=how.pickles)
        for place, words in zip(places, said, strict=True)
    ]
    how.progress("load both models", 1, 1)
    return models


def _described(
    timed: Measurements, counted: Sequence[Mapping[int, ModelFigures]], told: Mapping[str, str]
) -> Measurements:
    """What was timed, with what was counted of both models and with what a reader has to know."""
    baseline, candidate = (by_batch[timed.batch] for by_batch in counted)
    known = replace(timed, environment={**timed.environment, **told})
    return describe(known, baseline=baseline, candidate=candidate)


def _check(how: Experiment) -> None:
    if not how.batches:
        raise MeasurementError("no batch size; give at least one, such as --batch 1.")
    if len(set(how.batches)) < len(how.batches):
        raise MeasurementError("a batch size is given twice; name each once.")
    for batch in how.batches:
        check_settings(batch=batch, threads=how.threads, rounds=how.rounds, seconds=how.seconds)


def _sides(models: Sequence[LoadedModel], how: Experiment, kept: ExitStack) -> list[_Side]:
    """Both models in one engine, unless crossing was asked for."""
    sides = [_side(model) for model in models]
    one, other = (model.storage.engine for model in models)
    if one == other or how.cross_engine:
        return sides
    if (one, other) != ("torch", "onnxruntime") or models[0].storage.format != "float32":
        raise InputError(
            f"the baseline runs in {one} and the candidate in {other}; their ratio would be the "
            "engines'. Measure two folders of the same engine, or add --cross-engine, which labels "
            "the result"
        )
    how.progress("export the baseline, to time it in the candidate's engine", 0, 1)
    module, _ = export_onnx(models[0].module, models[0].family.example(models[0].config))
    path = Path(kept.enter_context(tempfile.TemporaryDirectory())) / ONNX_FILE
    path.write_bytes(module.raw)
    how.progress("export the baseline, to time it in the candidate's engine", 1, 1)
    stored = replace(sides[0].stored, path=path, onnx=True)
    return [_Side(loaded=models[0], module=module, stored=stored, exported=True), sides[1]]


def _side(model: LoadedModel) -> _Side:
    onnx = model.storage.format == "onnx"
    return _Side(
        loaded=model,
        module=model.module,
        stored=Stored(
            path=(model.graph or model.folder / ONNX_FILE) if onnx else model.folder,
            architecture=model.family.architecture,
            onnx=onnx,
            pickles=bool(model.pickled),
        ),
    )


def _samples(models: Sequence[LoadedModel], how: Experiment) -> list[dict[str, Tensor]]:
    """Random inputs of each model: the same ones, where both take the same form.

    Raises:
        InputError: a graph takes batches of one size, which is none of those asked for.
    """
    for model in models:
        fixed = model.module.interface.batch if isinstance(model.module, ForeignOnnx) else None
        if fixed is not None and any(batch % fixed for batch in how.batches):
            raise InputError(
                f"{model.place}: takes batches of {fixed}; give --batch {fixed}, or a multiple"
            )
    made = [
        random_inputs(model, max(how.batches), tokens=how.tokens, seed=how.seed) for model in models
    ]
    forms = [{name: one.shape for name, one in side.items()} for side in made]
    sizes = [model.config.get("vocab_size") for model in models]
    return [made[0], made[0]] if forms[0] == forms[1] and sizes[0] in (sizes[1], None) else made


def _require_same_question(sides: Sequence[_Side], samples: Sequence[Mapping[str, Tensor]]) -> None:
    """Insist that both models read the same inputs and answer with as many numbers."""
    families = [side.loaded.family for side in sides]
    for what in ("reads", "answers"):
        one, other = (getattr(family, what) for family in families)
        if one != other:
            raise InputError(
                f"{sides[0].loaded.folder} {what} {one}, {sides[1].loaded.folder} {what} {other}; "
                "two models can be compared only on the same task"
            )
    shapes = [_answer(side, one) for side, one in zip(sides, samples, strict=True)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"for one input the baseline answers {shapes[0]} numbers, the candidate {shapes[1]}; "
            "two models can be compared only on the same classes or tokens"
        )


def _answer(side: _Side, samples: Mapping[str, Tensor]) -> list[int]:
    one = {name: tensor[:1] for name, tensor in samples.items()}
    try:
        with torch.inference_mode():
            return list(side.module(**one).logits.shape[1:])
    except (RuntimeError, ValueError, IndexError, InputError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(
            f"{side.loaded.folder}: does not take the baseline's inputs, "
            f"{inputs_in_words(samples)} ({first}); two models can be compared only on "
            "the same inputs"
        ) from error


def _timed(
    sides: Sequence[_Side], samples: Sequence[Mapping[str, Tensor]], batch: int, how: Experiment
) -> Measurements:
    stage = f"time both models, {'one input' if batch == 1 else f'{batch} inputs'} at a time"
    return measure(
        sides[0].module,
        sides[1].module,
        samples[0],
        candidate_inputs=samples[1],
        batch=batch,
        threads=how.threads,
        rounds=how.rounds,
        seconds=how.seconds,
        progress=lambda _stage, done, total: how.progress(stage, done, total),
    )


def _timed_writing(
    timed: Measurements, models: Sequence[LoadedModel], lengths: Lengths, how: Experiment
) -> Measurements:
    return timed_writing(
        timed,
        models,
        lengths,
        seconds=how.seconds,
        rounds=how.rounds,
        progress=how.progress,
    )


def _lengths(
    models: Sequence[LoadedModel], samples: Sequence[Mapping[str, Tensor]], how: Experiment
) -> Lengths | None:
    """What both write after prompts as long as the texts, which leave room for it.

    Raises:
        InputError: they are no language models, or take fewer tokens.
    """
    if how.new_tokens is None:
        return None
    for model in models:
        if model.family.answers != "next token":
            raise InputError(
                f"{model.place}: answers with {model.family.answers}, so it writes nothing; leave "
                "--new-tokens out"
            )
    prompt = samples[0]["input_ids"].shape[1]
    if how.tokens is None:
        most = min(filter(None, (longest_text(model.config) for model in models)), default=prompt)
        prompt = max(1, min(prompt, most - how.new_tokens))
    found = Lengths(
        prompt_tokens=prompt, new_tokens=how.new_tokens, texts=how.batches[0], seed=how.seed
    )
    require_room(found, models)
    return found


def _counted(
    side: _Side, samples: Mapping[str, Tensor], how: Experiment
) -> dict[int, ModelFigures]:
    """What needs no clock, by batch size."""
    role = "count operations and memory"
    how.progress(role, 0, 1)
    memory = _memory(side, samples, how)
    operations = _flops(side.loaded, samples)
    how.progress(role, 1, 1)
    return {
        batch: ModelFigures(
            digest=side.loaded.digest,
            files=dict(side.loaded.files),
            model_bytes=side.loaded.model_bytes,
            parameters=side.loaded.parameters,
            zeros=side.loaded.zeros,
            quantized=side.loaded.quantized or None,
            active_heads=side.loaded.active_heads,
            peak_memory_bytes=memory[batch],
            flops=operations,
        )
        for batch in how.batches
    }


def _memory(side: _Side, samples: Mapping[str, Tensor], how: Experiment) -> dict[int, int | None]:
    """By batch size; a graph of others is fed by its own names, in batches that it takes."""
    if not isinstance(side.module, ForeignOnnx):
        return peak_memory(side.stored, samples, how.batches, how.threads)
    fixed = side.module.interface.batch
    rows = {name: one[: fixed or len(one)] for name, one in samples.items()}
    fed = {name: torch.from_numpy(one) for name, one in side.module.fed(rows).items()}
    sizes = how.batches if fixed is None else (fixed,)
    found = peak_memory(side.stored, fed, sizes, how.threads)
    return {batch: found[batch if fixed is None else fixed] for batch in how.batches}


def _flops(model: LoadedModel, samples: Mapping[str, Tensor]) -> int | None:
    """Of one inference; of the float32 model of the same shape where weights are eight-bit.

    None: an ONNX model from elsewhere, of which there is no such form.
    """
    if model.graph is not None:
        return None
    one = {name: tensor[:1] for name, tensor in samples.items()}
    if model.storage.format == "float32":
        return flops(model.module, one)
    return flops(model.family.skeleton(model.config, model.kept), one)


def _circumstances(
    sides: Sequence[_Side], samples: Sequence[Mapping[str, Tensor]], how: Experiment
) -> dict[str, str]:
    """What a reader of the file has to know, in words."""
    words = list(dict.fromkeys(map(inputs_in_words, samples)))
    told = {
        "inputs": f"{' against '.join(words)}, seed {how.seed}",
        "flops": f"per inference, {COUNTED}; of eight-bit or ONNX models, those of their float32 "
        "form",
        "peak_memory": "resident memory that the model added to a process of its own while serving",
    }
    for name, side in zip(ROLES, sides, strict=True):
        if side.loaded.pickled:
            told[f"{name}_weights"] = f"read from a pickle ({', '.join(side.loaded.pickled[:5])})"
    if sides[0].exported:
        told["baseline_runs_as"] = "model.onnx, exported for this measurement; its bytes on disk "
        told["baseline_runs_as"] += "and digest are those of the folder"
    return told


def _require_unchanged(models: Sequence[LoadedModel]) -> None:
    for model in models:
        found = tree_files(model.place)
        if list_digest(found) != model.digest:
            differs = difference_in_words(model.files, digests_by_path(found))
            raise MeasurementError(
                f"{model.place}: changed while it was measured ({differs}); let nothing write to "
                "it, and measure again."
            )
