"""Folder: everything a page is made of, by name, and the folder read again before it is judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from prunegate._version import __version__
from prunegate.compress.quantize import export_onnx
from prunegate.edge import EDGE_FILE
from prunegate.edge.description import (
    FORMAT,
    classes_of,
    decision_about,
    input_of,
    one_by_one,
    output_of,
    outputs_of,
    processing_of,
    require_classifier,
)
from prunegate.edge.npm_packages import RUNTIME, TOKENIZERS, NpmPackages, TakenPackage
from prunegate.edge.page_description import page_description
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.config_json import parse_object
from prunegate.models.load import LoadedModel
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.surgery import ONNX_FILE
from prunegate.predict.tokens import TOKENIZER_CONFIG_FILE, TOKENIZER_FILE

_PAGE = ("index.html", "page.css", "page.js", "scorer.js", "pixels.js")
_JUDGED = ("judged.html", "judged.js")
ENGINE = "wasm, SIMD, one thread"
"""How the runtime runs."""


@dataclass(frozen=True, kw_only=True)
class PageWishes:
    """What a page is to show beside what the model says of itself."""

    title: str
    positive: str | None = None
    """The class that is looked for."""
    thresholds: Mapping[str, float]
    """By class; of others 0.5."""
    judged: Mapping[str, float] = field(default_factory=dict)
    """By class: at what the candidate was judged, where that is another."""
    several: bool | None = None
    """Whether a row may have several classes, by the policy; None: as the model says."""


def edge_folder(model: LoadedModel, packages: NpmPackages, wishes: PageWishes) -> dict[str, bytes]:
    """Make a page.

    Args:
        model: the candidate; a float32 torch model is exported.
        packages: where what runs it comes from.
        wishes: what the page is to show.

    Returns:
        Bytes by file name; a name may begin with a folder's and ``/``.

    Raises:
        ModelError: the model does not say what its pictures or classes are.
        UnsupportedError: a model that no page can run.
    """
    require_classifier(model)
    processing = processing_of(model)  # refuses before anything is fetched or exported
    taken = _taken(model, packages)
    graph = _graph(model)
    files = {ONNX_FILE: graph.raw, **_tokenizer(model), **_own(_PAGE)}
    files |= {place: raw for package in taken for place, raw in package.files.items()}
    said: dict[str, Any] = {
        "format": FORMAT,
        "made_by": f"prunegate {__version__}",
        "title": wishes.title,
        "runtime": {"engine": ENGINE, **_told(taken[0])},
        "packages": [_told(package) for package in taken],
        **_of_model(model, graph, wishes),
        "processing": processing,
        "files": {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())},
    }
    return {**files, EDGE_FILE: _written(said)}


def _written(said: Mapping[str, Any]) -> bytes:
    """The bytes of edge.json, which this version would read again.

    Raises:
        ModelError: a title or class that no file can hold, or that no page can tell apart.
    """
    try:
        raw = (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError as error:
        raise ModelError(
            f"{error.object[error.start : error.end]!r} in the title or a class is no character; "
            "write --title or --classes in UTF-8"
        ) from error
    page_description(raw, EDGE_FILE)
    return raw


def _of_model(model: LoadedModel, graph: OnnxModule, wishes: PageWishes) -> dict[str, Any]:
    """How the graph is called, and what its answer means."""
    columns = outputs_of(model, graph)
    classes = classes_of(model, columns)
    several = one_by_one(model, columns) if wishes.several is None else wishes.several
    if wishes.several and model.activation == "softmax":
        raise ModelError(
            f"{model.place}: answers with a softmax, so that its labels exclude each other, and "
            "the policy's rows may have several ('kind: multilabel'); give --activation sigmoid "
            "if it was trained so"
        )
    return {
        "candidate": _candidate(model, exported=graph is not model.module),
        "input": asdict(input_of(model, graph)),
        "output": output_of(graph),
        "activation": model.activation,
        "classes": classes,
        "decision": asdict(decision_about(classes, several, wishes.positive, wishes.thresholds))
        | ({"judged": dict(wishes.judged)} if wishes.judged else {}),
    }


def _taken(model: LoadedModel, packages: NpmPackages) -> list[TakenPackage]:
    wanted = [RUNTIME, TOKENIZERS] if model.family.reads == "texts" else [RUNTIME]
    return [packages.take(one) for one in wanted]


def _told(package: TakenPackage) -> dict[str, str]:
    return {"package": package.name, "version": package.version, "license": package.license}


def _tokenizer(model: LoadedModel) -> dict[str, bytes]:
    """The tokenizer's own files, of a model that reads texts."""
    if model.family.reads != "texts":
        return {}
    found = {TOKENIZER_FILE: _read(model.folder, TOKENIZER_FILE)}
    config = model.folder / TOKENIZER_CONFIG_FILE
    found[TOKENIZER_CONFIG_FILE] = config.read_bytes() if config.exists() else b"{}"
    return found


def read_edge_folder(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Read a page's folder again, as it was made.

    Returns:
        Bytes by file name, and what edge.json says.

    Raises:
        ModelError: edge.json is damaged, or files are missing or others than it names.
    """
    raw = _read(folder, EDGE_FILE)
    said = parse_object(raw, str(folder / EDGE_FILE))
    named = page_description(raw, str(folder / EDGE_FILE)).files
    files = {name: _read(folder, name) for name in named}
    changed = [n for n in named if hashlib.sha256(files[n]).hexdigest() != named[n]]
    if changed:
        raise ModelError(
            f"{folder}: {changed[0]} is not what edge.json names; what would be judged is not what "
            "was made. Make the page again with 'prunegate edge'"
        )
    return {**files, EDGE_FILE: raw}, said


def judged_files() -> dict[str, bytes]:
    """What a page's folder needs beside it to be judged."""
    return _own(_JUDGED)


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(
            f"{folder / name}: cannot be read ({error.strerror}); copy the whole folder, or make "
            "it again with 'prunegate edge'"
        ) from error


def _graph(model: LoadedModel) -> OnnxModule:
    """What will run: the model's own graph, or its export."""
    if isinstance(model.module, OnnxModule):
        return model.module
    if model.storage.format != "float32":
        raise UnsupportedError(
            f"{model.place}: its eight-bit weights run in torch only; make an eight-bit ONNX model "
            "with 'quantize: {engine: onnxruntime}' in the policy's compress steps"
        )
    module, _ = export_onnx(model.module, model.family.example(model.config))
    return module


def _candidate(model: LoadedModel, *, exported: bool) -> dict[str, Any]:
    return {
        "digest": model.digest,
        "architecture": model.family.architecture,
        "parameters": model.parameters,
        "quantized": dict(model.storage.quantized),
        "exported": exported,
    }


def _own(names: tuple[str, ...]) -> dict[str, bytes]:
    place = resources.files("prunegate.edge") / "page"
    return {name: (place / name).read_bytes() for name in names}
