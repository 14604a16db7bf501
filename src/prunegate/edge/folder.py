"""Folder: everything a page is made of, by name, and the folder read again before it is judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

from prunegate import __version__
from prunegate.compress.quantize import export_onnx
from prunegate.edge.description import (
    EDGE_FILE,
    FORMAT,
    classes_of,
    decision_about,
    picture_input,
    processing_of,
    require_pictures,
)
from prunegate.edge.runtime_package import PACKAGE, RuntimePackage
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.config_json import parse_object
from prunegate.models.foreign_onnx import ForeignOnnx
from prunegate.models.load import LoadedModel
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.surgery import ONNX_FILE

_PAGE = ("index.html", "page.css", "page.js", "scorer.js", "pixels.js")
_JUDGED = ("judged.html", "judged.js")


@dataclass(frozen=True, kw_only=True)
class PageWishes:
    """What a page is to show beside what the model says of itself."""

    title: str
    positive: str | None = None
    """The class that is looked for."""
    thresholds: Mapping[str, float]
    """By class; of others 0.5."""


def edge_folder(
    model: LoadedModel, runtime: RuntimePackage, wishes: PageWishes
) -> dict[str, bytes]:
    """Make a page.

    Args:
        model: the candidate; a float32 torch model is exported.
        runtime: what runs it.
        wishes: what the page is to show.

    Returns:
        Bytes by file name; a name may begin with a folder's and ``/``.

    Raises:
        ModelError: the model does not say what its pictures or classes are.
        UnsupportedError: a model that no page can run.
    """
    require_pictures(model)
    processing = processing_of(model)
    graph = _graph(model)
    given = picture_input(model, graph)
    columns = graph.interface.columns if isinstance(graph, ForeignOnnx) else None
    classes = classes_of(model, columns)
    several = model.activation == "sigmoid" and len(classes) > 2
    decision = decision_about(classes, several, wishes.positive, wishes.thresholds)
    files = {ONNX_FILE: graph.raw, **runtime.files, **_own(_PAGE)}
    said: dict[str, Any] = {
        "format": FORMAT,
        "made_by": f"prunegate {__version__}",
        "title": wishes.title,
        "candidate": _candidate(model, exported=graph is not model.module),
        "runtime": {
            "package": PACKAGE,
            "version": runtime.version,
            "license": "MIT",
            "engine": "wasm, SIMD, one thread",
        },
        "input": asdict(given),
        "output": given.output,
        "activation": model.activation,
        "processing": processing,
        "classes": classes,
        "decision": asdict(decision),
        "files": {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())},
    }
    return {**files, EDGE_FILE: (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()}


def read_edge_folder(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Read a page's folder again, as it was made.

    Returns:
        Bytes by file name, and what edge.json says.

    Raises:
        ModelError: files are missing, or are others than edge.json names.
    """
    raw = _read(folder, EDGE_FILE)
    said = parse_object(raw, str(folder / EDGE_FILE))
    named, classes = said.get("files"), said.get("classes")
    if said.get("format") != FORMAT or not isinstance(named, dict) or not isinstance(classes, list):
        raise ModelError(
            f"{folder / EDGE_FILE}: not written by this version of prunegate; make the page again "
            "with 'prunegate edge'"
        )
    files = {name: _read(folder, name) for name in named if _is_plain(name)}
    changed = [n for n in named if hashlib.sha256(files.get(n, b"")).hexdigest() != named[n]]
    if changed:
        raise ModelError(
            f"{folder}: {changed[0]} is not what edge.json names; what would be judged is not what "
            "was made. Make the page again with 'prunegate edge'"
        )
    return {**files, EDGE_FILE: raw}, said


def judged_files() -> dict[str, bytes]:
    """What a page's folder needs beside it to be judged."""
    return _own(_JUDGED)


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


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
    assert isinstance(module, OnnxModule)  # noqa: S101  # that is what export returns
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
