"""Models of transformers' own classes, judged as they are: no adapter, any precision, any shards.

The class is one of those that transformers' auto classes know for images, texts or language; it is
built and filled by transformers from bytes that were hashed here, never from a path, so nothing is
read twice and no code of the folder's is run. A tensor that is missing, left over or of another
shape is an error. Weights are computed in the precision that they are stored in, where the CPU can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from torch import Tensor, nn
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import activation_of
from prunegate.models.digest import digests_by_path, list_digest
from prunegate.models.family import Answers, Reads
from prunegate.models.in_turn import in_turn
from prunegate.models.judged_only import NO_UNITS, JudgedOnly
from prunegate.models.load import PREPROCESSOR_FILE, LoadedModel
from prunegate.models.refusals import CONFIG_FILE, class_name, refuse_class
from prunegate.models.snapshot import Snapshot
from prunegate.models.tensor_names import refuse_wrapped
from prunegate.models.weights import FLOATS, doubled_bytes, zeros_of
from prunegate.text.said import said

_NOT_OURS = ("auto_map", "dtype", "torch_dtype", "attn_implementation", "_attn_implementation")
_KNOWN: tuple[tuple[Mapping[str, Any], Reads, Answers], ...] = (
    (modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES, "images", "classes"),
    (modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES, "texts", "classes"),
    (modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, "texts", "next token"),
)
_MOST_PARAMETERS = 2_000_000_000


def load_from_library(
    folder: Path, *, regressors: bool = False, pickles: bool = False
) -> LoadedModel:
    """Load a Hugging Face folder of any class that transformers' auto classes know.

    Args:
        folder: of the model.
        regressors: whether models will do that answer with numbers.
        pickles: whether weights may be read from one, where there are no safetensors.

    Raises:
        ModelError: files missing, malformed or not fitting each other; NaN weights; pickles only.
        UnsupportedError: a class or number format that is not done here.
    """
    files = Snapshot.of(folder, pickles=pickles)
    told = _Described.of(files, regressors=regressors)
    state = files.state(half=True)
    precision, names = _widest(state), files.weight_files()
    module, warnings = _computing(_built(told, state, precision, folder / names[0]), told)
    if told.reads == "texts" and told.answers == "classes":
        module = in_turn(module, told.example())
    stored = sum(map(files.size, names))
    shown = told.reads == "images" and files.holds(PREPROCESSOR_FILE)
    counted = sum(parameter.numel() for parameter in module.parameters())
    return LoadedModel(
        module=module,
        family=told.family(counted),
        config=told.config,
        preprocessor=files.description(PREPROCESSOR_FILE) if shown else {},
        kept=NO_UNITS,
        digest=list_digest(files.files),
        files=digests_by_path(files.files),
        parameters=counted,
        active_heads=_heads(told.config),
        model_bytes=stored - doubled_bytes(module, state),
        bytes_found=stored,
        zeros=zeros_of(module),
        folder=folder,
        activation=activation_of(told.config),
        precision=str(precision).removeprefix("torch."),
        pickled=files.pickled(),
        warnings=warnings,
    )


@dataclass(frozen=True, kw_only=True)
class _Described:
    """What config.json says of a model."""

    name: str
    """Its class in transformers."""
    reads: Reads
    answers: Answers
    config: Mapping[str, Any]

    @classmethod
    def of(cls, files: Snapshot, *, regressors: bool) -> _Described:
        """Read it.

        Raises:
            ModelError: it is missing or malformed.
            UnsupportedError: a class that is not done here.
        """
        place = files.folder / CONFIG_FILE
        config = files.description(CONFIG_FILE)
        refuse_class(config, place, regressors=regressors)
        name = class_name(config, place)
        reads, answers = _known(name, place)
        return cls(name=name, reads=reads, answers=answers, config=config)

    def example(self) -> dict[str, Tensor]:
        """Two rows in the form that such models take."""
        return _texts_like(self.config) if self.reads == "texts" else _images_like(self.config)

    def family(self, counted: int) -> JudgedOnly:
        """What can be told of a model that is only judged, with so many parameters."""
        return JudgedOnly(
            architecture=self.name,
            reads=self.reads,
            answers=self.answers,
            counted=counted,
            heads=_heads(self.config),
            taken=self.example(),
        )


def _known(name: str, place: Path) -> tuple[Reads, Answers]:
    for names, reads, answers in _KNOWN:
        if any(name in (one if isinstance(one, tuple) else (one,)) for one in names.values()):
            return reads, answers
    raise UnsupportedError(
        f"{place}: transformers {transformers.__version__} has no class {name!r}; install a "
        "release that has it, or judge the model's predictions (prunegate gate)."
    )


def _widest(state: Mapping[str, Tensor]) -> torch.dtype:
    """The precision that loses nothing of any weight."""
    there = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
    if {torch.float16, torch.bfloat16} <= there:
        return torch.float32
    return max(there, key=FLOATS.index, default=torch.float32)


def _built(
    told: _Described, state: Mapping[str, Tensor], precision: torch.dtype, weights: Path
) -> nn.Module:
    if sum(tensor.numel() for tensor in state.values()) > _MOST_PARAMETERS:
        raise UnsupportedError(f"{weights.parent}: more than {_MOST_PARAMETERS:,} parameters.")
    wanted = {key: value for key, value in told.config.items() if key not in _NOT_OURS}
    model_class = getattr(transformers, told.name)
    try:
        with _silence():
            settings = CONFIG_MAPPING[str(told.config.get("model_type"))].from_dict(wanted)
            module, report = model_class.from_pretrained(
                None,
                config=settings,
                state_dict=dict(state),
                dtype=precision,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises types of its own from many places
        first = str(error).partition("\n")[0]
        raise ModelError(f"{weights}: transformers refuses it: {first}") from error
    refuse_wrapped(str(weights), report["missing_keys"], report["unexpected_keys"])
    wrong = {
        "missing tensors": report["missing_keys"],
        "unknown tensors": report["unexpected_keys"],
        "shapes that do not fit the config": report["mismatched_keys"],
    }
    for what, found in wrong.items():
        if found:
            some = "; ".join(sorted(str(one) for one in found)[:3])
            raise ModelError(
                f"{weights}: {what}: {some}. Save the whole model with save_pretrained."
            )
    return cast("nn.Module", module.eval())


@contextmanager
def _silence() -> Iterator[None]:
    """Keep bars and reports of transformers to itself, and the caller's random numbers."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _computing(module: nn.Module, told: _Described) -> tuple[nn.Module, tuple[str, ...]]:
    """The module in its own precision, or widened where the CPU cannot compute in that."""
    precision = next(module.parameters()).dtype
    if precision == torch.float32:
        return module, ()
    module.register_forward_pre_hook(_in_precision, with_kwargs=True)
    example = told.example()
    try:
        with torch.inference_mode():
            module(**example)
    except RuntimeError as error:
        module.float()
        first = str(error).partition("\n")[0]
        stored = str(precision).removeprefix("torch.")
        return module, (said("warning.widened", stored=stored, why=first),)
    return module, ()


def _in_precision(
    module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give a model pixels in the precision of its weights."""
    precision = next(module.parameters()).dtype
    return args, {
        key: value.to(precision)
        if isinstance(value, Tensor) and value.is_floating_point()
        else value
        for key, value in named.items()
    }


def _heads(config: Mapping[str, Any]) -> int | None:
    """Attention heads where the config counts them in the usual words."""
    layers, heads = config.get("num_hidden_layers"), config.get("num_attention_heads")
    if type(layers) is int and type(heads) is int:
        return layers * heads
    depths, several = config.get("depths"), config.get("num_heads")
    if isinstance(depths, list) and isinstance(several, list) and len(depths) == len(several):
        pairs = list(zip(depths, several, strict=True))
        if all(type(one) is int and type(other) is int for one, other in pairs):
            return sum(int(one) * int(other) for one, other in pairs)
    return None


def _texts_like(config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Two texts of four tokens, int64 [2, 4]."""
    end = config.get("eos_token_id")
    ids = torch.full((2, 4), end if type(end) is int else 1)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _images_like(config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Two black images, float32 [2, channels, height, width]."""
    vision = config.get("vision_config")  # of models that come from pairs of texts and images
    told = vision if isinstance(vision, Mapping) else config
    size = told.get("image_size", 224)
    height, width = size if isinstance(size, list) and len(size) == 2 else (size, size)
    channels = told.get("num_channels", 3)
    return {"pixel_values": torch.zeros(2, int(channels), int(height), int(width))}
