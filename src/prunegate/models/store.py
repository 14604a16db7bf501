"""Load models from folders: baselines as Hugging Face saves them, candidates with a manifest.

Local files only: no hub, no remote code, no pickle. Every file is hashed once, and the bytes that
are loaded must have that hash, so the digest in a record is the digest of the model that was
judged. A tensor that is missing or does not fit is an error; nothing is ever left random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.digest import FileDigest, list_digest, tree_files
from prunegate.models.family import Family, family_of
from prunegate.models.kept import Kept
from prunegate.models.strict_json import parse_object
from prunegate.models.surgery import SURGERY_FILE, Surgery
from prunegate.models.surgery_json import from_json
from prunegate.models.weights import WEIGHTS_FILE, load_into, read_weights

CONFIG_FILE = "config.json"
PREPROCESSOR_FILE = "preprocessor_config.json"

_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}
_MOST_PARAMETERS = 2_000_000_000  # 8 GB of float32; above it the config is hostile or not a ViT


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in memory and what was read with it."""

    module: nn.Module
    """In evaluation mode, on the CPU, float32, trainable."""
    family: Family
    config: Mapping[str, Any]
    """config.json of the (unpruned) model."""
    preprocessor: Mapping[str, Any]
    """preprocessor_config.json."""
    kept: Kept
    """The units that are there; all of them for a baseline."""
    digest: str
    """``tree_digest`` of the folder."""
    parameters: int
    """Parameters of the module."""
    active_heads: int
    """Attention heads of the module."""
    model_bytes: int
    """Size of model.safetensors."""
    folder: Path
    surgery: Surgery | None = None
    """The manifest, for a candidate that prunegate cut."""


def load_model(folder: Path) -> LoadedModel:
    """Load a candidate if the folder holds a surgery.json, else a Hugging Face model.

    Raises:
        ModelError: the folder cannot be used; the message says what to do.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    return load_candidate(folder) if (folder / SURGERY_FILE).exists() else load_baseline(folder)


def load_baseline(folder: Path) -> LoadedModel:
    """Load a Hugging Face folder: config.json, model.safetensors, preprocessor_config.json.

    Raises:
        ModelError: files missing, malformed or not fitting each other; NaN weights; pickles only.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    files = _Snapshot.of(folder)
    files.refuse_other_formats()
    config = parse_object(files.read(CONFIG_FILE), str(folder / CONFIG_FILE))
    family = family_of(_architecture(config, folder))
    return _assemble(files, family, config, kept=family.whole(config), surgery=None)


def load_candidate(folder: Path) -> LoadedModel:
    """Load a folder that ``save_candidate`` wrote: bit-exact and trainable.

    Raises:
        ModelError: the manifest is malformed, or the weights are not the ones it describes.
        UnsupportedError: a class that this version does not do.
    """
    files = _Snapshot.of(folder)
    files.refuse_other_formats()
    surgery = from_json(files.read(SURGERY_FILE), str(folder / SURGERY_FILE))
    family = family_of(surgery.architecture)
    _check_indices(surgery.kept, family.whole(surgery.config), folder)
    if files.sha256(WEIGHTS_FILE) != surgery.weights_sha256:
        raise ModelError(
            f"{folder / WEIGHTS_FILE}: not the weights that surgery.json describes (sha256 "
            "differs); the folder was changed after it was saved. Compress again, or restore it."
        )
    return _assemble(files, family, surgery.config, kept=surgery.kept, surgery=surgery)


def _assemble(
    files: _Snapshot,
    family: Family,
    config: Mapping[str, Any],
    *,
    kept: Kept,
    surgery: Surgery | None,
) -> LoadedModel:
    parameters = family.parameters(config, kept.counts("heads"), kept.counts("neurons"))
    whole = family.whole(config)
    # The skeleton is built whole and then cut, so it is the whole that has to fit in memory.
    if family.parameters(config, whole.counts("heads"), whole.counts("neurons")) > _MOST_PARAMETERS:
        raise UnsupportedError(
            f"{files.folder}: the config describes more than {_MOST_PARAMETERS:,} parameters."
        )
    if surgery is not None and parameters != surgery.parameters:
        raise ModelError(
            f"{files.folder / SURGERY_FILE}: states {surgery.parameters:,} parameters; what it "
            f"keeps has {parameters:,}. Compress again."
        )
    weights = str(files.folder / WEIGHTS_FILE)
    state = family.rename(read_weights(files.read(WEIGHTS_FILE), weights))
    preprocessor = parse_object(
        files.read(PREPROCESSOR_FILE), str(files.folder / PREPROCESSOR_FILE)
    )
    module = family.skeleton(config, kept)
    load_into(module, state, weights)
    return LoadedModel(
        module=module,
        family=family,
        config=config,
        preprocessor=preprocessor,
        kept=kept,
        digest=list_digest(files.files),
        parameters=parameters,
        active_heads=kept.active_heads,
        model_bytes=files.size(WEIGHTS_FILE),
        folder=files.folder,
        surgery=surgery,
    )


@dataclass(frozen=True, kw_only=True)
class _Snapshot:
    """A folder as it was when hashed; reads that do not match are refused."""

    folder: Path
    files: tuple[FileDigest, ...]

    @classmethod
    def of(cls, folder: Path) -> _Snapshot:
        return cls(folder=folder, files=tree_files(folder))

    def read(self, name: str) -> bytes:
        expected = self._file(name).sha256
        try:
            raw = (self.folder / name).read_bytes()
        except OSError as error:
            raise ModelError(f"{self.folder / name}: cannot be read ({error.strerror}).") from error
        if hashlib.sha256(raw).hexdigest() != expected:
            raise ModelError(f"{self.folder / name}: changed while it was being loaded; try again.")
        return raw

    def sha256(self, name: str) -> str:
        return self._file(name).sha256

    def size(self, name: str) -> int:
        return self._file(name).size

    def refuse_other_formats(self) -> None:
        """Say what to do about weights that are stored in another way."""
        names = {file.path for file in self.files}
        if WEIGHTS_FILE in names:
            return
        if f"{WEIGHTS_FILE}.index.json" in names:
            raise UnsupportedError(
                f"{self.folder}: the weights are split over several files; save them as one: "
                "model.save_pretrained(folder, max_shard_size='100GB')."
            )
        pickles = sorted(name for name in names if Path(name).suffix in _PICKLES)
        if pickles:
            raise ModelError(
                f"{self.folder}: {pickles[0]} is a pickle, which can run code when loaded; "
                "convert it where you trust it: model.save_pretrained(folder) writes "
                f"{WEIGHTS_FILE}."
            )

    def _file(self, name: str) -> FileDigest:
        for file in self.files:
            if file.path == name:
                return file
        raise ModelError(f"{self.folder}: {name} is missing; save the whole model there.")


def _architecture(config: Mapping[str, Any], folder: Path) -> object:
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1:
        raise ModelError(
            f"{folder / CONFIG_FILE}: architectures is {names!r}; expected a list of one class "
            "name. Save the model with save_pretrained."
        )
    return names[0]


def _check_indices(kept: Kept, whole: Kept, folder: Path) -> None:
    for kind, left, units in (
        ("heads", kept.heads, whole.heads),
        ("neurons", kept.neurons, whole.neurons),
    ):
        if len(left) != len(units):
            raise ModelError(
                f"{folder / SURGERY_FILE}: {kind} of {len(left)} layers; the config has "
                f"{len(units)}."
            )
        for layer, (indices, all_units) in enumerate(zip(left, units, strict=True)):
            if indices[-1] >= len(all_units):
                raise ModelError(
                    f"{folder / SURGERY_FILE}: {kind} of layer {layer}: index {indices[-1]}; "
                    f"the layer has {len(all_units)}."
                )
