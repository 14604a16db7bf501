"""Refusals before a table is scored: what a model's description and the table's columns tell.

Loading a model takes seconds; what config.json and the names of columns say against scoring is
said before, in the same words as after. No model library is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prunegate.edge import EDGE_FILE
from prunegate.errors import InputError, ModelError, TableError, UnsupportedError
from prunegate.models.config_json import read_object
from prunegate.models.refusals import CONFIG_FILE, class_name, is_regressor, writes_text
from prunegate.pipeline.early_refusals import described
from prunegate.policy.model_source import ModelSource
from prunegate.predict.classes import class_names, outputs_named

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class WantedScores:
    """What is to be scored, as far as it can be told to be no use before."""

    place: Path
    """Of the model, as errors call it."""
    table: Path
    image: str
    text: str
    positive: str | None
    numbers: bool


def refuse_scoring(wanted: WantedScores, said: ModelSource, columns: Sequence[str]) -> None:
    """Refuse a model that does not answer rows of such a table as is asked.

    Args:
        wanted: what is asked.
        said: what is said of the model beside its files.
        columns: of the table.

    Raises:
        ModelError: it has not the class or output that is asked for.
        TableError: nothing tells which column models are given.
        UnsupportedError: it reads something else, or writes text.
    """
    reads = content_kind(columns, wanted.table, image=wanted.image, text=wanted.text)
    config = described(wanted.place, said)
    if config is None:
        return
    if "architectures" in config:
        name = class_name(config, wanted.place / CONFIG_FILE)
        answers = "next token" if writes_text(name) else "classes"
        refuse_other_rows(wanted.place, name, reads, reads_of=_reads(name), answers=answers)
    if wanted.numbers or is_regressor(config):
        output_place(wanted.place, config, wanted.positive)
    else:
        named_classes(wanted.place, config, wanted.positive)


def refuse_page(wanted: WantedScores, columns: Sequence[str]) -> None:
    """Refuse a page that does not answer rows of such a table as is asked.

    Args:
        wanted: what is asked; the place is the page's folder.
        columns: of the table.

    Raises:
        ModelError: it has not the class that is asked for, or describes itself wrongly.
        TableError: nothing tells which column it is given.
        UnsupportedError: it reads something else.
    """
    reads = content_kind(columns, wanted.table, image=wanted.image, text=wanted.text)
    said = read_object(wanted.place / EDGE_FILE)
    given = said.get("input")
    if isinstance(given, dict) and given.get("reads") in ("images", "texts"):
        refuse_other_rows(
            wanted.place, "the page", reads, reads_of=given["reads"], answers="classes"
        )
    classes = said.get("classes")
    if isinstance(classes, list) and wanted.positive is not None:
        require_class(wanted.positive, [str(name) for name in classes])


def require_class(positive: str, classes: Sequence[str]) -> None:
    """Insist that a page's model has a class.

    Raises:
        ModelError: it has not.
    """
    if positive not in classes:
        raise ModelError(
            f"the model has no class {positive!r}; it has {', '.join(classes)}. Correct "
            "--positive, or give --classes in the order of the outputs"
        )


def refuse_taken_folder(out: str, *, force: bool) -> None:
    """Refuse a place for Spark's files on this machine that is taken.

    Raises:
        InputError: something is there, or the name says another kind of file.
    """
    if out.endswith(".csv"):
        raise InputError(f"{out}: Spark writes a folder of Parquet files; name a folder")
    elsewhere = "://" in out or out.startswith("file:")
    if not elsewhere and os.path.lexists(out) and not force:
        raise InputError(f"{out} is there already; name another folder, or add --force")


def content_kind(names: Sequence[str], table: Path, *, image: str, text: str) -> str:
    """What the models are given: images or texts, by the columns that a table has.

    Args:
        names: its columns.
        table: what errors call it.
        image: the column of image paths.
        text: the column of texts.

    Raises:
        TableError: it has both columns, or neither.
    """
    there = [what for what, name in (("images", image), ("texts", text)) if name in names]
    if len(there) != 1:
        raise TableError(
            f"{table}: has {'both' if there else 'neither'} column {image!r} "
            f"{'and' if there else 'nor'} {text!r}; name the one that the model is "
            "given with --image or --text"
        )
    return there[0]


def refuse_other_rows(
    place: Path, architecture: str, reads: str, *, reads_of: str | None, answers: str
) -> None:
    """Refuse a model that reads something else than the table holds, or answers with tokens.

    Args:
        place: of the model.
        architecture: its class.
        reads: what the table holds.
        reads_of: what the model reads; None: not known yet.
        answers: what its outputs are about.

    Raises:
        UnsupportedError: it does.
    """
    if answers != "classes":
        raise UnsupportedError(
            f"{place}: {architecture} writes text, and 'predict' scores rows with classifiers and "
            "regressors; judge language models with 'prunegate run'"
        )
    if reads_of not in (None, reads):
        column = "--text" if reads_of == "texts" else "--image"
        raise UnsupportedError(
            f"{place}: {architecture} reads {reads_of}, and the table holds {reads}; give a table "
            f"with a column of {reads_of}, and its name where it has another ({column})"
        )


def named_classes(
    place: Path, config: Mapping[str, Any], positive: str | None = None
) -> tuple[str, ...]:
    """The names of a model's classes, in the order of its outputs.

    Raises:
        ModelError: as ``class_names``; where none are named, with what scores of a regressor need.
    """
    try:
        return class_names(config, positive)
    except ModelError as error:
        if {"id2label", "num_labels"} & config.keys():
            raise ModelError(f"{place}: {error}") from error
        raise ModelError(
            f"{place}: {error}. Where its outputs are numbers and no classes, as a regressor's, "
            "give --numbers"
        ) from error


def regressor_outputs(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a regressor's outputs; there is one where nobody names any."""
    named = {"id2label", "num_labels"} & config.keys()
    return outputs_named(config) if named else ("score",)


def output_place(place: Path, config: Mapping[str, Any], positive: str | None) -> int:
    """The number of a regressor's output whose answers are written.

    Args:
        place: of the model, for errors.
        config: the content of its config.json.
        positive: the output that is asked for; None: the only one.

    Raises:
        ModelError: there is no such output, or several and none is named.
    """
    names = regressor_outputs(config)
    if positive is None and len(names) == 1:
        return 0
    if positive is not None and names.count(positive) == 1:
        return names.index(positive)
    if len(names) == 1:
        raise ModelError(
            f"{place}: a regressor with one output, {names[0]!r}, and none called {positive!r}; "
            "leave out --positive"
        )
    raise ModelError(
        f"{place}: its outputs are {', '.join(names[:_SHOWN])}; name one of them: --positive"
    )


def _reads(name: str) -> str | None:
    """What a class of transformers reads, by its name."""
    if "ForImageClassification" in name:
        return "images"
    return "texts" if "ForSequenceClassification" in name else None
