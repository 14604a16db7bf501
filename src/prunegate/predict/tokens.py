"""Tokens: how a model's texts become numbers, from plain files beside its weights.

Only ``tokenizer.json`` is read: no code, no pickle, no vocabulary of another format. Two models can
be compared on texts only if they cut them into the same tokens, so everything that decides about
that is one value, which has to be the same for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from prunegate.errors import ModelError
from prunegate.models.config_json import read_object

TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
_LENGTHS = ("max_position_embeddings", "n_positions")
_NUMBERED_AFTER_PADDING = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Models whose first token has the position after the padding's number."""
_NO_LIMIT = 1_000_000
"""A stated length above it means that there is none."""
_UNREADABLE = "\ufffd"
"""What stands for bytes that are no character."""
_PART = 1024
"""Texts that are cut at a time."""

Ids = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A tokenizer with the lengths and special tokens of its model."""

    tokenizer: Tokenizer = field(compare=False, repr=False)
    sha256: str
    """Of tokenizer.json."""
    longest: int
    """Tokens that the model takes at most, special ones included."""
    vocabulary: int
    """Token numbers that the model knows."""
    pad: int
    """Fills up short rows of a batch; always masked."""
    start: int | None
    """What a text begins with where nothing precedes it: the BOS token, else the EOS token."""
    end: int | None
    """The EOS token."""

    @classmethod
    def of(cls, folder: Path, config: Mapping[str, Any]) -> Tokens:
        """Read the tokenizer of a model folder.

        Args:
            folder: holds tokenizer.json, and tokenizer_config.json where the model has one.
            config: the model's config.json; of a graph without one what else is known.

        Raises:
            ModelError: no tokenizer.json, one that cannot be read, or a config without sizes.
        """
        raw = _read(folder)
        tokenizer = _parsed(raw, folder)
        named = _named(folder)
        begin = _special(config, named, tokenizer, "bos")
        end = _special(config, named, tokenizer, "eos")
        pad = _special(config, named, tokenizer, "pad")
        return cls(
            tokenizer=tokenizer,
            sha256=hashlib.sha256(raw).hexdigest(),
            longest=_longest(config, named, 0 if pad is None else pad, folder),
            vocabulary=_vocabulary(config, tokenizer, folder),
            # Which number fills up does not matter: the model is told to look away.
            pad=0 if pad is None else pad,
            start=end if begin is None else begin,
            end=end,
        )

    def require_same(self, other: Tokens, folder: Path) -> None:
        """Insist that another model's texts become the same tokens.

        Args:
            other: the other model's.
            folder: its folder, for the message.

        Raises:
            ModelError: naming what differs.
        """
        differs = [
            words
            for words, mine, others in (
                (TOKENIZER_FILE, self.sha256, other.sha256),
                ("the longest text", self.longest, other.longest),
                ("the BOS token", self.start, other.start),
                ("the EOS token", self.end, other.end),
            )
            if mine != others
        ]
        if differs:
            raise ModelError(
                f"{folder}: {' and '.join(differs)} differ from the baseline's; two models can be "
                "compared only on the same tokens. Give both the same tokenizer.json, config.json "
                "lengths and special tokens, or judge their predictions with 'prunegate gate'"
            )

    def classified(
        self, texts: Sequence[str], keep: Literal["beginning", "end"] = "beginning"
    ) -> tuple[list[Ids], list[bool]]:
        """Cut texts for a classifier, with the special tokens that the tokenizer puts around them.

        Args:
            texts: the texts.
            keep: the part that is taken of a text that is too long.

        Returns:
            Token numbers of each text, and whether it was cut short.
        """
        self.tokenizer.no_padding()
        side = "right" if keep == "beginning" else "left"
        self.tokenizer.enable_truncation(max_length=self.longest, direction=side)
        found, cut = [], []
        for part in _parts(texts):
            for one in self.tokenizer.encode_batch(part):
                found.append(self._checked(one.ids))
                cut.append(bool(one.overflowing))
        return found, cut

    def plain(self, texts: Sequence[str]) -> list[Ids]:
        """Cut texts without any special token."""
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        return [
            self._checked(one.ids)
            for part in _parts(texts)
            for one in self.tokenizer.encode_batch(part, add_special_tokens=False)
        ]

    def before(self) -> tuple[int, ...]:
        """The special tokens that the tokenizer puts before any text."""
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        any_text = self.tokenizer.encode("a")
        special = any_text.special_tokens_mask
        first = special.index(0) if 0 in special else 0
        return tuple(any_text.ids[:first])

    def around(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The special tokens that the tokenizer puts before and after any text."""
        before, plain = self.before(), len(self.plain(["a"])[0])
        whole = tuple(self.tokenizer.encode("a").ids)
        return before, whole[len(before) + plain :]

    def text(self, ids: Sequence[int]) -> str:
        """The text of some tokens, without special ones."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def continuation(self, given: Sequence[int], new: Sequence[int]) -> str:
        """The text of new tokens as it goes on from that of the tokens before them.

        Many tokenizers drop the space before the first of some tokens. Where those before end
        within a character, what follows is read by itself.
        """
        before, whole = self.text(given), self.text([*given, *new])
        within = before.endswith(_UNREADABLE) or not whole.startswith(before)
        return self.text(new) if within else whole[len(before) :]

    def _checked(self, ids: Sequence[int]) -> Ids:
        found = np.asarray(ids, dtype=np.int32)
        if len(found) and not 0 <= found.min() <= found.max() < self.vocabulary:
            raise ModelError(
                f"a text has token number {int(found.max())}, but the model knows "
                f"{self.vocabulary:,} tokens; give the model its own {TOKENIZER_FILE}"
            )
        return found


def _parts(texts: Sequence[str]) -> list[list[str]]:
    return [list(texts[start : start + _PART]) for start in range(0, len(texts), _PART)]


def _read(folder: Path) -> bytes:
    try:
        return (folder / TOKENIZER_FILE).read_bytes()
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder}: {TOKENIZER_FILE} is missing; texts need it. Write it with "
            "AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER), where the tokenizer came "
            "from (other formats of a vocabulary are not read)"
        ) from error
    except OSError as error:
        raise ModelError(
            f"{folder / TOKENIZER_FILE}: cannot be read ({error.strerror}); check the file"
        ) from error


def _parsed(raw: bytes, folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_buffer(raw)
    except Exception as error:  # the library raises bare Exceptions
        raise ModelError(
            f"{folder / TOKENIZER_FILE}: not a tokenizer ({error}); write it again with "
            "save_pretrained of a fast tokenizer"
        ) from error


def _named(folder: Path) -> Mapping[str, Any]:
    """tokenizer_config.json; empty where there is none."""
    path = folder / TOKENIZER_CONFIG_FILE
    try:
        return read_object(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check the file") from error


def _count(config: Mapping[str, Any], name: str, folder: Path) -> int:
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ModelError(
            f"{folder}: config.json: {name} is {value!r}; a model of texts needs a whole number "
            "above zero. Save the model with save_pretrained"
        )
    return value


def _vocabulary(config: Mapping[str, Any], tokenizer: Tokenizer, folder: Path) -> int:
    """Token numbers that the model knows; a graph without a config.json has the tokenizer's."""
    if not {"vocab_size", "architectures"} & config.keys():
        return int(tokenizer.get_vocab_size())
    return _count(config, "vocab_size", folder)


def _special(
    config: Mapping[str, Any], named: Mapping[str, Any], tokenizer: Tokenizer, which: str
) -> int | None:
    """A special token's number: the config's, else by its name; None where it is in neither.

    A number outside the model's own vocabulary is a left-over default of the config's class.
    """
    number = config.get(f"{which}_token_id")
    first = number[0] if isinstance(number, list) and number else number
    size = config.get("vocab_size")
    if isinstance(first, int) and isinstance(size, int) and 0 <= first < size:
        return first
    name = named.get(f"{which}_token")
    content = name.get("content") if isinstance(name, Mapping) else name
    found = tokenizer.token_to_id(content) if isinstance(content, str) else None
    return None if found is None else int(found)


def _longest(config: Mapping[str, Any], named: Mapping[str, Any], pad: int, folder: Path) -> int:
    """The fewest tokens of what config and tokenizer allow; above a million means no limit."""
    stated = named.get("model_max_length")
    positions = next((name for name in _LENGTHS if name in config), None)
    if positions is None and isinstance(stated, int) and 0 < stated <= _NO_LIMIT:
        return stated  # models of relative positions say it nowhere else
    if positions is None and "architectures" not in config:
        raise ModelError(
            f"{folder}: nothing says how many tokens the model takes; write model_max_length into "
            f"{TOKENIZER_CONFIG_FILE}, or put its config.json there"
        )
    most = _count(config, positions or _LENGTHS[0], folder)
    if config.get("model_type") in _NUMBERED_AFTER_PADDING:
        most -= pad + 1
    if isinstance(stated, int | float) and 0 < stated < most:
        most = int(stated)
    return most
