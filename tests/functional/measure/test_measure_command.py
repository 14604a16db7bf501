"""``prunegate measure``: two folders in, figures of both out, fit for ``gate``. No times.

The machine's noise is whatever it is, so tests of what follows from it set the noise themselves.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from prunegate_test_tiny import write_baseline
from tests.depth import at_length
from tests.functional.measure.measuring import MEMORY, NOISY, QUIET, run

from prunegate.cost.measurement import Measurements
from prunegate.cost.measurements_file import read_measurements

pytestmark = pytest.mark.slow


def test_language_models_are_timed_as_they_write(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.unit.models.tiny import tiny, write_baseline

    write_baseline(tiny("gpt2"), Path("writer"))
    module: Any = import_module("prunegate.pipeline.generating")
    real, asked = module.with_generation, []

    def quick(*args: Any, **given: Any) -> Measurements:
        asked.append((tuple(args[2].shape), args[3]))
        found: Measurements = real(*args, **{**given, "rounds": 6, "seconds": 0.01})
        calm = replace(found.generation, ttft_noise=QUIET, tpot_noise=QUIET)
        return replace(found, generation=calm)

    monkeypatch.setattr(module, "with_generation", quick)
    pair = ("measure", "writer", "writer", "-o", "m.json", "--force")
    assert run(monkeypatch, *pair, "--new-tokens", 5) == 0
    assert run(monkeypatch, *pair, "--tokens", 6, "--new-tokens", 4, "--batch", 2) == 0
    assert asked == [((1, 27), 5), ((2, 6), 4)]  # the model takes 32 tokens
    found = read_measurements(Path("m.json"))
    assert found.generation is not None
    assert (found.generation.prompt_tokens, found.generation.new_tokens) == (6, 4)
    assert None not in (found.baseline.ttft_ms, found.candidate.tpot_ms)
    assert "writing 4 tokens after 6: evidence" in capsys.readouterr().out
    assert run(monkeypatch, *pair, "--tokens", 30, "--new-tokens", 4) == 2
    assert "takes 32 tokens" in capsys.readouterr().err
    again = ("measure", "bert", "bert", "-o", "m.json", "--force")
    assert run(monkeypatch, *again, "--new-tokens", 4) == 2
    assert "so it writes nothing" in capsys.readouterr().err


def test_what_two_graphs_leave_open_is_said_of_each(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of pictures of 3 x 3 pixels, whose channels could be either axis; both call them alike."""
    import numpy as np
    from tests.functional.foreign import graph_of, save_graph

    for name, layout in (("old", "NCHW"), ("new", "NHWC")):
        save_graph(graph_of(np.eye(3), layout=layout, size=3, opset=17), Path(f"{name}.onnx"))
    pair = ("measure", "old.onnx", "new.onnx", "-o", "m.json")
    assert run(monkeypatch, *pair) == 2
    assert "--layout" in capsys.readouterr().err
    layouts = ("--layout", "baseline:NCHW", "--layout", "candidate:NHWC")
    said = (*layouts, "--input-name", "pixel_values=input:0")
    assert run(monkeypatch, *pair, *said, "--output-name", "other") == 2
    assert "no output 'other'" in capsys.readouterr().err
    assert not Path("m.json").exists()
    assert run(monkeypatch, *pair, *said) == 0
    assert read_measurements(Path("m.json")).candidate.latency_p50_ms is not None


def test_a_regressor_is_timed_like_any_other_model(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its answers mean is of no matter there."""
    config = json.loads(Path("baseline/config.json").read_text())
    Path("baseline/config.json").write_text(json.dumps(config | {"problem_type": "regression"}))
    assert run(monkeypatch, "measure", "baseline", "baseline", "-o", "m.json") == 0
    assert read_measurements(Path("m.json")).candidate.latency_p50_ms is not None


def test_figures_of_both_models_by_batch(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "measure", "baseline", "int8", "--batch", "2,5", "-o", "m.json") == 0
    found = read_measurements(Path("m.json"))
    assert [part.batch for part in (found, *found.others)] == [2, 5]
    for part in (found, *found.others):
        assert part.engine == f"torch {torch.__version__.split('+')[0]} cpu"
        assert {"inputs", "load_before", "load_after", "processor"} <= part.environment.keys()
        one, other = part.baseline, part.candidate
        assert one.peak_memory_bytes == MEMORY + part.batch
        assert None not in (one.latency_p50_ms, one.throughput_per_s, one.cpu_ms, other.cpu_ms)
        assert (one.active_heads, other.active_heads) == (6, 4)
        assert one.flops > other.flops > 0  # type: ignore[operator]  # both are counted
        assert one.parameters > other.parameters  # type: ignore[operator]  # both are counted
        assert one.digest != other.digest
        assert part.latency_ratio is not None
    said = capsys.readouterr()
    for words in ("batch 2, one thread", "batch 5, one thread", "peak memory", "baseline against"):
        assert words in said.out
    assert said.out.count(": evidence; ") == 2


def test_eight_bits_do_the_arithmetic_of_their_float_form(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("int8", "onnx"):
        assert run(monkeypatch, "measure", name, name, "-o", f"{name}.json", "-q") == 0
    one, other = (read_measurements(Path(f"{name}.json")) for name in ("int8", "onnx"))
    assert one.baseline.flops == other.baseline.flops


def test_a_noisy_run_is_no_evidence_and_says_so(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place(NOISY)
    assert run(monkeypatch, "measure", "baseline", "int8", "-o", "m.json", "-q") == 4
    assert "NO EVIDENCE" in capsys.readouterr().out
    assert not read_measurements(Path("m.json")).quiet


def test_the_baseline_follows_an_onnx_candidate_into_its_engine(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, "measure", "baseline", "onnx", "-o", "m.json", "-q") == 0
    found = read_measurements(Path("m.json"))
    assert found.engine.startswith("onnxruntime ")
    assert "against" not in found.engine
    assert "exported" in found.environment["baseline_runs_as"]


def test_engines_are_crossed_only_if_asked_for_and_labelled(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "measure", "onnx", "baseline", "-o", "m.json") == 2
    assert "--cross-engine" in capsys.readouterr().err
    assert run(monkeypatch, "measure", "int8", "onnx", "-o", "m.json") == 2
    assert not Path("m.json").exists()
    crossed = ("measure", "baseline", "onnx", "--cross-engine", "-o", "m.json", "-q")
    assert run(monkeypatch, *crossed) == 0
    engine = read_measurements(Path("m.json")).engine
    assert engine.startswith("torch ")
    assert " against onnxruntime " in engine


def test_json_prints_exactly_the_file(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "measure", "baseline", "int8", "--json", "-o", "m.json") == 0
    said = capsys.readouterr()
    assert said.out == Path("m.json").read_text()
    assert "evidence" in said.err
    found = read_measurements(Path("m.json"))
    assert (found.baseline.zeros, found.baseline.quantized) == (0, None)
    assert found.candidate.quantized
    assert found.candidate.zeros is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("baseline", "bert"), "reads images, bert reads texts"),
        (("baseline", "none"), "no such folder"),
        (("baseline", "classes"), "answers [2] numbers, the candidate [3]"),
        (("baseline",), "Missing argument"),
        (("baseline", "int8", "--batch", "0"), "sizes from 1"),
        (("baseline", "int8", "--batch", "1,1"), "each once"),
        (("baseline", "int8", "--batch", "1,"), "whole numbers"),
        (("baseline", "int8", "--batch", "-1"), "whole numbers"),
        (("baseline", "int8", "--batch", "nan"), "whole numbers"),
        (("baseline", "int8", "--threads", "0"), "--threads"),
        (("baseline", "int8", "--seconds", "nan"), "above zero"),
        (("baseline", "int8", "--seconds", "-1"), "above zero"),
        (("baseline", "int8", "--seconds", "inf"), "above zero"),
        (("baseline", "int8", "--tokens", "5"), "have no tokens"),
        (("bert", "bert", "--tokens", "21"), "--tokens 20"),
        (("baseline", "int8", "-o", "baseline"), "would write over BASELINE"),
        (("baseline", "int8", "-o", "there.json"), "is there already"),
    ],
)
def test_bad_input_is_one_message_and_nothing_written(
    place: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    Path("there.json").write_text("{}")
    for name in {"large", "classes"} & set(arguments):
        other_model(Path(name))
    before = sorted(Path().rglob("*"))
    output = () if "-o" in arguments else ("-o", "m.json")
    assert run(monkeypatch, "measure", *arguments, *output) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.lower().count("error:") == 1
    assert "Traceback" not in said.err
    assert not said.out
    assert sorted(Path().rglob("*")) == before


def other_model(folder: Path) -> None:
    """A ViT for larger images, or of three classes."""
    from transformers import ViTConfig, ViTForImageClassification

    side, labels = (24, 2) if folder.name == "large" else (16, 3)
    sizes = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 3}
    config = ViTConfig(image_size=side, patch_size=8, intermediate_size=8, **sizes)
    config.num_labels = labels
    ViTForImageClassification(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text("{}")


def test_a_model_that_changes_meanwhile_is_refused(
    place: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module: Any = import_module("prunegate.pipeline.measure_folders")
    real = module.measure

    def meddle(*args: Any, **given: Any) -> Any:
        (Path("int8") / "more").write_text("x")
        return real(*args, **given)

    monkeypatch.setattr(module, "measure", meddle)
    assert run(monkeypatch, "measure", "baseline", "int8", "-o", "m.json", "-q") == 2
    assert "int8: changed while it was measured" in capsys.readouterr().err
    assert not Path("m.json").exists()


@pytest.mark.parametrize(("candidate", "batches"), [("onnx", "1,2"), *at_length(("int8", "1"))])
def test_the_whole_way_with_real_memory(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candidate: str, batches: str
) -> None:
    out = tmp_path / "m.json"
    code = run(
        monkeypatch,
        *("measure", models / "baseline", models / candidate, "--batch", batches),
        *("--seconds", "0.05", "-o", out, "-q"),
    )
    found = read_measurements(out)
    assert code == (0 if all(part.quiet for part in (found, *found.others)) else 4)
    assert len(found.others) == batches.count(",")
    if sys.platform.startswith("linux"):
        for part in (found, *found.others):
            for one in (part.baseline, part.candidate):
                assert one.peak_memory_bytes is not None
                assert 0 < one.peak_memory_bytes < 1 << 30


def test_random_inputs_are_of_the_form_that_the_model_takes(models: Path, tmp_path: Path) -> None:
    from prunegate.models.load import load_model
    from prunegate.predict.random_inputs import random_inputs

    text = load_model(models / "bert")
    made = random_inputs(text, 3, tokens=20, seed=1)
    assert made["input_ids"].shape == (3, 20)
    assert 0 <= int(made["input_ids"].min()) <= int(made["input_ids"].max()) < 30
    assert random_inputs(text, 1)["input_ids"].shape == (1, 20)  # as many as it takes
    again = random_inputs(text, 3, tokens=20, seed=1)
    assert torch.equal(made["input_ids"], again["input_ids"])
    assert not torch.equal(made["input_ids"], random_inputs(text, 3, seed=2)["input_ids"])
    write_baseline(tmp_path / "vit")
    assert random_inputs(load_model(tmp_path / "vit"), 2)["pixel_values"].shape == (2, 3, 16, 16)
