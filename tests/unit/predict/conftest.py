"""Tiny models gain nothing from threads; tiny tokenizers, written as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def bytes_tokenizer(tmp_path: Path) -> Callable[..., Path]:
    """Write a tokenizer of single bytes, as GPT-2's without merges; return its folder."""

    def write(*, before: str = "", folder: Path = tmp_path) -> Path:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        vocabulary = {"<end>": 0, "<s>": 1, **{c: n + 2 for n, c in enumerate(alphabet)}}
        made = Tokenizer(models.BPE(vocabulary, []))
        made.add_special_tokens(["<end>", "<s>"])
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        if before:
            made.post_processor = processors.TemplateProcessing(
                single=f"{before} $A", special_tokens=[(before, vocabulary[before])]
            )
        folder.mkdir(exist_ok=True)
        made.save(str(folder / "tokenizer.json"))
        return folder

    return write


@pytest.fixture
def words_tokenizer(tmp_path: Path) -> Path:
    """Write a tokenizer of whole words, as BERT's; return its folder."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "shoes", "day"]
    vocabulary = {word: number for number, word in enumerate(words)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106  # no password
    made.add_special_tokens(words[:4])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path
