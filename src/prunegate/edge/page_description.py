"""What edge.json may say, read again from a folder that anybody may have written.

Closed and strict: every key is known, every value of its type, the decision is about the classes,
and the files that a page cannot do without are named. So a damaged file ends in one error before a
row is scored. Whether it is the one that was made, no file can say of itself: its digest stands
beside the scores.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prunegate.errors import ModelError

Word = Annotated[str, Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Side = Annotated[int, Field(ge=1, le=1 << 14)]
Channels = tuple[float, float, float]
_RUNS = {"model.onnx", "scorer.js", "pixels.js", "runtime/ort.js", "runtime/ort.wasm"}
_READS_TEXTS = {"tokenizer.json", "tokenizer_config.json", "runtime/tokenizers.js"}


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PagePackage(_Told):
    """An npm package that is part of a page."""

    package: Word
    version: Word
    license: str


class PageRuntime(PagePackage):
    """The one that computes the model."""

    engine: Word


class PageCandidate(_Told):
    """Which model it is."""

    digest: Sha256
    architecture: str
    parameters: Count
    quantized: dict[str, Any]
    exported: bool


class PageOfPictures(_Told):
    """As ``PictureInput``."""

    reads: Literal["images"]
    name: Word
    layout: Literal["NCHW", "NHWC"]
    channels: Literal["RGB", "BGR"]


class PageOfTexts(_Told):
    """As ``TextInput``."""

    reads: Literal["texts"]
    names: dict[Literal["input_ids", "attention_mask", "token_type_ids"], Word]
    type: Literal["int64", "int32"]
    length: Annotated[int, Field(ge=1)] | None


class PagePixels(_Told):
    """What happens to a picture."""

    size: tuple[Side, Side] | Side | None
    resample: Annotated[int, Field(ge=0, le=5)]
    crops: tuple[tuple[Side, Side], ...]
    tall_first: bool
    scale: Annotated[float, Field(gt=0)] | None
    mean: Channels | None
    std: Channels | None


class PageTokens(_Told):
    """What happens to a text."""

    longest: Annotated[int, Field(ge=1)]
    vocabulary: Annotated[int, Field(ge=1)]
    before: tuple[Count, ...]
    after: tuple[Count, ...]
    pad: Count


Share = Annotated[float, Field(ge=0, le=1)]


class PageDecision(_Told):
    """As ``ShownDecision``."""

    kind: Literal["positive", "likeliest", "each"]
    thresholds: dict[str, Share]
    judged: dict[str, Share] = {}
    """By class: at what the candidate was judged, where the page decides at another threshold."""


class PageDescription(_Told):
    """The content of edge.json."""

    format: Literal["urn:prunegate:edge:v1"]
    made_by: str
    title: str
    runtime: PageRuntime
    packages: tuple[PagePackage, ...]
    candidate: PageCandidate
    input: Annotated[PageOfPictures | PageOfTexts, Field(discriminator="reads")]
    output: Word
    activation: Literal["softmax", "sigmoid", "none"]
    classes: Annotated[tuple[Word, ...], Field(min_length=2)]
    decision: PageDecision
    processing: PagePixels | PageTokens
    files: dict[str, Sha256]

    @model_validator(mode="after")
    def _agrees(self) -> PageDescription:
        texts = self.input.reads == "texts"
        if isinstance(self.processing, PageTokens) != texts:
            raise ValueError(f"'processing' is not that of {self.input.reads}")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("'classes' names one twice")
        decided, kind = set(self.decision.thresholds), self.decision.kind
        whole = {"positive": len(decided) == 1, "likeliest": not decided}
        if not decided <= set(self.classes) or not whole.get(kind, decided == set(self.classes)):
            raise ValueError("'decision' is not about the classes")
        judged, own = self.decision.judged, self.decision.thresholds
        if any(name not in own or own[name] == value for name, value in judged.items()):
            raise ValueError("'judged' is not about another threshold")
        if strange := [name for name in self.files if not _is_plain(name)]:
            raise ValueError(f"'files' names {strange[0]!r}, which is no file of a page")
        if lacking := sorted((_RUNS | (_READS_TEXTS if texts else set())) - set(self.files)):
            raise ValueError(f"'files' lacks {lacking[0]}")
        return self


def page_description(raw: bytes, name: str) -> PageDescription:
    """Check what edge.json says.

    Args:
        raw: its bytes.
        name: of the file, for messages.

    Raises:
        ModelError: it is not what this version writes.
    """
    try:
        return PageDescription.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "as a whole"
        why = first["ctx"]["error"] if first["type"] == "value_error" else first["msg"]
        raise ModelError(
            f"{name}: not as this version of prunegate writes it ({place!a}: {why}); make the page "
            "again with 'prunegate edge'"
        ) from error


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    plain = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return plain and name.isprintable() and "\\" not in name
