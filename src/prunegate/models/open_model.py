"""Open any model that can be judged: what prunegate cut, what it can cut, and what others made.

A folder with a surgery.json is a candidate of ours; a float32 model of a class with an adapter can
be pruned; any other folder of transformers, and any ONNX file, is judged as it is. What the policy
says of classes stands in the place of the model's own id2label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from prunegate.errors import UnsupportedError
from prunegate.models.activation import CLASSIFYING, one_output
from prunegate.models.config_json import read_object
from prunegate.models.digest import hub_snapshot
from prunegate.models.family import architectures, family_of
from prunegate.models.foreign_onnx import ForeignOnnx
from prunegate.models.load import LoadedModel, load_baseline, read_candidate
from prunegate.models.refusals import (
    CONFIG_FILE,
    class_name,
    graph_in,
    is_regressor,
    refuse_early,
    refuse_regressor,
    weight_headers,
)
from prunegate.models.surgery import SURGERY_FILE
from prunegate.policy.model_source import ModelSource

_PRUNED_IN = {"F32", "I64", "I8"}


def open_model(
    place: Path,
    said: ModelSource | None = None,
    *,
    classes: bool = True,
    pickles: bool = False,
) -> LoadedModel:
    """Load a model from a folder or an ONNX file.

    Args:
        place: where it is.
        said: what a policy says of it; None: nothing.
        classes: whether its answers are to be made probabilities of; else it is timed, or a
            regressor.
        pickles: whether a folder's weights may be read from one, where there are no safetensors.

    Raises:
        ModelError: it cannot be used; the message says what to do.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    said = said or ModelSource(folder=str(place))
    found = _opened(hub_snapshot(place), said, pickles=pickles)
    if classes:
        require_classes(found)
    if said.activation is not None:
        found = replace(found, activation=said.activation)
    if not said.classes:
        return found
    columns = {str(number): name for number, name in enumerate(said.classes)}
    return replace(found, config={**found.config, "id2label": columns})


def require_classes(model: LoadedModel) -> None:
    """Insist that it is known how probabilities follow from a model's answers.

    Raises:
        ModelError: they are probabilities, and nobody says so.
        UnsupportedError: they are numbers as they stand.
    """
    refuse_regressor(model.config, model.place)
    if isinstance(model.module, ForeignOnnx):
        model.module.require_logits()


def _opened(place: Path, said: ModelSource, *, pickles: bool) -> LoadedModel:
    if place.is_file():
        from prunegate.models.onnx_source import load_onnx

        return load_onnx(place, said, whole_folder=False)
    if (place / SURGERY_FILE).exists():
        return read_candidate(place)
    refuse_early(place, regressors=True, pickles=pickles)
    graph = graph_in(place)
    if graph is not None:
        from prunegate.models.onnx_source import load_onnx

        return load_onnx(graph, said, whole_folder=True)
    if _can_be_pruned(place, pickles=pickles):
        return load_baseline(place, pickles=pickles)
    from prunegate.models.library import load_from_library

    return load_from_library(place, regressors=True, pickles=pickles)


def _can_be_pruned(folder: Path, *, pickles: bool) -> bool:
    """Whether there is an adapter for the class, and the weights are what it takes."""
    config = read_object(folder / CONFIG_FILE)
    name = class_name(config, folder / CONFIG_FILE)
    if name not in architectures() or not _has_a_loss(config):
        return False
    try:
        family_of(name).whole(config)
    except UnsupportedError:  # another form of the class, which nothing is known of
        return False
    names = [path.name for path in folder.iterdir()]
    headers = weight_headers(folder, names, pickles=pickles)
    told = (one for header in headers for one in header.values())
    return all(isinstance(one, dict) and one.get("dtype") in _PRUNED_IN for one in told)


def _has_a_loss(config: Mapping[str, Any]) -> bool:
    """Whether a model can be trained: an answer for each class or label, or one number."""
    if one_output(config):
        return is_regressor(config)
    return config.get("problem_type") in CLASSIFYING
