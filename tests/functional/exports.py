"""Exports to ONNX, each done once a session: a model that was exported before is read from a file.

A tiny model takes torch seconds to export, and whole commands export the same few models again and
again. That exports repeat to the byte is a law of its own (``unit/compress/test_export.py``), so
what torch made of a model stands for what it would make of it again. Checks of the answers stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Exporter = Callable[[Any, Mapping[str, Any]], Any]


def remembered(export: Exporter, folder: Path) -> Exporter:
    """``export`` of a module and its inputs to a model proto, remembered in ``folder``.

    Both workers may share the folder: a file appears whole or not at all.
    """
    import onnx

    folder.mkdir(parents=True, exist_ok=True)

    def exported(module: Any, example: Mapping[str, Any]) -> Any:
        path = folder / f"{_key(module, example)}.onnx"
        if not path.exists():
            whole = export(module, example).SerializeToString()
            part = folder / f"{path.stem}-{id(whole)}.part"
            part.write_bytes(whole)
            part.replace(path)
        return onnx.load_model_from_string(path.read_bytes())

    return exported


def _key(module: Any, example: Mapping[str, Any]) -> str:
    """Everything that an export depends on: the modules, their numbers, the form of the inputs."""
    config = getattr(module, "config", None)
    told = [repr(type(module)), repr(module), repr(config)]
    told += [f"{name} {given.dtype} {tuple(given.shape)}" for name, given in example.items()]
    digest = hashlib.sha256("\n".join(told).encode())
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
