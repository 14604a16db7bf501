"""Load models from folders: baselines as Hugging Face saves them, candidates with a manifest.

Local files only: no hub, no remote code, no pickle. Every file is hashed once, and the bytes that
are loaded must have that hash, so the digest in a record is the digest of the model that was
judged. A tensor that is missing or does not fit is an error; nothing is ever left random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.config_json import parse_object
from prunegate.models.digest import FileDigest, list_digest, tree_files
from prunegate.models.family import Family, family_of
from prunegate.models.kept_units import KeptUnits
from prunegate.models.sparse import count_zeros
from prunegate.models.surgery import FLOAT32, SURGERY_FILE, WEIGHTS_FILE, Storage, Surgery
from prunegate.models.surgery_json import from_json
from prunegate.models.weights import load_into, read_weights

if TYPE_CHECKING:
    from prunegate.models.onnx_module import OnnxModule
    from prunegate.models.saturation import Saturation

CONFIG_FILE = "config.json"
PREPROCESSOR_FILE = "preprocessor_config.json"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "generation_config.json",
    "chat_template.jinja",
)
"""What may lie beside a model that reads texts."""

_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}
_MOST_PARAMETERS = 2_000_000_000  # 8 GB of float32; above it the config is hostile or not a ViT


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in memory and what was read with it."""

    module: nn.Module
    """In evaluation mode, on the CPU; trainable where it is float32."""
    family: Family
    config: Mapping[str, Any]
    """config.json of the (unpruned) model."""
    preprocessor: Mapping[str, Any]
    """preprocessor_config.json; empty where the model reads texts."""
    kept: KeptUnits
    """The units that are there; all of them for a baseline."""
    digest: str
    """``tree_digest`` of the folder."""
    parameters: int
    """Parameters of the module."""
    active_heads: int
    """Attention heads of the module."""
    model_bytes: int
    """Size of the file that holds the model."""
    folder: Path
    storage: Storage = FLOAT32
    """How it is stored, hence what it runs in."""
    surgery: Surgery | None = None
    """The manifest, for a candidate that prunegate cut."""
    digest_with_papers: str = ""
    """The digest as earlier versions worked it out, with the README.md; empty: not worked out."""


def load_model(folder: Path) -> LoadedModel:
    """Load a candidate if the folder holds a surgery.json, else a Hugging Face model.

    Raises:
        ModelError: the folder cannot be used; the message says what to do.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    return read_candidate(folder) if (folder / SURGERY_FILE).exists() else load_baseline(folder)


def load_baseline(folder: Path) -> LoadedModel:
    """Load a Hugging Face folder: config.json, model.safetensors, preprocessor or tokenizer files.

    Raises:
        ModelError: files missing, malformed or not fitting each other; NaN weights; pickles only.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    files = _Snapshot.of(folder)
    files.refuse_other_formats(WEIGHTS_FILE)
    config = parse_object(files.read(CONFIG_FILE), str(folder / CONFIG_FILE))
    family = family_of(_architecture(config, folder / CONFIG_FILE))
    return _assemble(files, family, config, kept=family.whole(config), surgery=None)


def read_candidate(folder: Path, family: Family | None = None) -> LoadedModel:
    """Load a folder that ``save_candidate`` wrote: bit-exact and trainable.

    Args:
        folder: The folder.
        family: The adapter of a class that is not on the allow-list.

    Raises:
        ModelError: the manifest is malformed, or the weights are not the ones it describes.
        UnsupportedError: a class that this version does not do.
    """
    files = _Snapshot.of(folder)
    surgery = from_json(files.read(SURGERY_FILE), str(folder / SURGERY_FILE))
    family = family or family_of(surgery.architecture)
    _check_manifest(surgery, family.whole(surgery.config), folder)
    files.refuse_config()
    stored = surgery.storage.file
    files.refuse_other_formats(stored)
    if files.sha256(stored) != surgery.weights_sha256:
        raise ModelError(
            f"{folder / stored}: not the weights that surgery.json describes (sha256 "
            "differs); the folder was changed after it was saved. Compress again, or restore it."
        )
    return _assemble(files, family, surgery.config, kept=surgery.kept, surgery=surgery)


def saturation(model: LoadedModel) -> Saturation | None:
    """What a look through the model's eight-bit products found; None: it is no ONNX model."""
    return getattr(model.module, "saturation", None) if model.storage.format == "onnx" else None


def exactly(model: LoadedModel) -> LoadedModel:
    """Return an ONNX model as processors compute it on which nothing saturates."""
    return replace(model, module=cast("OnnxModule", model.module).exactly())


def _assemble(
    files: _Snapshot,
    family: Family,
    config: Mapping[str, Any],
    *,
    kept: KeptUnits,
    surgery: Surgery | None,
) -> LoadedModel:
    parameters = family.parameters(config, kept)
    # The skeleton is built whole and then cut, so it is the whole that has to fit in memory.
    if family.parameters(config, family.whole(config)) > _MOST_PARAMETERS:
        raise UnsupportedError(
            f"{files.folder}: the config describes more than {_MOST_PARAMETERS:,} parameters."
        )
    if surgery is not None and parameters != surgery.parameters:
        raise ModelError(
            f"{files.folder / SURGERY_FILE}: states {surgery.parameters:,} parameters; what it "
            f"keeps has {parameters:,}. Compress again."
        )
    preprocessor = {}
    if family.reads == "images":
        place = str(files.folder / PREPROCESSOR_FILE)
        preprocessor = parse_object(files.read(PREPROCESSOR_FILE), place)
    storage = surgery.storage if surgery is not None else FLOAT32
    module = _module(files, family, config, kept, storage)
    if surgery is not None and surgery.zeros is not None and storage.format == "float32":
        _check_zeros(count_zeros(module, family), surgery.zeros, files.folder)
    return LoadedModel(
        module=module,
        family=family,
        config=config,
        preprocessor=preprocessor,
        kept=kept,
        digest=list_digest(files.files),
        digest_with_papers=list_digest(files.files, papers=True),
        parameters=parameters,
        active_heads=family.active_heads(config, kept),
        model_bytes=files.size(storage.file),
        folder=files.folder,
        storage=storage,
        surgery=surgery,
    )


def _module(
    files: _Snapshot, family: Family, config: Mapping[str, Any], kept: KeptUnits, storage: Storage
) -> nn.Module:
    """Build what the folder stores."""
    raw, name = files.read(storage.file), str(files.folder / storage.file)
    if storage.format == "onnx":
        from prunegate.models.onnx_module import OnnxModule  # needs the extra "edge"

        graph = OnnxModule(raw, name)
        _check_graph(graph, storage, set(family.example(config)))
        return graph
    state = read_weights(raw, name)
    module = family.skeleton(config, kept)
    if storage.format == "int8":
        from prunegate.models.int8 import load_int8, prepare_int8

        prepare_int8(module, **_settings(storage, name))
        load_int8(module, state, name)
    else:
        load_into(module, family.rename(state), name)
    return module


def _check_zeros(found: int, stated: int, folder: Path) -> None:
    if found != stated:
        raise ModelError(
            f"{folder / SURGERY_FILE}: states {stated:,} zeros among the weights; there are "
            f"{found:,}. Compress again."
        )


def _check_graph(graph: OnnxModule, storage: Storage, inputs: set[str]) -> None:
    """Hold a graph against what is said about it."""
    if set(graph.inputs) != inputs:
        raise ModelError(
            f"{graph.name}: takes {', '.join(graph.inputs)}; the model of surgery.json takes "
            f"{', '.join(sorted(inputs))}. Compress again."
        )
    if graph.scales_by_batch and storage.quantized.get("kind") != "dynamic":
        raise ModelError(
            f"{graph.name}: scales activations as they come, surgery.json does not say 'dynamic'. "
            "Compress again."
        )


def _settings(storage: Storage, name: str) -> dict[str, Any]:
    """How a torch int8 model was quantized; a manifest may say anything."""
    found = dict(storage.quantized)
    known = (
        found.keys() == {"kind", "per_channel", "embeddings"}
        and found["kind"] in ("dynamic", "weight_only")
        and isinstance(found["per_channel"], bool)
        and isinstance(found["embeddings"], bool | None)
    )
    if not known:
        raise ModelError(
            f"{name}: surgery.json says it is quantized as {found}, which is not known; compress "
            "again."
        )
    return found


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

    def refuse_other_formats(self, stored: str) -> None:
        """Say what to do about weights that are stored in another way."""
        names = {file.path for file in self.files}
        if stored in names:
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

    def refuse_config(self) -> None:
        """A candidate has none: see ``save``."""
        if any(file.path == CONFIG_FILE for file in self.files):
            raise ModelError(
                f"{self.folder}: {CONFIG_FILE} stands beside {SURGERY_FILE}; with it "
                "from_pretrained would build the unpruned model and leave what was removed random. "
                "Take it away; prunegate.load_candidate needs none."
            )

    def _file(self, name: str) -> FileDigest:
        for file in self.files:
            if file.path == name:
                return file
        raise ModelError(f"{self.folder}: {name} is missing; save the whole model there.")


def _architecture(config: Mapping[str, Any], place: Path) -> object:
    if "architecture" in config and "architectures" not in config:
        raise UnsupportedError(
            f"{place.parent}: a model of timm; a plain ViT can be converted once, with "
            "prunegate.models.timm_vit.convert(folder, new_folder)."
        )
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1:
        raise ModelError(
            f"{place}: architectures is {names!r}; expected a list of one class name. Save the "
            "model with save_pretrained."
        )
    return names[0]


def _check_manifest(surgery: Surgery, whole: KeptUnits, folder: Path) -> None:
    """Hold what a manifest says against the unpruned model that it names."""
    name = folder / SURGERY_FILE
    named = _architecture(surgery.config, name)
    if named != surgery.architecture:
        raise ModelError(f"{name}: a {surgery.architecture}, but its config is a {named}'s.")
    _check_indices(surgery.kept, whole, name)
    for kind, ranking in surgery.importance.items():
        if tuple(map(len, ranking.shares)) != whole.counts(kind):
            raise ModelError(
                f"{name}: importance: not one share for each of the {kind}. Compress again."
            )
    if surgery.storage.format == "float32" and surgery.storage.quantized:
        raise ModelError(f"{name}: float32 weights that are said to be quantized. Compress again.")


def _check_indices(kept: KeptUnits, whole: KeptUnits, name: Path) -> None:
    if set(kept.kinds) != set(whole.kinds):
        raise ModelError(
            f"{name}: keeps {', '.join(kept.kinds)}; this architecture has "
            f"{', '.join(whole.kinds)}."
        )
    for kind in whole.kinds:
        left, units = kept.of(kind), whole.counts(kind)
        if len(left) != len(units):
            raise ModelError(f"{name}: {kind} of {len(left)} rows; the config has {len(units)}.")
        for row, (indices, count) in enumerate(zip(left, units, strict=True)):
            if indices and indices[-1] >= count:
                raise ModelError(
                    f"{name}: {kind}: row {row}: index {indices[-1]}; there are {count}."
                )
