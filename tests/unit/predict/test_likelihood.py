"""Documents: which tokens count, and that their likelihood is what torch says of each alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.compress.loss import batch_loss
from prunegate.compress.ranking_input import Examples
from prunegate.errors import ModelError, TableError
from prunegate.models.batch import NOT_COUNTED
from prunegate.predict.documents import Documents, open_documents
from prunegate.predict.likelihood import likelihoods
from prunegate.predict.texts import TextSet
from prunegate.predict.tokens import Tokens

pytestmark = pytest.mark.models

VOCABULARY = 258
GPT2 = {"vocab_size": VOCABULARY, "n_positions": 24}


def gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = {"n_embd": 12, "n_layer": 2, "n_head": 3, "bos_token_id": 0, "eos_token_id": 0}
    config = GPT2Config(**GPT2, **shape, initializer_range=0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return GPT2LMHeadModel(config).eval()


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=20,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=24,
        initializer_range=0.5,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(config).eval()


MODELS = {"gpt2": gpt2(), "llama": llama()}


def naive(module: Any, ids: list[int], given: int) -> float:
    """One document alone, token by token, without padding or mask."""
    with torch.inference_mode():
        shares = module(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return -sum(float(shares[place - 1, ids[place]]) for place in range(given, len(ids)))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@given(
    lengths=st.lists(st.tuples(st.integers(1, 10), st.integers(1, 14)), min_size=1, max_size=8),
    size=st.integers(1, 8),
    pad=st.integers(0, VOCABULARY - 1),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_likelihoods_are_those_of_each_document_alone(
    name: str, lengths: list[tuple[int, int]], size: int, pad: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ids = [rng.integers(0, VOCABULARY, sum(length)).astype(np.int32) for length in lengths]
    given = np.array([before for before, _ in lengths])
    documents = Documents(texts=TextSet(ids=tuple(ids), pad=pad), given=given)
    found = likelihoods(MODELS[name], documents, batch_size=size)
    expected = [naive(MODELS[name], i.tolist(), g) for i, g in zip(ids, given, strict=True)]
    np.testing.assert_allclose(found.nll, expected, rtol=1e-5, atol=1e-5)
    assert found.tokens.tolist() == [after for _, after in lengths]
    assert (found.nll > 0).all()


def test_likelihoods_agree_with_the_loss_that_compression_uses() -> None:
    rng = np.random.default_rng(0)
    ids = tuple(rng.integers(0, VOCABULARY, n).astype(np.int32) for n in (5, 9, 7))
    documents = Documents(texts=TextSet(ids=ids, pad=0), given=np.array([1, 4, 2]))
    rows: Examples = documents
    loss = batch_loss(MODELS["gpt2"], rows.batch(np.arange(3)), "sum")
    found = likelihoods(MODELS["gpt2"], documents)
    assert float(loss.detach()) == pytest.approx(float((found.nll / found.tokens).sum()), rel=1e-5)


def documents_of(
    folder: Path, *pairs: tuple[str, str], **config: Any
) -> tuple[Documents, tuple[str, ...]]:
    tokens = Tokens.of(folder, GPT2 | config)
    return open_documents([p for p, _ in pairs], [r for _, r in pairs], tokens)


def parts(documents: Documents, row: int) -> tuple[list[int], list[int]]:
    """The tokens that are given and those that are counted."""
    batch = documents.batch(np.array([row]))
    ids, labels = batch.inputs["input_ids"][0], batch.labels[0]
    counted = labels != NOT_COUNTED
    assert torch.equal(ids[counted], labels[counted])
    return ids[~counted].tolist(), ids[counted].tolist()


@pytest.mark.parametrize(
    ("before", "config", "pair", "expected"),
    [
        # The end token is counted; a prompt needs no start token, an absent one does.
        ("", {"eos_token_id": 0}, ("ab", "c"), ("ab", "c.")),
        ("", {"eos_token_id": 0}, ("", "bc"), (".", "bc.")),
        ("", {"eos_token_id": 0, "bos_token_id": 1}, ("", "bc"), ("^", "bc.")),
        # Nothing to start with: the first token is given.
        ("", {}, ("", "bc"), ("b", "c")),
        ("", {}, ("a", "bc"), ("a", "bc")),
        # What the tokenizer puts before any text comes first.
        ("<s>", {}, ("a", "bc"), ("^a", "bc")),
        ("<s>", {"eos_token_id": 0}, ("", "bc"), ("^", "bc.")),
        # Too long: the beginning of the prompt goes, the head stays, then the reference's end.
        ("", {}, ("x" * 30 + "a", "bc"), ("x" * 21 + "a", "bc")),
        ("<s>", {}, ("x" * 30 + "a", "bc"), ("^" + "x" * 20 + "a", "bc")),
        ("<s>", {"eos_token_id": 0}, ("ab", "c" * 40), ("^", "c" * 23)),
        ("", {"eos_token_id": 0}, ("ab", "c" * 40), ("b", "c" * 23)),
    ],
)
def test_what_is_given_and_what_counts(
    bytes_tokenizer: Callable[..., Path], before: str, config: Any, pair: Any, expected: Any
) -> None:
    folder = bytes_tokenizer(before=before)
    tokens = Tokens.of(folder, GPT2 | config)
    names = {0: ".", 1: "^"} | {int(tokens.plain([c])[0][0]): c for c in "abcx"}
    documents, warnings = documents_of(folder, ("a", "b"), pair, **config)
    found = tuple("".join(names[token] for token in part) for part in parts(documents, 1))
    assert found == expected
    told = [warning.partition(" tokens")[0] for warning in warnings]
    cut = ["1 of 2 documents are longer than the 24"]
    assert told == (cut if len(pair[0] + pair[1]) > 24 else [])


def test_a_document_that_cannot_be_measured_is_refused(
    bytes_tokenizer: Callable[..., Path],
) -> None:
    folder = bytes_tokenizer()
    with pytest.raises(TableError, match="1 reference"):
        documents_of(folder, ("", "b"), ("a", "b"))
    with pytest.raises(TableError, match="1 reference"):
        documents_of(folder, ("a", ""), ("a", "b"), eos_token_id=0)
    with pytest.raises(TableError, match="no documents"):
        documents_of(folder)


def test_outputs_that_are_no_likelihoods_are_refused() -> None:
    documents = Documents(
        texts=TextSet(ids=(np.array([1, 2], dtype=np.int32),), pad=0), given=np.array([1])
    )

    class Broken(torch.nn.Linear):
        def forward(self, **_given: Any) -> Any:
            return SimpleNamespace(logits=self.answer)

    module: Any = Broken(1, 1)
    module.answer = torch.full((1, 2, 4), float("nan"))
    with pytest.raises(ModelError, match="NaN or infinite"):
        likelihoods(module, documents)
    module.answer = torch.zeros(1, 4)
    with pytest.raises(ModelError, match=r"logits are \[1, 4\]"):
        likelihoods(module, documents)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_batches_have_every_row_once_and_few_tokens(size: int) -> None:
    lengths = np.random.default_rng(0).integers(1, 900, 40)
    ids = tuple(np.ones(n, dtype=np.int32) for n in lengths)
    documents = Documents(texts=TextSet(ids=ids, pad=0), given=np.ones(40, dtype=np.int64))
    batches = list(documents.batches(size))
    assert sorted(np.concatenate(batches).tolist()) == list(range(40))
    assert all(len(rows) <= size for rows in batches)
    assert all(len(rows) * lengths[rows].max() <= 4096 for rows in batches)
    assert len(documents.typical(100)) == 100
    middle = np.median(lengths[documents.typical(3)])
    assert abs(middle - np.median(lengths)) < 100
