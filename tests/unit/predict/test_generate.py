"""Greedy generation: with and without a cache the same, and as transformers does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from prunegate.errors import ModelError
from prunegate.predict.documents import Beginning
from prunegate.predict.generate import Greedy, keeps_cache
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
