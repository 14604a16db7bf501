"""Generation speed: how long a language model takes to its first token, and for each one after.

The first token waits for the whole prompt to be read; every further one reads one token and the
cache of keys and values. A smaller model may win much of the one and little of the other, so each
is timed by itself, in the same rounds as everything else: baseline, candidate, baseline. The
likeliest token is taken each time, and no end ends a text early: lengths are what is compared.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.cost.measure import candidate_ratio, noise_ratio
from prunegate.cost.measurement import GenerationTiming, Measurements, ModelFigures
from prunegate.cost.rounds import Round, settings
from prunegate.errors import MeasurementError
from prunegate.io.progress import Progress, silent

_ONE_LOGIT = "logits_to_keep"
"""What transformers calls the number of places whose logits are worked out."""


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """What is generated."""

    prompt_tokens: int
    new_tokens: int
    """At least two."""
    texts: int = 1
    """Side by side."""
    seed: int = 0
    """Of the prompts' random tokens: how long a network takes does not depend on what it reads."""

    def prompts(self, vocabulary: int, device: torch.device) -> Tensor:
        """Random prompts, int64 [texts, prompt tokens]."""
        generator = torch.Generator().manual_seed(self.seed)
        shape = (self.texts, self.prompt_tokens)
        return torch.randint(0, vocabulary, shape, generator=generator).to(device)


@dataclass(frozen=True, kw_only=True)
class TextTimes:
    """One text written, in seconds."""

    first: float
    """Until the first token is known."""
    each: float
    """Of every further token, on average."""


def with_generation(  # noqa: PLR0913  # the settings of one experiment, by keyword
    timed: Measurements,
    modules: Sequence[nn.Module],
    prompts: Tensor,
    new_tokens: int,
    *,
    rounds: int = 20,
    seconds: float = 20.0,
    progress: Progress = silent,
) -> Measurements:
    """Add to a measurement how fast both models write.

    Args:
        timed: The measurement; its threads are used.
        modules: Baseline and candidate, language models that keep keys and values, on one device.
        prompts: int64 [texts, tokens], on that device.
        new_tokens: At least two.
        rounds: At least six, for an interval.
        seconds: About how long to time; every slot has one text at least.
        progress: Called with ("generate", rounds done, rounds).

    Raises:
        MeasurementError: a model cannot go on from its cache, or takes fewer tokens.
    """
    baseline, candidate = modules
    with settings(baseline, candidate, timed.threads):
        texts = _texts_per_slot(modules, prompts, new_tokens, rounds, seconds)
        taken = []
        for done in range(rounds):
            before, compressed, after = (
                [write_text(module, prompts, new_tokens) for _ in range(texts)]
                for module in (baseline, candidate, baseline)
            )
            taken.append(Round(before=before, candidate=compressed, after=after))
            progress("generate", done + 1, rounds)
    of_baseline = [text for r in taken for slot in r.baseline for text in slot]
    of_candidate = [text for r in taken for text in r.candidate]
    return replace(
        timed,
        baseline=_with_medians(timed.baseline, of_baseline),
        candidate=_with_medians(timed.candidate, of_candidate),
        generation=GenerationTiming(
            prompt_tokens=prompts.shape[1],
            new_tokens=new_tokens,
            ttft_ratio=candidate_ratio(taken, _first),
            tpot_ratio=candidate_ratio(taken, _each),
            ttft_noise=noise_ratio(taken, _first),
            tpot_noise=noise_ratio(taken, _each),
        ),
    )


def write_text(
    module: nn.Module,
    prompts: Tensor,
    new_tokens: int,
    clock: Callable[[], float] = time.perf_counter,
) -> TextTimes:
    """Let a model write, and say how long it took; in inference mode, in evaluation mode.

    Args:
        module: Keeps keys and values.
        prompts: int64 [texts, tokens].
        new_tokens: At least two.
        clock: Seconds, of whatever start.

    Raises:
        MeasurementError: it cannot.
    """
    seen = torch.ones((len(prompts), prompts.shape[1] + new_tokens - 1), dtype=torch.int64)
    seen = seen.to(prompts.device)
    last: dict[str, Any] = {_ONE_LOGIT: 1} if _keeps_logits(module) else {}
    fed, past, length = prompts, None, prompts.shape[1]
    first = 0.0
    start = clock()
    try:
        for place in range(new_tokens):
            answer = module(
                input_ids=fed,
                attention_mask=seen[:, : length + place],
                past_key_values=past,
                use_cache=True,
                **last,
            )
            past = answer.past_key_values
            fed = answer.logits[:, -1:].argmax(dim=-1)
            if place == 0:
                _wait(prompts.device)
                first = clock() - start
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        why = str(error).partition("\n")[0]
        raise MeasurementError(
            f"a model cannot write {new_tokens} tokens after {length} ({why}); give lengths that "
            "it takes, or a model that keeps keys and values."
        ) from error
    _wait(prompts.device)
    whole = clock() - start
    return TextTimes(first=first, each=(whole - first) / (new_tokens - 1))


def _keeps_logits(module: nn.Module) -> bool:
    return _ONE_LOGIT in inspect.signature(module.forward).parameters


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _texts_per_slot(
    modules: Sequence[nn.Module], prompts: Tensor, new_tokens: int, rounds: int, seconds: float
) -> int:
    """Warm up, and find how many texts fill the time: the same number for both models."""
    long = []
    for module in modules:
        write_text(module, prompts, new_tokens)
        found = write_text(module, prompts, new_tokens)
        long.append(found.first + found.each * (new_tokens - 1))
    return max(1, round(seconds / (rounds * (2 * long[0] + long[1]))))


def _with_medians(figures: ModelFigures, texts: Sequence[TextTimes]) -> ModelFigures:
    """A model's figures with the medians over all its texts, in milliseconds to six digits."""
    first, each = (float(f"{1000 * time_of(texts):.6g}") for time_of in (_first, _each))
    return replace(figures, ttft_ms=first, tpot_ms=each)


def _first(texts: Sequence[TextTimes]) -> float:
    return float(np.median([text.first for text in texts]))


def _each(texts: Sequence[TextTimes]) -> float:
    return float(np.median([text.each for text in texts]))
