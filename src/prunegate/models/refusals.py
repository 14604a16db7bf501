"""Refusals that need no library: what config.json and the headers of weights tell by themselves.

Loading takes seconds and a run's data take more, so whatever can be known from a few kilobytes is
said first: adapters and pickles with the command that makes a model of them, classes that answer
another question, code that would have to be run, masks that were never made permanent. No torch
here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import REGRESSION
from prunegate.models.config_json import read_object
from prunegate.models.digest import hub_snapshot, refuse_irregular, refuse_paper
from prunegate.models.family import OWN_CLASS, architectures
from prunegate.models.pickle_files import ALLOWING, pickle_files, pickled_names, precisions_in
from prunegate.models.shards import INDEX_FILE, shards_named
from prunegate.models.surgery import SURGERY_FILE, WEIGHTS_FILE
from prunegate.models.tensor_names import refuse_tensor_names

CONFIG_FILE = "config.json"
ADAPTER_FILE = "adapter_config.json"
_WRITERS = ("ForCausalLM", "LMHeadModel")
JUDGED = ("ForImageClassification", "ForSequenceClassification", *_WRITERS)
"""What the names of transformers' classes contain that can be judged."""
PRECISIONS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
"""Number formats of weights, as a safetensors header spells them."""
_WHOLE = {"I64", "I32", "I8", "U8", "BOOL"}
_LONGEST_HEADER = 100 << 20


def graph_in(folder: Path) -> Path | None:
    """The one ONNX file of a folder without safetensors, as optimum and Olive save it.

    Raises:
        ModelError: there are several, and the folder does not say which is meant.
    """
    if not folder.is_dir() or any((folder / n).exists() for n in (WEIGHTS_FILE, INDEX_FILE)):
        return None
    found = [*sorted(folder.glob("*.onnx"))] or [*sorted((folder / "onnx").glob("*.onnx"))]
    if len(found) > 1:
        some = ", ".join(str(path.relative_to(folder)) for path in found[:5])
        raise ModelError(
            f"{folder}: holds several models ({some}); name one file, in a policy as "
            f"'candidate: {{onnx: {found[0]}}}'"
        )
    return found[0] if found else None


def refuse_early(
    folder: Path, *, prune: bool = False, regressors: bool = False, pickles: bool = False
) -> None:
    """Refuse a model folder for what its descriptions say, in milliseconds.

    Args:
        folder: what a policy or a command names as a folder.
        prune: whether parts are to be taken out of it, which needs an adapter.
        regressors: whether models will do that answer with numbers.
        pickles: whether weights may be read from one.

    Raises:
        ModelError: it cannot be used as it is; the message says what to do.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    folder = hub_snapshot(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; give the folder that holds the model's files.")
    refuse_irregular(folder)
    if (folder / SURGERY_FILE).exists():
        return
    graph = graph_in(folder)
    if graph is not None:
        refuse_paper(graph.parent, graph.name)
        if prune:
            raise UnsupportedError(f"{folder}: an ONNX model can be judged, not pruned; {_PRUNE}.")
        return
    names = [path.name for path in folder.iterdir()]
    refuse_adapters(folder, names)
    if not pickles:
        refuse_pickles(folder, names)
    if CONFIG_FILE not in names:
        raise ModelError(f"{folder}: {CONFIG_FILE} is missing; save the whole model there.")
    config = read_object(folder / CONFIG_FILE)
    refuse_class(config, folder / CONFIG_FILE, regressors=regressors)
    headers = weight_headers(folder, names, pickles=pickles)
    for header in headers:
        refuse_header(header, folder)
    if prune:
        _refuse_pruning(config, headers, folder)


_PRUNE = "give the float32 model that it was made of, as safetensors"


def refuse_adapters(folder: Path, names: Sequence[str]) -> None:
    """Say how an adapter of PEFT becomes a model.

    Raises:
        UnsupportedError: the folder holds an adapter and no model.
    """
    if ADAPTER_FILE in names and CONFIG_FILE not in names:
        raise UnsupportedError(
            f"{folder}: an adapter of PEFT, which is no model without its base. Merge it where the "
            'base is: python -c "from peft import AutoPeftModelForSequenceClassification as M; '
            f"M.from_pretrained('{folder}').merge_and_unload().save_pretrained('merged')\" (the "
            "class of PEFT is that of the task)."
        )


def refuse_pickles(folder: Path, names: Sequence[str]) -> None:
    """Say how weights that are stored as a pickle become safetensors.

    Raises:
        ModelError: there are pickles and nothing else.
    """
    if {WEIGHTS_FILE, INDEX_FILE} & set(names):
        return
    pickles = pickled_names(names)
    if pickles:
        raise ModelError(
            f"{folder}: {pickles[0]} is a pickle, which can run code when loaded; convert it where "
            'you trust it: python -c "from transformers import AutoModelForImageClassification as '
            f"M; M.from_pretrained('{folder}').save_pretrained('{folder}')\" (or "
            "AutoModelForSequenceClassification, AutoModelForCausalLM); save_pretrained writes "
            f"{WEIGHTS_FILE}. Or have torch read the tensors of it and nothing else: {ALLOWING}."
        )


def refuse_class(config: Mapping[str, Any], place: Path, *, regressors: bool = False) -> None:
    """Refuse classes that cannot be judged, and weights that were quantized for other kernels.

    Raises:
        ModelError: no class is named, or it is a regressor.
        UnsupportedError: it answers another question, is of timm, or needs code of its own.
    """
    name = class_name(config, place)
    if name not in architectures() and not any(part in name for part in JUDGED):
        known = ", ".join(architectures())
        raise UnsupportedError(
            f"{place}: model class {name!r} is not supported; image and text classifiers of "
            "transformers (...ForImageClassification, ...ForSequenceClassification) and its "
            f"language models (...ForCausalLM) can be judged; this version can load and prune: "
            f"{known}. Other models can be judged from predictions (prunegate gate)."
        )
    if config.get("quantization_config") is not None:
        raise UnsupportedError(
            f"{place}: quantized weights (quantization_config) are not supported; give the model "
            "in floating point, or as ONNX."
        )
    if not regressors:
        refuse_regressor(config, place)


def refuse_regressor(config: Mapping[str, Any], place: Path) -> None:
    """Refuse a model whose answers are numbers, where classes are wanted.

    Raises:
        UnsupportedError: it is one, by its config.
    """
    if is_regressor(config):
        raise UnsupportedError(
            f"{place}: problem_type 'regression': its numbers are scores, not classes; judge it "
            "with 'task: {kind: score}'."
        )


def writes_text(name: str) -> bool:
    """Whether a class of transformers is a language model, by its name."""
    return name.endswith(_WRITERS)


def is_regressor(config: Mapping[str, Any]) -> bool:
    """Whether a model's answers are numbers as they stand, by its config."""
    return config.get("problem_type") == REGRESSION


def class_name(config: Mapping[str, Any], place: Path) -> str:
    """The one class that a config names.

    Raises:
        ModelError: none, or several.
        UnsupportedError: a model of timm, which names it otherwise.
    """
    if "architecture" in config and "architectures" not in config:
        raise UnsupportedError(
            f"{place.parent}: a model of timm; a plain ViT can be converted once, with "
            "prunegate.models.timm_vit.convert(folder, new_folder)."
        )
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
        raise ModelError(
            f"{place}: architectures is {names!r}; expected a list of one class name. Save the "
            "model with save_pretrained."
        )
    return names[0]


def stored_header(path: Path) -> dict[str, Any]:
    """The description of every tensor of a safetensors file; its weights are not read.

    Raises:
        ModelError: not such a file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length <= _LONGEST_HEADER else None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}: not a whole safetensors file ({error}); copy or save it again."
        ) from error
    if not isinstance(header, dict):
        raise ModelError(f"{path}: not a whole safetensors file; copy or save it again.")
    return {name: told for name, told in header.items() if name != "__metadata__"}


def refuse_header(header: Mapping[str, Any], folder: Path) -> None:
    """Refuse weights by their names, and number formats that nothing here computes with.

    Raises:
        ModelError: as ``refuse_tensor_names``.
        UnsupportedError: a number format.
    """
    refuse_tensor_names(header, folder)
    for name, precision in _precisions(header):
        if precision not in PRECISIONS and precision not in _WHOLE:
            raise UnsupportedError(
                f"{folder}: {name} is stored as {precision}; weights in "
                f"{', '.join(PRECISIONS.values())} are read. Save the model after model.float()."
            )


def _precisions(header: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, told in header.items():
        yield name, str(told.get("dtype")) if isinstance(told, dict) else "nothing"


def weight_headers(
    folder: Path, names: Sequence[str], *, pickles: bool = False
) -> list[dict[str, Any]]:
    """What the weight files say of their tensors; of a pickle the number formats alone.

    Args:
        folder: of the model.
        names: of its files.
        pickles: whether weights may be read from one, where nothing else holds them.

    Raises:
        ModelError: they are missing or malformed, or a pickle would call code.
    """
    found = pickles_read(folder) if pickles else ()
    if not found:
        return [stored_header(path) for path in _weights(folder, names)]
    for name in found:
        refuse_paper(folder, name)
    formats = frozenset[str]().union(*(precisions_in(folder / name) for name in found))
    return [{f"a tensor of {', '.join(found)}": {"dtype": one}} for one in sorted(formats)]


def pickles_read(place: Path) -> tuple[str, ...]:
    """The pickles that a folder's weights are read from, where that is allowed.

    There are none where safetensors, a graph or a candidate of ours are read.

    Raises:
        ModelError: several that may be meant, or an index that does not fit the files.
    """
    place = hub_snapshot(place)
    if not place.is_dir() or (place / SURGERY_FILE).exists() or graph_in(place) is not None:
        return ()
    names = [path.name for path in place.iterdir()]
    return pickle_files(names, place, lambda name: read_object(place / name))


def _weights(folder: Path, names: Sequence[str]) -> list[Path]:
    """The weight files, of all shards."""
    if WEIGHTS_FILE in names:
        return [folder / WEIGHTS_FILE]
    if INDEX_FILE in names:
        _refuse_missing_shards(folder, names)
        return sorted(folder.glob("*.safetensors"))
    raise ModelError(f"{folder}: {WEIGHTS_FILE} is missing; save the whole model there.")


def _refuse_missing_shards(folder: Path, names: Sequence[str]) -> None:
    place = folder / INDEX_FILE
    for name in shards_named(place, read_object(place), names):
        refuse_paper(folder, name)


def _refuse_pruning(
    config: Mapping[str, Any], headers: Sequence[Mapping[str, Any]], folder: Path
) -> None:
    name = class_name(config, folder / CONFIG_FILE)
    if name not in architectures() or name == OWN_CLASS:
        raise UnsupportedError(
            f"{folder}: a {name} can be judged, not pruned; this version can prune: "
            f"{', '.join(architectures())}. Name a candidate made elsewhere: 'model: {{candidate: "
            "FOLDER}}' in the place of 'compress'."
        )
    for header in headers:
        for tensor, precision in _precisions(header):
            if precision not in ("F32", *_WHOLE):
                raise UnsupportedError(
                    f"{folder}: {tensor} is stored as {PRECISIONS.get(precision, precision)}; "
                    "float32 models are pruned: save the model after model.float()."
                )
