"""Single weights of every family: zeros in layers only, and 2:4 along what hardware multiplies."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.unit.models.tiny import NAMES, inputs_of, rows_of, tiny

from prunegate.criteria import CRITERIA
from prunegate.policy.steps import Prune

pytestmark = pytest.mark.slow
SCORING = [name for name, criterion in CRITERIA.items() if criterion.scores_weights]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["weights", "2:4"])
def test_single_weights_are_zeroed_in_layers_only(name: str, what: Any) -> None:
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.unstructured import thin
    from prunegate.models.sparse import prunable

    for criterion in SCORING:
        model = tiny(name)
        ranked = RankingInput(family=model.family, module=model.module, data=rows_of(model, 4))
        tensors = prunable(model.module, model.family)
        total = sum(weight.numel() for weight in tensors.values())
        amount = None if what == "2:4" else 0.5
        wanted = Prune(what=what, amount=amount, criterion=criterion, scope="per_layer")
        zeros = thin(ranked, wanted)
        assert zeros == total // 2
        for key, weight in model.module.named_parameters():
            if key not in tensors:
                assert bool((weight != 0).all()), key
        logits = model.module(**inputs_of(model)).logits
        assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize("name", ["gpt2", "llama", "resnet"])
def test_two_of_four_run_along_the_input(name: str) -> None:
    """Hardware multiplies four inputs of one output at a time; for a convolution, four channels."""
    from prunegate.compress.ranking_input import RankingInput
    from prunegate.compress.unstructured import thin
    from prunegate.models.sparse import prunable

    model = tiny(name)
    thin(
        RankingInput(family=model.family, module=model.module),
        Prune(what="2:4", criterion="magnitude"),
    )
    transposed = name == "gpt2"
    for key, weight in prunable(model.module, model.family).items():
        inputs_last = weight.t() if transposed else weight.movedim(1, -1)
        fours = inputs_last.reshape(-1, 4) != 0
        assert bool((fours.sum(dim=1) == 2).all()), key
    assert any(weight.dim() == 4 for weight in prunable(model.module, model.family).values()) == (
        name == "resnet"
    )
