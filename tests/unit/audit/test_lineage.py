"""Lineage names models by content, and tells step by step how one came from another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from prunegate.audit.lineage import compression_of, lineage_warnings, model_ref
from prunegate.audit.zero_weights import zero_warnings
from prunegate.compress.steps import Candidate
from prunegate.models.kept_units import KeptUnits
from prunegate.models.load import LoadedModel
from prunegate.models.surgery import Ranking, Storage, Surgery
from prunegate.models.vit import FAMILY

pytestmark = pytest.mark.models

torch.set_num_threads(1)

CONFIG = {
    "architectures": ["ViTForImageClassification"],
    "image_size": 16,
    "patch_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 10,
    "num_labels": 2,
}
WHOLE = FAMILY.whole(CONFIG)


def loaded(surgery: Surgery | None = None, digest: str = "b" * 64) -> LoadedModel:
    kept = surgery.kept if surgery else WHOLE
    return LoadedModel(
        module=torch.nn.Identity(),
        family=FAMILY,
        config=CONFIG,
        preprocessor={},
        kept=kept,
        digest=digest,
        parameters=FAMILY.parameters(CONFIG, kept),
        active_heads=kept.active_heads,
        model_bytes=77,
        folder=Path(),
        surgery=surgery,
    )


PRUNED = {
    "step": "prune",
    "what": "heads",
    "criterion": "taylor",
    "scope": "global",
    "min_per_layer": 1,
    "fraction": 0.34,
    "removed": 1200,
    "data": "calibration",
    "rows": 2000,
}
TRAINED = {
    "step": "finetune",
    "steps": 400,
    "learning_rate": 0.001,
    "batch_size": 64,
    "data": "train, at most 9,000",
    "rows": 9000,
}


def cut(*recipe: dict[str, Any], baseline: str = "b" * 64) -> Surgery:
    return Surgery(
        architecture=FAMILY.architecture,
        config=CONFIG,
        kept=KeptUnits(
            units={
                "heads": ((0, 2), (1,)),
                "neurons": ((0, 3), tuple(range(10))),
                "layers": ((0, 1),),
            }
        ),
        parameters=1,
        weights_sha256="c" * 64,
        baseline_digest=baseline,
        recipe=recipe,
        seed=0,
        importance={
            "heads": Ranking(criterion="taylor", shares=((0.5, 0.1, 0.4), (None, 1.0, 0.0)))
        },
    )


def test_a_model_is_named_by_content() -> None:
    found = model_ref(loaded(), "baseline")
    assert (found.name, found.digest, found.model_bytes) == ("baseline", "b" * 64, 77)
    assert (found.architecture, found.active_heads) == ("ViTForImageClassification", 6)


def test_what_was_removed_is_told_in_numbers_and_sentences() -> None:
    candidate = loaded(cut(PRUNED, TRAINED), "d" * 64)
    losses = (tuple(float(n) for n in range(100, 80, -1)),)
    made = Candidate(
        module=candidate.module,
        kept=candidate.kept,
        surgery=candidate.surgery or cut(),
        losses=((9.0,), *losses),
    )
    found = compression_of(loaded(), candidate, made)
    assert found is not None
    assert (found.heads_before, found.heads_kept) == ((3, 3), ((0, 2), (1,)))
    assert (found.neurons_before, found.neurons_kept) == ((10, 10), (2, 10))
    assert found.head_share == ((0.5, 0.1, 0.4), (0.0, 1.0, 0.0))
    assert (found.loss_first, found.loss_last) == (99.5, 81.5)
    assert list(found.summary) == [
        (
            "Removed 1,200 heads, ranked by taylor on 2,000 rows (calibration) over all layers "
            "together; at least 1 stay in each layer."
        ),
        (
            "Fine-tuned for 400 steps of 64 rows at a learning rate of 0.001 on 9,000 rows (train, "
            "at most 9,000)."
        ),
    ]


THINNED = {**PRUNED, "what": "weights", "removed": 5000, "criterion": "magnitude", "rows": 0}
QUANTIZED = {
    "step": "quantize",
    "to": "int8",
    "kind": "weight_only",
    "engine": "torch",
    "per_channel": True,
    "rows": 0,
}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (
            {**PRUNED, "cycle": 2, "cycles": 3, "rewind": "early", "scope": "per_layer"},
            (
                "Removed 1,200 heads (cycle 2 of 3), ranked by taylor on 2,000 rows (calibration) "
                "layer by layer; at least 1 stay in each layer. The rest went back to its early "
                "weights."
            ),
        ),
        (
            {
                **PRUNED,
                "criterion": "magnitude",
                "compensate": "ridge",
                "ridge": 0.01,
                "measured_rows": 1000,
                "loss_before": 0.1,
                "loss_removed": 0.4,
                "loss_after": 0.25,
                "accuracy_before": 0.99,
                "accuracy_removed": 0.9,
                "accuracy_after": 0.95,
            },
            (
                "Removed 1,200 heads, ranked by magnitude over all layers together; at least 1 "
                "stay in each layer. What stays was fitted to stand in for what went, by ridge "
                "regression on 2,000 rows (calibration): on 1,000 of them the loss was 0.100 "
                "before, 0.400 with the units merely gone and 0.250 with the fit. Accuracy, in "
                "that order: 99.0 %, 90.0 %, 95.0 %."
            ),
        ),
        (
            {
                **PRUNED,
                "scope": "budget",
                "plans": [
                    {"kept": [4, 2], "expected": 0.1, "loss": 0.35},
                    {"kept": [3, 3], "expected": 0.2, "loss": 0.25},
                ],
                "plan": 2,
                "plan_steps": 20,
            },
            (
                "Removed 1,200 heads, ranked by taylor on 2,000 rows (calibration) within layers, "
                "of which each gave what loses least in sum; at least 1 stay in each layer. Of 2 "
                "plans, each recovered for 20 batches, plan 2 lost least on the rows of the "
                "ranking; in the order of what was expected of them: 0.350, 0.250."
            ),
        ),
        (
            {**PRUNED, "scope": "budget", "plans": [{"kept": [1], "loss": 1.0}], "plan": 1},
            (
                "Removed 1,200 heads, ranked by taylor on 2,000 rows (calibration) within layers, "
                "of which each gave what loses least in sum; at least 1 stay in each layer. Within "
                "the budget there was one plan only."
            ),
        ),
        (
            {
                **TRAINED,
                "teacher": "baseline",
                "weight": 0.9,
                "temperature": 2.0,
                "measured_rows": 1000,
                "loss_before": 0.4,
                "loss_after": 0.2,
                "divergence_before": 0.3,
                "divergence_after": 0.05,
            },
            (
                "Fine-tuned for 400 steps of 64 rows at a learning rate of 0.001 on 9,000 rows "
                "(train, at most 9,000). The baseline was the teacher (weight 0.9, temperature 2): "
                "on 1,000 of these rows the loss went from 0.400 to 0.200 and the divergence from "
                "the teacher's answers from 0.300 to 0.050 nats."
            ),
        ),
        (
            {**PRUNED, "what": "layers", "removed": 1},
            "Removed 1 layer, ranked by taylor on 2,000 rows (calibration); at least 1 stay.",
        ),
        (
            THINNED,
            "Set 5,000 weights to zero, ranked by magnitude over all layers together.",
        ),
        (
            {**THINNED, "what": "2:4"},
            "Set 5,000 weights to zero, two of every four, ranked by magnitude.",
        ),
        (QUANTIZED, "Quantized to int8 for torch: weight-only, one scale a channel."),
        (
            {**QUANTIZED, "kind": "static", "engine": "onnxruntime", "per_channel": False}
            | {"rows": 64, "data": "calibration"},
            (
                "Quantized to int8 for onnxruntime: static, one scale a tensor on 64 rows "
                "(calibration)."
            ),
        ),
        ({"step": "export", "to": "onnx"}, "Exported to ONNX."),
    ],
)
def test_every_step_is_a_sentence(step: dict[str, Any], sentence: str) -> None:
    found = compression_of(loaded(), loaded(cut(step)), None)
    assert found is not None
    assert found.summary == (sentence,)


def test_dropped_layers_zeros_and_storage_are_recorded() -> None:
    surgery = replace(
        cut(THINNED),
        kept=KeptUnits(units={"heads": ((0,), ()), "neurons": ((1, 2), ()), "layers": ((0,),)}),
        zeros=77,
        storage=Storage(format="int8", quantized={"kind": "dynamic"}),
    )
    found = compression_of(loaded(), loaded(surgery), None)
    assert found is not None
    assert (found.layers_kept, found.heads_kept) == ((0,), ((0,), ()))
    assert (found.neurons_before, found.neurons_kept) == ((10, 10), (2, 0))
    assert (found.zeros, found.storage) == (77, "int8")
    untouched = compression_of(loaded(), loaded(cut(PRUNED)), None)
    assert untouched is not None
    assert (untouched.layers_kept, untouched.zeros, untouched.storage) == (None, None, "float32")


@pytest.mark.parametrize(
    ("quantized", "zeros", "told"),
    [
        (False, None, False),
        (False, 9, False),
        (False, 10, True),
        (True, 99, False),
        (True, 100, True),
    ],
)
def test_many_zeros_are_told_of_and_rounding_makes_some(
    quantized: bool, zeros: int | None, told: bool
) -> None:
    model = replace(loaded(), parameters=1000, zeros=zeros, quantized=quantized)
    assert [f"{zeros:,} of the candidate's" in one for one in zero_warnings(model)] == [True] * told


def test_a_candidate_made_elsewhere_has_no_losses() -> None:
    found = compression_of(loaded(), loaded(cut(TRAINED)), None)
    assert found is not None
    assert (found.loss_first, found.loss_last) == (None, None)


def test_a_candidate_without_a_manifest_has_no_compression() -> None:
    assert compression_of(loaded(), loaded(), None) is None


@pytest.mark.parametrize(
    "step",
    [
        {"step": "prune", "what": "heads", "removed": 3},
        {**PRUNED, "removed": "many"},
        {"step": "finetune", "batch_size": 8, "learning_rate": 0.1},
        {**TRAINED, "learning_rate": "small"},
        {"step": "distil", "teacher": "big"},
        {"note": "by hand"},
        {},
    ],
)
def test_a_step_that_another_program_wrote_is_spelled_out(step: dict[str, Any]) -> None:
    found = compression_of(loaded(), loaded(cut(step)), None)
    assert found is not None
    assert found.summary == (", ".join(f"{name}: {value}" for name, value in step.items()),)


def test_epochs_are_told_where_steps_are_not_given() -> None:
    step = {**TRAINED, "epochs": 0.5}
    del step["steps"]
    found = compression_of(loaded(), loaded(cut(step)), None)
    assert found is not None
    assert found.summary[0].startswith("Fine-tuned for 0.5 epochs of 64 rows")


def test_a_teacher_is_told_where_nobody_measured_what_it_gave() -> None:
    step = {**TRAINED, "teacher": "baseline", "weight": 0.9, "temperature": 2.0}
    found = compression_of(loaded(), loaded(cut(step)), None)
    assert found is not None
    assert found.summary[0].endswith(" The baseline was the teacher (weight 0.9, temperature 2).")


def test_a_candidate_of_another_model_is_worth_a_warning() -> None:
    baseline = loaded()
    assert lineage_warnings(baseline, loaded()) == ()
    assert lineage_warnings(baseline, loaded(cut())) == ()
    (warning,) = lineage_warnings(baseline, loaded(cut(baseline="e" * 64)))
    assert "eeeeeeeeeeee" in warning
    assert "bbbbbbbbbbbb" in warning


def test_a_candidate_of_a_candidate_is_of_the_same_line() -> None:
    first = loaded(cut(), "f" * 64)
    assert lineage_warnings(first, replace(loaded(cut()), digest="a" * 64)) == ()
