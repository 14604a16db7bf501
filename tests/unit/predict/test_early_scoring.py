"""What config.json and a table's columns say against scoring is told before a model is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prunegate.errors import InputError
from prunegate.pipeline.early_scoring import WantedScores, refuse_scoring
from prunegate.policy.model_source import ModelSource

TEXTS = {"architectures": ["BertForSequenceClassification"]}
REGRESSOR = {**TEXTS, "problem_type": "regression", "num_labels": 1}


def refusal(
    home: Path, config: dict[str, Any] | None, *, columns: tuple[str, ...] = ("text",), **said: Any
) -> str | None:
    place = home / "model"
    place.mkdir()
    if config is None:
        place = place / "m.onnx"
        place.write_bytes(b"")
    else:
        (place / "config.json").write_text(json.dumps(config))
    asked: dict[str, Any] = {"positive": None, "numbers": False, **said}
    wanted = WantedScores(place=place, table=home / "t.csv", image="image", text="text", **asked)
    source: dict[str, Any] = {"onnx" if config is None else "folder": "m"}
    try:
        refuse_scoring(wanted, ModelSource.model_validate(source), ("id", *columns))
    except InputError as error:
        return str(error)
    return None


def test_a_graph_without_names_is_asked_whether_it_answers_with_numbers(tmp_path: Path) -> None:
    said = refusal(tmp_path, None)
    assert said is not None
    assert "--classes" in said
    assert said.endswith("as a regressor's, give --numbers")


def test_numbers_ask_for_no_names(tmp_path: Path) -> None:
    assert refusal(tmp_path, None, numbers=True) is None


@pytest.mark.parametrize("config", [REGRESSOR, TEXTS])
def test_other_contents_are_named_of_regressors_too(tmp_path: Path, config: dict[str, Any]) -> None:
    said = refusal(tmp_path, config, columns=("image",)) or ""
    assert "reads texts, and the table holds images; give a table with a column of texts" in said


def test_a_language_model_is_told_where_it_is_judged(tmp_path: Path) -> None:
    said = refusal(tmp_path, {"architectures": ["GPT2LMHeadModel"]}) or ""
    assert "GPT2LMHeadModel writes text" in said
    assert "prunegate run" in said


def test_one_output_takes_no_other_name(tmp_path: Path) -> None:
    said = refusal(tmp_path, REGRESSOR, positive="x") or ""
    assert said.endswith("and none called 'x'; leave out --positive")


def test_a_regressor_passes(tmp_path: Path) -> None:
    assert refusal(tmp_path, REGRESSOR) is None


def test_both_columns_are_too_many(tmp_path: Path) -> None:
    said = refusal(tmp_path, REGRESSOR, columns=("text", "image")) or ""
    assert "has both column 'image' and 'text'" in said
