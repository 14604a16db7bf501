"""Several classes and texts: which number is which label, and what the table then holds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from prunegate.data.labelled.rows import LabelledRows
from prunegate.errors import InternalError, ModelError, UnsupportedError
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Rows
from prunegate.predict.classes import model_classes
from prunegate.predict.documents import sample_rows
from prunegate.predict.likelihood import Likelihoods
from prunegate.predict.material import prepare_material
from prunegate.predict.predictions_table import predictions
from prunegate.predict.score import score
from prunegate.predict.texts import TextSet

pytestmark = pytest.mark.models

NAMES = {0: "sport", 1: "news", 2: "ads"}


def policy(kind: str = "multiclass", *, classes: Any = ()) -> Policy:
    task = {"kind": kind} | ({"classes": classes} if classes else {})
    metric = "perplexity" if kind == "language" else "accuracy"
    return Policy.model_validate(
        {
            "prunegate": 1,
            "name": "p",
            "task": task,
            "slices": [{"by": "kind"}],
            "rules": [{"metric": metric, "at_most" if kind == "language" else "at_least": 0.5}],
            "compress": [{"finetune": {"steps": 1}}],
        }
    )


def rows(labels: tuple[Any, ...], **content: tuple[str, ...]) -> LabelledRows:
    count = len(labels)
    return LabelledRows(
        name="t.csv",
        folder=Path(),
        ids=tuple(f"r{n}" for n in range(count)),
        labels=labels,
        splits=("gate",) * (count - 1) + ("train",),
        columns={"kind": tuple("ab"[n % 2] for n in range(count))},
        **content or {"texts": tuple(f"good {n}" for n in range(count))},
    )


def bert() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return BertForSequenceClassification(
            BertConfig(
                vocab_size=8,
                hidden_size=8,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=8,
                max_position_embeddings=9,
                initializer_range=0.8,
                num_labels=3,
            )
        ).eval()


def loaded(folder: Path, names: Any = NAMES, **family: str) -> Any:
    traits = {"architecture": "Bert", "reads": "texts", "answers": "classes"} | family
    return SimpleNamespace(
        family=SimpleNamespace(**traits),
        config={"id2label": names, "vocab_size": 8, "max_position_embeddings": 9},
        preprocessor={},
        folder=folder,
    )


def test_labels_become_the_models_numbers(words_tokenizer: Path) -> None:
    some = rows(("ads", "sport", "ads", "news"))
    material = prepare_material(policy(), some, (), loaded(words_tokenizer))
    assert material.labels is not None
    assert material.labels.tolist() == [2, 0, 2, 1]
    batch = material.examples(Rows(split="train"), 0).batch(np.array([0]))
    assert batch.labels.tolist() == [1]
    assert set(batch.inputs) == {"input_ids", "attention_mask"}
    assert len(material.split("gate")) == 3


def test_numbers_are_compared_as_text(words_tokenizer: Path) -> None:
    model = loaded(words_tokenizer, {"0": "10", "1": "20"})
    material = prepare_material(policy(), rows((10, 20.0, 10)), (), model)
    assert material.labels is not None
    assert material.labels.tolist() == [0, 1, 0]


def test_a_label_that_the_model_lacks_is_refused(words_tokenizer: Path) -> None:
    with pytest.raises(ModelError, match=r"does not know: 'weather'; it knows 'sport', 'news'"):
        prepare_material(policy(), rows(("ads", "weather", "ads")), (), loaded(words_tokenizer))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ({}, ()),
        ({0: "a"}, ()),
        ({0: "a", 1: "a"}, ()),
        ({0: "a", 2: "b"}, ()),
        ({0: "a", "x": "b"}, ()),
        ({0: "a", 1: "b"}, ("a", "c")),
        ({0: "a", 1: "b", 2: "c"}, ("a", "b")),
    ],
)
def test_classes_have_to_agree_with_the_policy(names: Any, classes: Any) -> None:
    with pytest.raises(ModelError, match=r"id2label in config\.json\).*numbered from 0"):
        model_classes(policy(classes=classes), {"id2label": names})
    assert model_classes(policy(classes=("b", "a")), {"id2label": {"1": "b", "0": "a"}}).names == (
        "a",
        "b",
    )


@pytest.mark.parametrize(
    "family", [{"reads": "images"}, {"answers": "next token"}, {"reads": "images", "x": "y"}]
)
def test_a_model_of_another_kind_is_refused(words_tokenizer: Path, family: Any) -> None:
    with pytest.raises(UnsupportedError, match="ask for classifiers of texts"):
        prepare_material(policy(), rows(("ads", "ads")), (), loaded(words_tokenizer, **family))
    documents = rows((None, None), prompts=("", ""), references=("a", "b"))
    with pytest.raises(UnsupportedError, match="ask for language models"):
        prepare_material(policy("language"), documents, (), loaded(words_tokenizer))


def called(module: Any, names: Any) -> Any:
    storage = SimpleNamespace(engine="torch", quantized={})
    return SimpleNamespace(
        module=module, config={"id2label": names}, activation="softmax", storage=storage
    )


def test_chosen_labels_are_those_of_each_text_alone() -> None:
    module = bert()
    rng = np.random.default_rng(0)
    ids = tuple(rng.integers(0, 8, n).astype(np.int32) for n in rng.integers(1, 9, 30))
    found = score(policy(), called(module, NAMES), TextSet(ids=ids, pad=0))
    with torch.inference_mode():
        expected = [
            NAMES[int(module(torch.tensor([one.tolist()])).logits[0].argmax())] for one in ids
        ]
    assert list(found) == expected  # type: ignore[call-overload]  # an array of names
    assert len(set(expected)) > 1
    with pytest.raises(ModelError, match=r"answers with 3 classes, its config\.json names 2"):
        score(policy(), called(module, {0: "a", 1: "b"}), TextSet(ids=ids, pad=0))


def test_the_table_holds_labels() -> None:
    scores = {
        "baseline": np.array(["1", "2"], dtype=np.object_),
        "candidate": np.array(["2", "2"], dtype=np.object_),
    }
    table = predictions(policy(), rows((1, 2.0, 1)), scores, "gate")
    assert table.to_pydict() == {
        "id": ["r0", "r1"],
        "label": ["1", "2"],
        "baseline": ["1", "2"],
        "candidate": ["2", "2"],
        "kind": ["a", "b"],
    }


def test_the_table_holds_likelihoods_of_the_same_tokens() -> None:
    documents = rows((None,) * 3, prompts=("",) * 3, references=("a", "b", "c"))
    one = Likelihoods(nll=np.array([1.5, 2.5]), tokens=np.array([3, 4]))
    other = Likelihoods(nll=np.array([1.0, 3.0]), tokens=np.array([3, 4]))
    table = predictions(
        policy("language"), documents, {"baseline": one, "candidate": other}, "gate"
    )
    assert table.to_pydict() == {
        "id": ["r0", "r1"],
        "baseline": [1.5, 2.5],
        "candidate": [1.0, 3.0],
        "tokens": [3, 4],
        "kind": ["a", "b"],
    }
    less = Likelihoods(nll=other.nll, tokens=np.array([3, 5]))
    with pytest.raises(InternalError, match="different tokens"):
        predictions(policy("language"), documents, {"baseline": one, "candidate": less}, "gate")


def test_a_sample_takes_turns_between_kinds() -> None:
    kinds = ("a",) * 50 + ("b",) * 3 + ("c",) * 20
    many = LabelledRows(
        name="t", folder=Path(), ids=tuple(map(str, range(73))), labels=(None,) * 73,
        splits=("gate",) * 73, columns={"kind": kinds}, prompts=("",) * 73,
        references=("x",) * 73,
    )  # fmt: skip
    drawn = sample_rows(policy("language"), many, 12, 1)
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    counted = [sum(kinds[place] == kind for place in drawn) for kind in "abc"]
    assert counted in ([5, 3, 4], [4, 3, 5])
    assert np.array_equal(drawn, sample_rows(policy("language"), many, 12, 1))
    assert not np.array_equal(drawn, sample_rows(policy("language"), many, 12, 2))
    assert len(sample_rows(policy("language"), many, 500, 1)) == 73
