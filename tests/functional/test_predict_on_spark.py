"""``predict --engine spark``: the scores of one machine, a model per process, and its refusals."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prunegate_test_tiny import invoke, to_pickle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]


def scores(path: str) -> pd.DataFrame:
    return pq.read_table(path).to_pandas().sort_values("id").reset_index(drop=True)


def write_text_model(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification

    words = ["[PAD]", "[UNK]", "a", "b", "c", "d"]
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=6, intermediate_size=8, id2label={0: "ham", 1: "spam"}, **shape)
    BertForSequenceClassification(config).save_pretrained(folder)
    made = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106  # no password
    made.add_special_tokens(words[:2])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))


def test_scores_are_those_of_one_machine(home: Path, spark: Any) -> None:
    """Images of a CSV and texts of a folder of Parquet; gate takes what is written."""
    del spark  # is the running session
    rng = np.random.default_rng(0)
    write_text_model(home / "texts")
    said = [" ".join(rng.choice(["a", "b", "c", "d"], 1 + n % 7)) for n in range(40)]
    ids = [f"r{n}" for n in range(40)]
    (home / "many").mkdir()
    pq.write_table(pa.table({"id": ids, "text": said}), "said.parquet")
    for part in range(2):
        some = slice(20 * part, 20 * part + 20)
        pq.write_table(pa.table({"id": ids[some], "text": said[some]}), f"many/{part}.parquet")
    for model, table, more in (
        ("baseline", "data/labelled.csv", ("--positive", "unsafe", "--column", "candidate")),
        ("texts", "many", ()),
    ):
        alone = "said.parquet" if table == "many" else table
        for out, data, engine in (("one.parquet", alone, "local"), ("all", table, "spark")):
            asked = ("--data", data, "-o", out, "--engine", engine, "-q", *more, "--force")
            if engine == "local":
                done = invoke("predict", model, *asked)
            else:  # the same weights, of a pickle
                shutil.copytree(model, f"{model}-pickled")
                to_pickle(home / f"{model}-pickled")
                done = invoke("predict", f"{model}-pickled", *asked, "--allow-pickle-weights")
            assert done.exception is None, done.exception
        one, every = scores("one.parquet"), scores("all")
        assert list(one.columns) == list(every.columns)
        assert list(one.id) == list(every.id)
        for column in one.columns[1:]:
            assert np.allclose(one[column], every[column], atol=1e-6), column
    assert len(list(Path("all").glob("*.parquet"))) > 1
    assert not list(home.glob(".partial-*"))
    left = sorted(path for path in home.rglob("*") if "-spark-" not in path.name)
    taken = invoke("predict", "texts", "--data", "many", "-o", "all", "--engine", "spark", "-q")
    assert "is there already; name another folder" in str(taken.exception)
    (home / "doubled.csv").write_text("id,text\na,b\na,c\nb,\n")
    refused = invoke("predict", "texts", "--data", "doubled.csv", "-o", "x", "--engine", "spark")
    assert "1 ids that occur before, 1 rows without text" in str(refused.exception)
    (home / "doubled.csv").unlink()
    (home / "lost.csv").write_text("id,image\na,nowhere.png\n")
    refused = invoke("predict", "baseline", "--data", "lost.csv", "-o", "x", "--engine", "spark")
    assert getattr(refused.exception, "exit_code", None) == 2, refused.exception
    assert "not scored, nothing is kept" in str(refused.exception)
    assert "nowhere.png" in str(refused.exception)
    (home / "lost.csv").unlink()
    assert sorted(path for path in home.rglob("*") if "-spark-" not in path.name) == left


def test_a_process_loads_its_model_once_and_makes_sure_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prunegate.errors import ModelError
    from prunegate.models.digest import tree_digest
    from prunegate.pipeline.scoring_job import ScoringJob
    from prunegate.policy.model_source import ModelSource

    module: Any = import_module("prunegate.pipeline.predict_on_spark")
    real, loaded = module.Scorer, []

    def watched(*asked: Any) -> Any:
        loaded.append(asked)
        return real(*asked)

    monkeypatch.setattr(module, "Scorer", watched)
    monkeypatch.setattr(module, "_LOADED", {})
    job = ScoringJob(
        model=home / "baseline",
        said=ModelSource(folder=str(home / "baseline")),
        table=home / "data/labelled.csv",
        out=home / "x",
    )
    digest = tree_digest(home / "baseline")
    part = pd.DataFrame({"id": ["a"], "image": ["images/gate-01.png"]})
    for _ in range(3):
        found = list(module.score_parts(job, "images", "image", digest, iter([part, part[:0]])))
        assert [list(one.columns) for one in found] == [["id", "p_safe", "p_unsafe"]]
    assert len(loaded) == 1
    with pytest.raises(ModelError, match="another model on an executor"):
        list(module.score_parts(job, "images", "image", "0" * 64, [part]))


def test_without_spark_it_is_said_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    asked = ("predict", "baseline", "--data", "data/labelled.csv", "--engine", "spark", "-o")
    refused = invoke(*asked, "x")
    assert "pip install 'prunegate[spark]'" in str(refused.exception)
    refused = invoke(*asked, "x.csv")
    assert "name a folder" in str(refused.exception)
    assert not (home / "x").exists()
