"""Load models that can be pruned: baselines as Hugging Face saves them, candidates with a manifest.

Local files only: no hub, no remote code, a pickle only where the caller allows it. A tensor that is
missing or does not fit is an error; nothing is ever left random. Models that can only be judged:
``open_model.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor, nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import Activation, activation_of
from prunegate.models.digest import digests_by_path, list_digest
from prunegate.models.family import Family, family_of
from prunegate.models.kept_units import KeptUnits
from prunegate.models.refusals import CONFIG_FILE, class_name
from prunegate.models.snapshot import Snapshot
from prunegate.models.sparse import count_zeros
from prunegate.models.surgery import FLOAT32, SURGERY_FILE, Storage, Surgery
from prunegate.models.surgery_json import from_json
from prunegate.models.weights import (
    doubled_bytes,
    load_into,
    read_weights,
    stored_once,
    zeros_of,
)

if TYPE_CHECKING:
    from prunegate.models.onnx_module import OnnxModule
    from prunegate.models.saturation import Saturation

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
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 by path of what that digest covers."""
    parameters: int
    """Parameters of the module."""
    active_heads: int | None
    """Attention heads of the module; None: nobody can tell."""
    model_bytes: int
    """Bytes of the files that hold the model, as the gate would store it: each tied weight once,
    and nothing that is no weight (masks that earlier releases of transformers kept)."""
    folder: Path
    storage: Storage = FLOAT32
    """How it is stored, hence what it runs in."""
    surgery: Surgery | None = None
    """The manifest, for a candidate that prunegate cut."""
    digest_with_papers: str = ""
    """The digest as earlier versions worked it out, with the README.md; empty: not worked out."""
    activation: Activation = "softmax"
    """What makes probabilities of its answers."""
    graph: Path | None = None
    """The ONNX file, of a model from elsewhere."""
    named: Path | None = None
    """The file that was named in the place of a folder."""
    bytes_found: int | None = None
    """Bytes of its files as they were found; None: as ``model_bytes``."""
    zeros: int | None = None
    """Weights that are zero, of those with two dimensions or more; None: not counted."""
    quantized: bool = False
    """Whether its weights are whole numbers, of which rounding makes some zero."""
    precision: str = "float32"
    """What its weights are stored in."""
    pickled: tuple[str, ...] = ()
    """Pickles that its weights were read from, by torch's weights_only reader."""
    warnings: tuple[str, ...] = ()
    """What a reader of a verdict should know of how it was loaded."""

    @property
    def place(self) -> Path:
        """What its digest is of: the folder, or the ONNX file with what belongs to it."""
        return self.named or self.folder


def load_model(folder: Path, *, pickles: bool = False) -> LoadedModel:
    """Load a candidate if the folder holds a surgery.json, else a Hugging Face model.

    Args:
        folder: The folder.
        pickles: As of ``load_baseline``.

    Raises:
        ModelError: the folder cannot be used; the message says what to do.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    if (folder / SURGERY_FILE).exists():
        return read_candidate(folder)
    return load_baseline(folder, pickles=pickles)


def load_baseline(folder: Path, *, pickles: bool = False) -> LoadedModel:
    """Load a Hugging Face folder: config.json, model.safetensors, preprocessor or tokenizer files.

    Args:
        folder: The folder.
        pickles: Whether weights may be read from one, where there are no safetensors.

    Raises:
        ModelError: files missing, malformed or not fitting each other; NaN weights; pickles only.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    files = Snapshot.of(folder, pickles=pickles)
    files.weight_files()
    config = files.description(CONFIG_FILE)
    family = family_of(class_name(config, folder / CONFIG_FILE))
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
    files = Snapshot.of(folder)
    surgery = from_json(files.read(SURGERY_FILE), str(folder / SURGERY_FILE))
    family = family or family_of(surgery.architecture)
    _check_manifest(surgery, family.whole(surgery.config), folder)
    files.refuse_config()
    stored = surgery.storage.file
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
    files: Snapshot,
    family: Family,
    config: Mapping[str, Any],
    *,
    kept: KeptUnits,
    surgery: Surgery | None,
) -> LoadedModel:
    parameters = _parameters(files.folder, family, config, kept=kept, surgery=surgery)
    preprocessor = files.description(PREPROCESSOR_FILE) if family.reads == "images" else {}
    if surgery is None:
        storage, built = FLOAT32, _as_published(files, family, config, kept)
    else:
        storage, built = surgery.storage, _as_saved(files, family, surgery)
    stored = sum(map(files.size, built.names))
    return LoadedModel(
        module=built.module,
        family=family,
        config=config,
        preprocessor=preprocessor,
        kept=kept,
        digest=list_digest(files.files),
        files=digests_by_path(files.files),
        digest_with_papers=list_digest(files.files, papers=True),
        parameters=parameters,
        active_heads=family.active_heads(config, kept),
        model_bytes=stored - built.spare,
        bytes_found=stored,
        zeros=built.zeros,
        quantized=bool(storage.quantized),
        folder=files.folder,
        storage=storage,
        surgery=surgery,
        pickled=files.pickled(),
        activation=activation_of(config),
    )


def _parameters(
    folder: Path,
    family: Family,
    config: Mapping[str, Any],
    *,
    kept: KeptUnits,
    surgery: Surgery | None,
) -> int:
    """Parameters of what is kept.

    Raises:
        UnsupportedError: a whole that does not fit in memory; it is built before it is cut.
        ModelError: a manifest that states another number.
    """
    if family.parameters(config, family.whole(config)) > _MOST_PARAMETERS:
        raise UnsupportedError(
            f"{folder}: the config describes more than {_MOST_PARAMETERS:,} parameters."
        )
    parameters = family.parameters(config, kept)
    if surgery is not None and parameters != surgery.parameters:
        raise ModelError(
            f"{folder / SURGERY_FILE}: states {surgery.parameters:,} parameters; what it "
            f"keeps has {parameters:,}. Compress again."
        )
    return parameters


@dataclass(frozen=True, kw_only=True)
class _Built:
    """A module with its weights, and how they lie in files."""

    module: nn.Module
    names: tuple[str, ...]
    """The files that hold the weights."""
    spare: int
    """Bytes in them that need not be stored: doubled weights, and what is no weight."""
    zeros: int
    """Weights that are zero, of those with two dimensions or more."""


def _as_published(
    files: Snapshot, family: Family, config: Mapping[str, Any], kept: KeptUnits
) -> _Built:
    """Build a model as transformers saves it, without what is no weight."""
    found = files.state()
    state = family.rename(found)
    dropped = sum(one.nbytes for one in found.values()) - sum(one.nbytes for one in state.values())
    module = family.skeleton(config, kept)
    names = files.weight_files()
    load_into(module, state, str(files.folder / names[0]))
    doubled, zeros = _doubled_and_zeros(module, state)
    return _Built(module=module, names=names, spare=dropped + doubled, zeros=zeros)


def _as_saved(files: Snapshot, family: Family, surgery: Surgery) -> _Built:
    """Build a candidate as its manifest says.

    Raises:
        ModelError: its weights are not as the manifest says.
    """
    module = _module(files, family, surgery)
    doubled, zeros = _doubled_and_zeros(module, stored_once(module))
    if surgery.zeros is not None and surgery.storage.format == "float32":
        _check_zeros(count_zeros(module, family), surgery.zeros, files.folder)
    return _Built(module=module, names=(surgery.storage.file,), spare=doubled, zeros=zeros)


def _module(files: Snapshot, family: Family, surgery: Surgery) -> nn.Module:
    """Build what a candidate's folder stores."""
    storage, config = surgery.storage, surgery.config
    raw, name = files.read(storage.file), str(files.folder / storage.file)
    if storage.format == "onnx":
        from prunegate.models.onnx_module import OnnxModule  # needs the extra "edge"

        graph = OnnxModule(raw, name)
        _check_graph(graph, storage, set(family.example(config)))
        return graph
    state = read_weights(raw, name)
    module = family.skeleton(config, surgery.kept)
    if storage.format == "int8":
        from prunegate.models.int8 import load_int8, prepare_int8

        prepare_int8(module, **_settings(storage, name))
        load_int8(module, state, name)
    else:
        load_into(module, family.rename(state), name)
    return module


def _doubled_and_zeros(module: nn.Module, state: Mapping[str, Tensor]) -> tuple[int, int]:
    """Bytes that need not be stored, and weights that are zero, whatever holds them."""
    raw = getattr(module, "raw", None)
    if raw is None:
        return doubled_bytes(module, state), zeros_of(module)
    from prunegate.models.onnx_file import read_onnx  # needs the extra "edge"
    from prunegate.models.onnx_weights import stored_weights

    found = stored_weights(read_onnx(raw))
    return found.spare, found.zeros


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


def _check_manifest(surgery: Surgery, whole: KeptUnits, folder: Path) -> None:
    """Hold what a manifest says against the unpruned model that it names."""
    name = folder / SURGERY_FILE
    named = class_name(surgery.config, name)
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
