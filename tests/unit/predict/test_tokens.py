"""Tokens: read from plain files, the same for both models, or a clear refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunegate.errors import ModelError
from prunegate.predict.texts import open_texts
from prunegate.predict.tokens import Tokens

pytestmark = pytest.mark.models

BERT = {"model_type": "bert", "vocab_size": 8, "max_position_embeddings": 6, "pad_token_id": 0}
GPT2 = {"model_type": "gpt2", "vocab_size": 258, "n_positions": 32}


def test_classifier_texts_have_the_special_tokens_and_a_limit(words_tokenizer: Path) -> None:
    tokens = Tokens.of(words_tokenizer, BERT)
    texts, warnings = open_texts(["good shoes", "bad day " * 5, "what"], tokens)
    assert [ids.tolist() for ids in texts.ids] == [[2, 4, 6, 3], [2, 5, 7, 5, 7, 3], [2, 1, 3]]
    assert warnings == (
        "1 of 3 texts are longer than the 6 tokens that the model takes; their ends were cut off.",
    )


def test_the_tokenizers_own_limit_counts_where_it_is_lower(words_tokenizer: Path) -> None:
    config = words_tokenizer / "tokenizer_config.json"
    config.write_text(json.dumps({"model_max_length": 4}))
    assert Tokens.of(words_tokenizer, BERT).longest == 4
    config.write_text(json.dumps({"model_max_length": 10**30}))
    assert Tokens.of(words_tokenizer, BERT).longest == 6


@pytest.mark.parametrize("kind", ["words", "sentence pieces"])
def test_what_is_written_goes_on_from_its_prompt(words_tokenizer: Path, kind: str) -> None:
    """Decoded by themselves, the new words would lack the space before them."""
    if kind == "sentence pieces":
        from tokenizers import Tokenizer, decoders, models

        words = {"[PAD]": 0, "\u2581good": 4, "\u2581bad": 5, "\u2581shoes": 6, "s": 7}
        made = Tokenizer(models.WordLevel(words, unk_token="[PAD]"))  # noqa: S106  # no password
        made.decoder = decoders.Metaspace()
        made.save(str(words_tokenizer / "tokenizer.json"))
    tokens = Tokens.of(words_tokenizer, BERT)
    assert tokens.text([5]) == "bad"
    assert tokens.continuation([4], [5]) == " bad"
    assert tokens.continuation([], [5]) == "bad"
    assert tokens.continuation([4, 5], []) == ""
    for cut in range(5):
        given, new = [4, 5, 6, 7][:cut], [4, 5, 6, 7][cut:]
        assert tokens.text(given) + tokens.continuation(given, new) == tokens.text([4, 5, 6, 7])


def test_a_graph_without_a_description_has_the_tokenizers_own(words_tokenizer: Path) -> None:
    with pytest.raises(ModelError, match="write model_max_length into tokenizer_config"):
        Tokens.of(words_tokenizer, {})
    (words_tokenizer / "tokenizer_config.json").write_text('{"model_max_length": 5}')
    tokens = Tokens.of(words_tokenizer, {"id2label": {"0": "a"}})
    assert (tokens.longest, tokens.vocabulary) == (5, 8)


def test_roberta_numbers_positions_after_its_padding(words_tokenizer: Path) -> None:
    config = BERT | {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    tokens = Tokens.of(words_tokenizer, config)
    assert (tokens.longest, tokens.pad) == (512, 1)


@pytest.mark.parametrize(
    ("config", "named", "expected"),
    [
        ({"bos_token_id": 1, "eos_token_id": 0}, {}, (1, 0)),
        ({"eos_token_id": [0, 1]}, {}, (0, 0)),
        # The class's default, far outside a small vocabulary, is no token of this model.
        ({"bos_token_id": 50256, "eos_token_id": 50256}, {}, (None, None)),
        ({}, {"bos_token": "<s>", "eos_token": {"content": "<end>"}}, (1, 0)),
        ({}, {"bos_token": None, "eos_token": "<unknown>"}, (None, None)),
    ],
)
def test_special_tokens_are_the_configs_or_found_by_name(
    bytes_tokenizer: Callable[..., Path], config: Any, named: Any, expected: Any
) -> None:
    folder = bytes_tokenizer()
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    tokens = Tokens.of(folder, GPT2 | config)
    assert (tokens.start, tokens.end) == expected


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing.*save_pretrained"):
        Tokens.of(tmp_path, BERT)
    (tmp_path / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(ModelError, match="not a tokenizer"):
        Tokens.of(tmp_path, BERT)


def test_a_tokenizer_of_another_model_is_refused(words_tokenizer: Path) -> None:
    tokens = Tokens.of(words_tokenizer, BERT | {"vocab_size": 6})
    with pytest.raises(ModelError, match="token number 6, but the model knows 6"):
        open_texts(["good shoes"], tokens)
    for config in ({"vocab_size": "8"}, {"max_position_embeddings": 0}):
        with pytest.raises(ModelError, match=r"config\.json"):
            Tokens.of(words_tokenizer, BERT | config)


def test_two_models_need_the_same_tokens(
    bytes_tokenizer: Callable[..., Path], tmp_path: Path
) -> None:
    one = Tokens.of(bytes_tokenizer(), GPT2)
    one.require_same(Tokens.of(bytes_tokenizer(folder=tmp_path / "same"), GPT2), tmp_path)
    other = Tokens.of(
        bytes_tokenizer(folder=tmp_path / "other", before="<s>"), GPT2 | {"n_positions": 16}
    )
    with pytest.raises(ModelError, match=r"tokenizer\.json and the longest text differ"):
        one.require_same(other, tmp_path / "other")
