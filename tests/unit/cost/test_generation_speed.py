"""Writing, timed: what is called with what, and what is made of it. Nothing here tests speed."""

from __future__ import annotations

from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from prunegate.cost import generation_speed as module
from prunegate.cost.generation_speed import Lengths, TextTimes, with_generation, write_text
from prunegate.cost.measurement import Measurements, ModelFigures
from prunegate.cost.measurements_checks import mistakes_in
from prunegate.cost.measurements_file import measurements_text, parse_measurements
from prunegate.errors import MeasurementError

pytestmark = pytest.mark.models
TIMED = Measurements(
    created="2026-01-01T00:00:00Z", engine="torch", batch=1, threads=1, rounds=9,
    baseline=ModelFigures(), candidate=ModelFigures(),
)  # fmt: skip


class Counting(nn.Module):
    """Says which token follows: one more than the last; keeps how much it has seen."""

    def __init__(self, log: list[Any], name: str = "b") -> None:
        super().__init__()
        self.log, self.name = log, name

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        past_key_values: Any = None,
        use_cache: bool = False,  # as transformers has it
        logits_to_keep: int = 0,
    ) -> Any:
        assert torch.is_inference_mode_enabled() or self.name == "alone"
        assert (use_cache, logits_to_keep) == (True, 1)
        seen = (past_key_values or 0) + input_ids.shape[1]
        assert attention_mask.shape == (len(input_ids), seen)
        self.log.append((self.name, input_ids.tolist(), seen))
        logits = nn.functional.one_hot((input_ids[:, -1:] + 1) % 10, 10).float()
        return SimpleNamespace(logits=logits, past_key_values=seen)


def test_each_token_follows_the_last_one_and_reads_the_cache() -> None:
    log: list[Any] = []
    write_text(Counting(log, "alone"), torch.tensor([[3, 1], [0, 7]]), 4)
    assert log == [
        ("alone", [[3, 1], [0, 7]], 2),
        ("alone", [[2], [8]], 3),
        ("alone", [[3], [9]], 4),
        ("alone", [[4], [0]], 5),
    ]


def test_rounds_are_interleaved_and_times_are_of_their_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The baseline takes 40 ms and 10 ms a token, the candidate 20 ms and 8 ms."""
    log: list[str] = []

    def took(one: Any, prompts: Any, new_tokens: int) -> TextTimes:
        assert (prompts.shape, new_tokens) == ((1, 5), 6)
        log.append(one.name)
        base = one.name == "b"
        return TextTimes(first=0.04 if base else 0.02, each=0.01 if base else 0.008)

    monkeypatch.setattr(module, "write_text", took)
    pair = [Counting([], name) for name in "bc"]
    prompts = Lengths(prompt_tokens=5, new_tokens=6).prompts(10, torch.device("cpu"))
    seen: list[Any] = []
    found = with_generation(
        TIMED, pair, prompts, 6, rounds=7, seconds=7 * 2 * 0.24,
        progress=lambda *told: seen.append(told),
    )  # fmt: skip
    assert "".join(log) == "bb" + "cc" + "bbccbb" * 7  # a slot of two texts fills the time
    assert seen[-1] == ("generate", 7, 7)
    assert (found.baseline.ttft_ms, found.baseline.tpot_ms) == (40.0, 10.0)
    assert (found.candidate.ttft_ms, found.candidate.tpot_ms) == (20.0, 8.0)
    timing = found.generation
    assert timing is not None
    assert (timing.prompt_tokens, timing.new_tokens, timing.quiet) == (5, 6, True)
    assert (timing.ttft_ratio.value, timing.tpot_ratio.value) == (0.5, 0.8)
    assert (timing.ttft_noise.low, timing.tpot_noise.high) == (1.0, 1.0)
    assert [*mistakes_in(asdict(found))] == []
    assert parse_measurements(measurements_text(found), "x") == found


def test_a_file_without_writing_is_as_it_was_and_mistakes_are_told() -> None:
    text = measurements_text(TIMED)
    assert "generation" not in text
    assert "ttft" not in text
    assert parse_measurements(text, "x") == TIMED
    wrong = asdict(replace(TIMED, baseline=ModelFigures(ttft_ms=-1.0)))
    wrong["generation"] = {"prompt_tokens": 0, "ttft_ratio": {"value": 1, "low": 2, "high": 3}}
    told = "\n".join(mistakes_in(wrong))
    assert "baseline.ttft_ms: got -1.0" in told
    assert "generation.prompt_tokens: got 0" in told
    assert "generation.ttft_ratio: low <= value <= high" in told
    assert "generation.new_tokens: missing" in told


def test_a_model_that_keeps_nothing_is_refused() -> None:
    class Forgets(nn.Module):
        def forward(self, input_ids: torch.Tensor) -> Any:
            return input_ids

    with pytest.raises(MeasurementError, match="cannot write 3 tokens after 2"):
        write_text(Forgets(), torch.tensor([[1, 2]]), 3)


def test_a_real_decoder_writes_what_transformers_writes() -> None:
    from tests.unit.models.tiny import tiny

    decoder = tiny("gpt2").module
    said: list[int] = []
    real = decoder.forward

    def watched(**given: Any) -> Any:
        answer = real(**given)
        said.append(int(answer.logits[0, -1].argmax()))
        return answer

    decoder.forward = watched
    decoder.forward.__signature__ = module.inspect.signature(real)
    prompt = torch.tensor([[4, 5, 6]])
    with torch.inference_mode():
        write_text(decoder, prompt, 6)
        decoder.forward = real
        wanted = decoder.generate(prompt, max_new_tokens=6, do_sample=False, eos_token_id=None)
    assert said == wanted[0, 3:].tolist()
