"""Greedy generation: what a language model says, the likeliest token each time.

Deterministic: each text is the one that its model writes alone, however many are written at once.
Where the module keeps keys and values, they are used, and the whole is then looked at once more
without them: pruning that left a layer's cache in disorder would show here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from prunegate.errors import ModelError
from prunegate.models.batch import logits_of
from prunegate.models.placement import placed
from prunegate.predict.documents import Beginning
from prunegate.predict.score import within_memory
from prunegate.predict.side_by_side import (
    TOGETHER,
    batches,
    rounding,
    writes_in_batches,
    written_together,
)
from prunegate.predict.tokens import Tokens

_TIE = 1e-3
"""Logits closer than this (of the largest's size) are equal: rounding decides between them."""
_COARSE_TIE = 16
"""The same where rounding is coarse, in its units: an eighth of the largest in bfloat16 and int8,
a sixty-fourth in float16."""
_ADVICE = (
    "its layers may be numbered wrongly (layer_idx), and it would write wrongly in production, too"
)


@dataclass(frozen=True, kw_only=True)
class Greedy:
    """How to continue a text."""

    tokens: Tokens
    most: int = 48
    """New tokens, at most; fewer where the end token comes or the model takes no more."""
    prompt: int | None = None
    """Tokens of a prompt that are read, at most, its end; None: as many as the model takes."""
    device: str = "cpu"

    def texts(
        self,
        module: nn.Module,
        beginnings: Sequence[Beginning],
        advance: Callable[[int], object] | None = None,
    ) -> list[str]:
        """Return the continuation of each beginning as text.

        Args:
            module: a language model; its mode and device are put back.
            beginnings: of at least one token each; of a long one the end is used.
            advance: called after each batch with the number of its texts.

        Raises:
            ModelError: outputs that are not finite, or a cache that changes what is said.
            UnsupportedError: the device is unknown or not there.
        """
        cached = keeps_cache(module)
        together = TOGETHER if cached and writes_in_batches(module) else 1
        given = [self._given(beginning) for beginning in beginnings]
        room = [self._most(one) for one in given]
        found: dict[int, list[int]] = {}

        def write(size: int) -> None:
            for rows in batches(list(map(len, given)), room, size):
                left = [row for row in rows if row not in found]
                texts = self._written(module, [given[row] for row in left], cached=cached)
                found.update(zip(left, texts, strict=True))
                if left and advance is not None:
                    advance(len(left))

        with placed(module, self.device, training=False):
            within_memory(write, together)
        return [self.tokens.continuation(one, found[row]) for row, one in enumerate(given)]

    def ids(self, module: nn.Module, beginning: Beginning, *, cached: bool) -> list[int]:
        """Return the new tokens of a text written alone; the end token is not among them."""
        return self._alone(module, self._given(beginning), cached=cached)

    def _written(
        self, module: nn.Module, given: Sequence[list[int]], *, cached: bool
    ) -> list[list[int]]:
        """The new tokens of texts of a batch, without end tokens."""
        if len(given) < 2:  # nothing to write side by side
            return [self._alone(module, one, cached=cached) for one in given]
        with torch.inference_mode():
            said = written_together(module, given, self._most(given[0]), self.tokens.end)
        return [
            self._alone(module, one, cached=cached) if new is None else self._without_end(new)
            for one, new in zip(given, said, strict=True)
        ]

    def _alone(self, module: nn.Module, given: list[int], *, cached: bool) -> list[int]:
        walk = _cached if cached else _uncached
        with placed(module, self.device, training=False) as target, torch.inference_mode():
            ids = torch.tensor([given], device=target)
            said = walk(module, ids, self._most(given), self.tokens.end)
            if cached:
                _require_greedy(module, torch.tensor([given + said], device=target), len(given))
        return self._without_end(said)

    def _given(self, beginning: Beginning) -> list[int]:
        longest = self.tokens.longest
        room = max(longest - self.most, longest // 2, 1)
        return cast("list[int]", beginning.within(min(room, self.prompt or room)).tolist())

    def _most(self, given: Sequence[int]) -> int:
        return min(self.most, self.tokens.longest - len(given))

    def _without_end(self, said: list[int]) -> list[int]:
        return said[:-1] if said and said[-1] == self.tokens.end else said


def keeps_cache(module: nn.Module) -> bool:
    """Whether the module can go on from keys and values that it computed before."""
    from transformers import PreTrainedModel

    return isinstance(module, PreTrainedModel) and bool(module.can_generate())


def _cached(module: nn.Module, ids: Tensor, most: int, end: int | None) -> list[int]:
    said: list[int] = []
    fed, past = ids, None
    while len(said) < most and (not said or said[-1] != end):
        seen = torch.ones((1, ids.shape[1] + len(said)), dtype=torch.int64, device=ids.device)
        try:
            answer = module(
                input_ids=fed, attention_mask=seen, past_key_values=past, use_cache=True
            )
        except RuntimeError as error:
            first = str(error).partition("\n")[0]
            raise ModelError(
                f"the model cannot go on from its cache of keys and values ({first}); {_ADVICE}"
            ) from error
        past = answer.past_key_values
        said.append(_likeliest(answer.logits))
        fed = torch.tensor([said[-1:]], device=ids.device)
    return said


def _uncached(module: nn.Module, ids: Tensor, most: int, end: int | None) -> list[int]:
    said: list[int] = []
    while len(said) < most and (not said or said[-1] != end):
        whole = torch.cat([ids, torch.tensor([said], dtype=ids.dtype, device=ids.device)], dim=1)
        said.append(_likeliest(_logits(module, whole)))
    return said


def _require_greedy(module: nn.Module, whole: Tensor, given: int) -> None:
    """Insist that each token is the likeliest without a cache, too; ties are either way."""
    logits = _logits(module, whole)[0, given - 1 : -1].double()
    if not len(logits):
        return
    best = logits.max(dim=-1).values
    chosen = logits.gather(1, whole[0, given:, None])[:, 0]
    if bool((best - chosen > _tie(module) * logits.abs().max()).any()):
        raise ModelError(
            "with its cache of keys and values the model says something else than without; "
            + _ADVICE
        )


def _tie(module: nn.Module) -> float:
    return max(_TIE, _COARSE_TIE * rounding(module))


def _logits(module: nn.Module, ids: Tensor) -> Tensor:
    return logits_of(module, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})


def _likeliest(logits: Tensor) -> int:
    last = logits[0, -1]
    if not bool(torch.isfinite(last).all()):
        raise ModelError("the model's outputs are NaN or infinite; it cannot be judged.")
    return int(last.argmax())
