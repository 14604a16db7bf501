"""Greedy generation: with and without a cache the same, and as transformers does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.errors import ModelError
from prunegate.predict.documents import AT_ONCE, Beginning
from prunegate.predict.generate import Greedy, _require_greedy, keeps_cache
from prunegate.predict.side_by_side import batches, writes_in_batches, written_together
from prunegate.predict.tokens import Tokens

pytestmark = pytest.mark.models

SIZES = {"vocab_size": 258}


def gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            **SIZES,
            n_positions=40,
            n_embd=12,
            n_layer=3,
            n_head=3,
            initializer_range=0.6,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            **SIZES,
            hidden_size=16,
            intermediate_size=20,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=40,
            initializer_range=0.6,
            bos_token_id=1,
            eos_token_id=0,
        )
    )


@pytest.fixture(params=[gpt2, llama])
def module(request: pytest.FixtureRequest) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return request.param()


@pytest.fixture
def greedy(bytes_tokenizer: Callable[..., Path]) -> Greedy:
    tokens = Tokens.of(bytes_tokenizer(), SIZES | {"n_positions": 40, "eos_token_id": 0})
    return Greedy(tokens=tokens, most=12)


def beginning(seed: int, length: int) -> Beginning:
    ids = np.random.default_rng(seed).integers(2, 258, length).astype(np.int32)
    return Beginning(head=(), prompt=ids)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "length"), [(0, 1), (1, 6), (2, 20), (3, 90)])
def test_with_and_without_a_cache_the_same(
    module: Any, greedy: Greedy, seed: int, length: int
) -> None:
    start = beginning(seed, length)
    assert keeps_cache(module)
    with_cache = greedy.ids(module, start, cached=True)
    assert with_cache == greedy.ids(module, start, cached=False)
    assert len(with_cache) == 12 or 0 not in with_cache
    asked = torch.tensor([start.within(28).tolist()])
    with torch.inference_mode():
        told = module.eval().generate(
            asked,
            attention_mask=torch.ones_like(asked),
            do_sample=False,
            num_beams=1,
            max_new_tokens=12,
            pad_token_id=0,
        )
    expected = told[0, asked.shape[1] :].tolist()
    assert with_cache == expected[: expected.index(0) if 0 in expected else 12]


class Counting(torch.nn.Module):
    """No Hugging Face class: says one letter after the other, then the end."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        assert attention_mask.shape == input_ids.shape
        following = (input_ids + 1) % 100
        logits = torch.nn.functional.one_hot(following, 258).float()
        return SimpleNamespace(logits=logits)


def test_any_module_with_logits_can_write(greedy: Greedy) -> None:
    module = Counting().train()
    said = greedy.ids(
        module,
        Beginning(head=(), prompt=np.array([96], dtype=np.int32)),
        cached=keeps_cache(module),
    )
    assert said == [97, 98, 99]
    assert module.training
    done: list[int] = []
    letters = Beginning(head=(), prompt=greedy.tokens.plain(["a"])[0])
    assert greedy.texts(module, [letters], done.append) == ["bcdefghijklm"]
    assert done == [1]


def test_a_cache_that_changes_what_is_said_is_refused(greedy: Greedy) -> None:
    """Two layers that share a place in the cache, as after a layer was cut out carelessly."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = gpt2()
    module.transformer.h[1].attn.layer_idx = 0
    with pytest.raises(ModelError, match=r"cannot go on from its cache.*layer_idx"):
        greedy.ids(module, beginning(0, 6), cached=True)


def test_a_cache_that_forgets_is_noticed(greedy: Greedy, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = gpt2()
    forward = module.forward

    def forgetful(input_ids: Any, attention_mask: Any, **given: Any) -> Any:
        seen = attention_mask[:, -input_ids.shape[1] :]
        return forward(
            input_ids=input_ids, attention_mask=seen, **given | {"past_key_values": None}
        )

    monkeypatch.setattr(module, "forward", forgetful)
    with pytest.raises(ModelError, match="something else than without"):
        greedy.ids(module, beginning(0, 6), cached=True)


def several() -> list[Beginning]:
    return [beginning(seed, length) for seed, length in enumerate((1, 6, 28, 3, 90, 12, 30, 2, 6))]


@pytest.mark.parametrize(("most", "at_most_alone"), [(5, 4), (12, 4), (40, 9)])
def test_texts_of_a_batch_are_those_that_each_is_alone(
    module: Any, greedy: Greedy, most: int, at_most_alone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = dataclasses.replace(greedy, most=most)
    alone = [writer.tokens.text(writer.ids(module, one, cached=True)) for one in several()]
    assert len(set(alone)) > 5
    write, lengths = Greedy._alone, []

    def counted(self: Greedy, module: Any, given: list[int], *, cached: bool) -> list[int]:
        lengths.append(len(given))
        return write(self, module, given, cached=cached)

    monkeypatch.setattr(Greedy, "_alone", counted)
    done: list[int] = []
    assert writer.texts(module, several(), done.append) == alone
    assert sum(done) == 9
    assert len(lengths) <= at_most_alone


def test_a_text_whose_tokens_nearly_tie_is_written_alone(greedy: Greedy) -> None:
    """A model of zeros finds every token as likely: what it says is for the lone text to say."""
    module = gpt2()
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
    assert written_together(module.eval(), [[3], [4, 5]], 4, 0) == [None, None]
    assert greedy.texts(module, several()[:2]) == ["", ""]


def test_where_memory_ends_batches_are_halved_and_nothing_is_written_twice(
    module: Any, greedy: Greedy, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = greedy.texts(module, several())
    forward, sizes = module.forward, []

    def small(input_ids: Any, position_ids: Any = None, **given: Any) -> Any:
        sizes.append(len(input_ids))
        if len(input_ids) > 2:
            raise RuntimeError("not enough memory")
        return forward(input_ids=input_ids, position_ids=position_ids, **given)

    monkeypatch.setattr(module, "forward", small)
    done: list[int] = []
    assert greedy.texts(module, several(), done.append) == expected
    assert sum(done) == 9
    assert max(sizes) > 2 in sizes


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_coarse_rounding_writes_alone(module: Any, precision: torch.dtype) -> None:
    assert writes_in_batches(module)
    assert not writes_in_batches(module.to(precision))
    assert not writes_in_batches(Counting())


def test_rounding_of_half_precision_is_no_disorder_of_the_cache() -> None:
    """A lead of one step of bfloat16 is a tie there, and none in float32."""
    module = Counting()
    logits = torch.nn.functional.one_hot(torch.tensor([[5, 6, 7]]), 258).float()
    logits[0, 1, 9] = 1.0 + 2**-7

    def forward(input_ids: Any, attention_mask: Any) -> Any:
        return SimpleNamespace(logits=logits)

    module.forward = forward  # type: ignore[method-assign]  # what it says is given
    said = torch.tensor([[5, 5, 6]])
    with pytest.raises(ModelError, match="something else than without"):
        _require_greedy(module, said, 1)
    _require_greedy(module.to(torch.bfloat16), said, 1)


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 2)), max_size=20),
    size=st.integers(1, 40),
)
def test_batches_hold_every_text_once_and_equal_room(
    texts: list[tuple[int, int]], size: int
) -> None:
    lengths, room = [one for one, _ in texts], [many for _, many in texts]
    found = list(batches(lengths, room, size))
    assert sorted(row for rows in found for row in rows) == list(range(len(texts)))
    for rows in found:
        assert len({room[row] for row in rows}) == 1
        assert len(rows) <= size
        tokens = len(rows) * (max(lengths[row] for row in rows) + room[rows[0]])
        assert len(rows) == 1 or tokens <= AT_ONCE
