"""A scoring job scores with the files that its model's digest covers."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.functional.foreign import save_graph, text_graph

from prunegate.errors import InputError, ModelError

pytestmark = pytest.mark.models
pytest.importorskip("onnx")


def test_a_tokenizer_that_changes_under_a_prediction_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are cut by what the model's digest covers, read once for all rows."""
    from tokenizers import Tokenizer, models

    scoring: Any = import_module("prunegate.pipeline.scoring_job")
    words = {"[UNK]": 0, "a": 1, "b": 2}

    def write(numbers: dict[str, int]) -> None:
        made = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))  # noqa: S106  # no password
        made.save(str(tmp_path / "tokenizer.json"))

    write(words)
    graph = text_graph(9, inputs=("input_ids", "attention_mask"))
    save_graph(graph, tmp_path / "m.onnx")
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 8}))
    asked = scoring.ScoringJob(
        model=tmp_path / "m.onnx",
        said=scoring.ModelSource(onnx="m.onnx", classes=("yes",)),
        table=tmp_path / "t.csv",
        out=tmp_path / "o.csv",
    )
    scorer = scoring.Scorer(asked, "texts")
    before = scorer.scores(["a", "b"])["p_yes"]
    write({**words, "a": 2, "b": 1})
    assert np.array_equal(scorer.scores(["a", "b"])["p_yes"], before)
    assert np.allclose(scoring.Scorer(asked, "texts").scores(["b", "a"])["p_yes"], before)
    real = scoring.open_model

    def slow(*given: Any, **more: Any) -> Any:
        found = real(*given, **more)
        write(words)
        return found

    monkeypatch.setattr(scoring, "open_model", slow)
    with pytest.raises(ModelError, match=r"tokenizer\.json: changed while the model was loaded"):
        scoring.Scorer(asked, "texts")


@pytest.mark.parametrize(
    ("key", "scores", "alike"),
    [
        ("id", ("p_Safe", "p_safe"), True),
        ("Score", ("score",), True),
        ("id", ("p_safe", "p_unsafe"), False),
    ],
)
def test_columns_that_are_one_to_spark_are_told_before_it_scores(
    tmp_path: Path, key: str, scores: tuple[str, ...], alike: bool
) -> None:
    spark: Any = import_module("prunegate.pipeline.predict_on_spark")
    asked = spark.ScoringJob(
        model=tmp_path,
        said=import_module("prunegate.pipeline.scoring_job").ModelSource(folder="."),
        table=tmp_path / "t.csv",
        out=tmp_path / "o",
        id=key,
    )
    if not alike:
        spark.refuse_alike(asked, scores)
        return
    with pytest.raises(InputError, match=r"are one to Spark.*--classes"):
        spark.refuse_alike(asked, scores)
