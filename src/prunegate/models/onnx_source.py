"""Load an ONNX model that others made: one file, with its weights inside or beside it.

Descriptions are those of Hugging Face where they lie beside the file: config.json for the classes,
preprocessor_config.json, tokenizer.json. External data are read from the folder only, from bytes
that were hashed, and put into the graph; local functions are spelled out. What is left is opened
with the same suspicion as any ONNX file here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.digest import digests_by_path, home_of, hub_snapshot, list_digest
from prunegate.models.foreign_onnx import ForeignOnnx, example_of
from prunegate.models.judged_only import NO_UNITS, JudgedOnly
from prunegate.models.load import PREPROCESSOR_FILE, LoadedModel
from prunegate.models.onnx_file import edge, graphs
from prunegate.models.onnx_interface import Interface, interface_of
from prunegate.models.onnx_weights import stored_weights
from prunegate.models.refusals import CONFIG_FILE
from prunegate.models.snapshot import Snapshot
from prunegate.models.surgery import Storage
from prunegate.policy.model_source import ModelSource

_LARGEST = 2**31 - 1


def load_onnx(file: Path, said: ModelSource, *, whole_folder: bool) -> LoadedModel:
    """Load an ONNX file.

    Args:
        file: the file.
        said: what the policy says of it.
        whole_folder: whether the folder was named, all of which the digest is then of.

    Raises:
        ModelError: malformed, or an interface that neither graph nor policy tells.
        UnsupportedError: what cannot be run here, or no extra ``edge``.
    """
    home = home_of(file)
    files = Snapshot(folder=home, files=Snapshot.of(home if whole_folder else file).files)
    graph, beside = _graph(file, files)
    config = _described(files, CONFIG_FILE)
    interface = interface_of(graph, str(file), said, config)
    _one_output(graph, interface.output)
    module = _module(graph, file, interface, config)
    weights = stored_weights(graph)
    stored = sum(files.size(name) for name in (_within(file, home), *beside.files))
    dynamic = {"kind": "dynamic"} if module.scales_by_batch else {}
    return LoadedModel(
        module=module,
        family=JudgedOnly(
            architecture="ONNX",
            reads=interface.reads,
            answers=interface.answers,
            counted=weights.count,
            taken=example_of(interface),
        ),
        config=config,
        preprocessor=_described(files, PREPROCESSOR_FILE),
        kept=NO_UNITS,
        digest=list_digest(files.files),
        files=digests_by_path(files.files),
        parameters=weights.count,
        active_heads=None,
        model_bytes=stored + beside.shared - weights.spare,
        bytes_found=stored,
        zeros=weights.zeros,
        quantized=weights.quantized,
        folder=home,
        graph=file,
        named=None if whole_folder else file,
        storage=Storage(format="onnx", quantized=dynamic),
        activation=interface.activation,
        precision="onnx",
    )


def _within(file: Path, home: Path) -> str:
    return file.relative_to(hub_snapshot(home)).as_posix()


@dataclass(kw_only=True)
class _Beside:
    """What was read of files beside a graph."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: set[tuple[str, int, int]] = field(default_factory=set)
    shared: int = 0
    """Bytes that a further tensor reads where another one lies, hence stored once."""


def _graph(file: Path, files: Snapshot) -> tuple[Any, _Beside]:
    """The parsed graph with its external data inside, and what was read of them."""
    onnx = edge("onnx")
    raw = files.read(_within(file, files.folder))
    try:
        model = onnx.load_model_from_string(raw)
    except Exception as error:  # protobuf's DecodeError; its module is not ours to import
        raise ModelError(f"{file}: not an ONNX file; export the model again.") from error
    if not (model.graph.node and model.graph.output):
        raise ModelError(f"{file}: not an ONNX model with inputs and outputs; export it again.")
    beside = _Beside()
    for tensor in _stored(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _take_in(tensor, file, files, beside)
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    used = {node.domain for graph in graphs(model.graph) for node in graph.node} | {"", "ai.onnx"}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model, beside


def _stored(model: Any) -> Iterator[Any]:
    for graph in graphs(model.graph):
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)


def _take_in(tensor: Any, file: Path, files: Snapshot, beside: _Beside) -> None:
    """Put the bytes of a tensor that is stored beside the graph into it."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    place = PurePosixPath(told.get("location", ""))
    name = (PurePosixPath(_within(file, files.folder)).parent / place).as_posix()
    if not place.parts or place.is_absolute() or ".." in place.parts or "\\" in str(place):
        raise UnsupportedError(
            f"{file}: {tensor.name!r} is stored at {str(place)!r}, outside the model's folder, "
            "where no digest covers it; save the model with its weights beside it."
        )
    if not files.holds(name):
        raise ModelError(
            f"{file}: {tensor.name!r} is stored in {str(place)!r}, which does not belong to the "
            f"model: it is missing, or is not named after it ({file.name}.data). Copy it, or name "
            "the folder in the place of the file."
        )
    if name not in beside.files:
        beside.files[name] = files.read(name)
    blob = beside.files[name]
    try:
        start = int(told.get("offset", 0))
        length = int(told.get("length", len(blob) - start))
    except ValueError as error:
        raise ModelError(
            f"{file}: where {tensor.name!r} lies in {name} is no number; export the model again."
        ) from error
    if not 0 <= start <= start + length <= len(blob):
        raise ModelError(f"{file}: {tensor.name!r} lies beyond the end of {name}; copy it again.")
    lies = (name, start, length)
    beside.shared += length if lies in beside.ranges else 0
    beside.ranges.add(lies)
    tensor.raw_data = blob[start : start + length]
    del tensor.external_data[:]
    tensor.data_location = edge("onnx").TensorProto.DEFAULT


def _module(graph: Any, file: Path, interface: Interface, config: Mapping[str, Any]) -> ForeignOnnx:
    """The graph in one piece, as it is run.

    Raises:
        UnsupportedError: it is too large for that.
    """
    raw = graph.SerializeToString()
    if len(raw) > _LARGEST:
        raise UnsupportedError(f"{file}: larger than 2 GB, which ONNX cannot hold in one piece.")
    pad = config.get("pad_token_id")
    return ForeignOnnx(raw, str(file), interface, pad=pad if type(pad) is int else 0)


def _one_output(model: Any, name: str) -> None:
    """Leave the output that is judged."""
    kept = [value for value in model.graph.output if value.name == name]
    del model.graph.output[:]
    model.graph.output.extend(kept)


def _described(files: Snapshot, name: str) -> dict[str, Any]:
    """A description that lies beside the file; empty where there is none."""
    return files.description(name) if files.holds(name) else {}
