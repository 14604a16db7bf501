"""Refusals before any work: what the models of a policy say of themselves in a few kilobytes.

A run checks its data, loads its baseline and only then its candidate, which takes many seconds; a
model that cannot be used at all is named before the first of them. No model library is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prunegate.compress.foreseen import foresee
from prunegate.edge import EDGE_FILE
from prunegate.errors import InputError, ModelError, UnsupportedError
from prunegate.metrics.catalogue import of_writing
from prunegate.models.activation import activation_of
from prunegate.models.config_json import longest_text, read_object
from prunegate.models.described_units import units_in
from prunegate.models.digest import home_of, hub_snapshot, refuse_irregular
from prunegate.models.refusals import (
    CONFIG_FILE,
    class_name,
    graph_in,
    refuse_early,
    refuse_regressor,
    writes_text,
)
from prunegate.models.surgery import SURGERY_FILE
from prunegate.policy.load import PolicyFile
from prunegate.policy.model_source import ModelSource
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import require_decisions_do
from prunegate.policy.task import ROLES


def refuse_models(source: PolicyFile, *, pickles: bool = False) -> None:
    """Refuse the models that a policy names, where their descriptions tell that it is no use.

    Args:
        source: the policy.
        pickles: whether weights may be read from one.

    Raises:
        InputError: a model takes fewer tokens than are to be written.
        ModelError: missing, malformed or not a model; the message says what to do.
        TableError: several labels a row, and the table has no column of them.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    policy = source.policy
    for role in ROLES:
        said = policy.model.source_of(role) if policy.model else None
        if said is None:
            continue
        prune = bool(policy.compress) and role == "baseline"
        place = source.folder / said.path
        numbers = policy.task.traits.estimated
        graph = said.onnx is not None
        refuse_place(place, graph=graph, prune=prune, regressors=numbers, pickles=pickles)
        if policy.generate is not None and (place / CONFIG_FILE).is_file():
            config = read_object(place / CONFIG_FILE)
            given, written = policy.generate.prompt_tokens or 1, policy.generate.new_tokens
            refuse_long_texts(place, config, given, written)
    for place in source.rewound_places().values():
        refuse_place(place, graph=False, prune=True, pickles=pickles)
    if policy.quality is not None and policy.quality.scorer is not None:
        from prunegate.predict.rated_output import refuse_scorer  # numpy, DuckDB

        refuse_scorer(source.folder / policy.quality.scorer, policy.quality, pickles=pickles)
    if policy.task.traits.sets:
        require_sections(policy)
    _refuse_other_answers(source)
    if policy.task.traits.sets and policy.data.table is not None:
        _refuse_missing_labels(policy, source.folder / policy.data.table)


def refuse_recipe(source: PolicyFile) -> None:
    """Refuse steps that remove more, or less, than the baseline's description says is there.

    Args:
        source: the policy; what its model's description does not tell, the steps themselves will.

    Raises:
        InputError: an amount cannot be removed; all that cannot be are told together.
    """
    named = source.policy.model.source_of("baseline") if source.policy.model else None
    kept = units_in(source.folder / named.path) if named is not None else None
    if kept is None:
        return
    found = foresee(source.policy.compress, kept)
    if wrong := [f"compress, step {one.number}: {one.why}" for one in found if one.refusal]:
        raise InputError("; ".join(wrong))


def refuse_long_texts(place: Path, config: Mapping[str, Any], given: int, written: int) -> None:
    """Refuse a model that takes fewer tokens than a prompt's and those written after it.

    Args:
        place: where the model is.
        config: the content of its config.json.
        given: tokens of the prompt.
        written: tokens after it.

    Raises:
        InputError: it does.
    """
    most, wanted = longest_text(config), given + written
    if most is not None and wanted > most:
        raise InputError(
            f"{place}: takes {most:,} tokens, and {given:,} of a prompt with {written:,} new ones "
            f"are {wanted:,}; write fewer ('generate: {{new_tokens: .., prompt_tokens: ..}}' in a "
            "policy, --new-tokens and --tokens of 'prunegate measure')"
        )


def refuse_place(
    place: Path,
    *,
    graph: bool | None = None,
    prune: bool = False,
    regressors: bool = False,
    pickles: bool = False,
) -> None:
    """Refuse one model, a folder or an ONNX file.

    Args:
        place: where it is.
        graph: whether it has to be a file; None: as its name ends.
        prune: whether parts are to be taken out of it.
        regressors: whether models will do that answer with numbers.
        pickles: whether a folder's weights may be read from one.

    Raises:
        ModelError, UnsupportedError: as ``refuse_models``.
    """
    if (place / EDGE_FILE).is_file() and not (place / CONFIG_FILE).exists():
        raise ModelError(
            f"{place}: is the folder of a page ('prunegate edge'), not of a model; score with it "
            f"by 'prunegate predict {place} --runtime browser', or give the candidate that it was "
            "made of"
        )
    if not (place.suffix == ".onnx" if graph is None else graph):
        refuse_early(place, prune=prune, regressors=regressors, pickles=pickles)
        return
    if not place.is_file() or place.suffix != ".onnx":
        raise ModelError(f"{place}: no such ONNX file; give a file whose name ends with .onnx.")
    refuse_irregular(place)
    if prune:
        raise UnsupportedError(
            f"{place}: an ONNX model can be judged, not pruned; give the float32 model that it was "
            "made of, as safetensors."
        )


def _refuse_other_answers(source: PolicyFile) -> None:
    """Refuse models whose classes, labels or numbers are not those of the policy."""
    policy, traits = source.policy, source.policy.task.traits
    for role in ROLES:
        said = policy.model.source_of(role) if policy.model else None
        config = None if said is None else described(source.folder / said.path, said)
        if said is None or config is None:
            continue
        place = source.folder / said.path
        if "architectures" in config:
            name = class_name(config, place / CONFIG_FILE)
            _refuse_other_question(name, place, policy)
        if traits.estimated:
            from prunegate.predict.one_number import require_one_number  # numpy, DuckDB

            require_one_number(config, place, prune=bool(policy.compress) and role == "baseline")
            continue
        refuse_regressor(config, place)
        if traits.decided:
            _refuse_other_classes(policy, config, said, place)


def _refuse_other_classes(
    policy: Policy, config: Mapping[str, Any], said: ModelSource, place: Path
) -> None:
    from prunegate.predict.classes import model_classes, require_sigmoids  # numpy, DuckDB

    try:
        model_classes(policy, config)
    except ModelError as error:
        raise ModelError(f"{place}: {error}") from error
    if policy.task.traits.sets and "architectures" in config:
        require_sigmoids(policy, said.activation or activation_of(config), config, place)


def described(place: Path, said: ModelSource) -> dict[str, Any] | None:
    """What a model's description says of it, and what is said beside; None: nothing understood.

    Args:
        place: a folder or an ONNX file.
        said: its classes, in the order of its outputs, where they are given.
    """
    place = hub_snapshot(place)
    manifest = place / SURGERY_FILE
    if manifest.exists():
        told = read_object(manifest).get("config")
        return told if isinstance(told, dict) else None
    graph = place if place.is_file() else graph_in(place)
    file = (place if graph is None else home_of(graph)) / CONFIG_FILE
    config = read_object(file) if file.is_file() else {}
    if said.classes:
        config["id2label"] = {str(number): name for number, name in enumerate(said.classes)}
    return config


def _refuse_other_question(name: str, place: Path, policy: Policy) -> None:
    writes, traits = writes_text(name), policy.task.traits
    if writes != traits.documents:
        others = "regressors" if traits.estimated else "classifiers"
        raise UnsupportedError(
            f"{place}: a {name} is {'a language model' if writes else 'a classifier'}, and the "
            f"policy asks for {'language models' if traits.documents else others}; give a model "
            "for that, or correct 'task: kind:'"
        )


def _refuse_missing_labels(policy: Policy, table: Path) -> None:
    from prunegate.data.labelled.label_sets import label_set_columns
    from prunegate.data.predictions.columns import match_columns
    from prunegate.data.predictions.metadata import column_names

    there = column_names(table, (policy.data.columns.id, policy.data.columns.split))
    found = [column.found(there) for column in label_set_columns(policy).values()]
    wanted = dict.fromkeys(name for one in found for name in one.columns)
    match_columns(tuple(wanted), there, str(table))


def require_sections(policy: Policy) -> None:
    """Insist on what a run needs of a policy.

    Raises:
        UnsupportedError: a rule is for predictions alone.
        InputError: sections are missing, or mean something else there.
    """
    if policy.task.traits.sets and policy.data.scores and policy.data.scores.activation != "none":
        raise InputError(
            "'data: scores: activation:' is for tables of logits, and 'run' makes probabilities by "
            "itself; remove it"
        )
    if policy.task.traits.classes:
        require_decisions_do(
            policy,
            "'run' keeps the class that a model chooses; judge predictions with a score "
            "for each class with 'prunegate gate'",
        )
    if policy.task.traits.estimated and (asked := {r.metric for r in policy.rules} & of_writing()):
        raise InputError(
            f"{', '.join(sorted(asked))}: times models as they write, and regressors write no "
            "text; limit latency_p50_ms, or judge scores of what was written with 'prunegate gate'"
        )
    missing = [
        need
        for need, there in {
            "model: {baseline: FOLDER}": policy.model is not None,
            "data: {table: FILE}": policy.data.table is not None,
            "task: {threshold: 0.5}": not (policy.task.traits.yes_no or policy.task.traits.sets)
            or policy.task.threshold is not None,
            "quality: {scorer: FOLDER}": policy.quality is None or bool(policy.quality.scorer),
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
