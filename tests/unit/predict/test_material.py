"""Material: the images that a run decodes, in the order of its rows; and the table it leaves."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from prunegate.data.file_hashes import hash_files
from prunegate.data.labelled.rows import LabelledRows, select_rows
from prunegate.errors import ModelError, TableError
from prunegate.io.hashing import FileHash
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Rows
from prunegate.predict.classes import model_classes
from prunegate.predict.material import Material, prepare_material, require_answers, used_splits
from prunegate.predict.predictions_table import predictions

pytestmark = pytest.mark.models

PREPROCESSOR = {"do_resize": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
TAYLOR = {"prune": {"what": "heads", "amount": 0.5}}
RANDOM = {"prune": {"what": "heads", "amount": 0.5, "criterion": "random"}}
TRAIN = {"finetune": {"steps": 1}}
SEARCH = {"finetune": {"steps": 1, "data": {"split": "search"}}}


def make_policy(*steps: dict[str, Any], positive: Any = "unsafe", **data: Any) -> Policy:
    return Policy.model_validate(
        {
            "prunegate": 1,
            "name": "p",
            "task": {"kind": "binary", "positive": positive, "threshold": 0.5},
            "slices": [{"by": "kind"}],
            "rules": [{"metric": "recall", "at_least": 0.5}],
            "compress": steps,
            "data": data,
        }
    )


def make_rows(folder: Path, splits: list[str]) -> LabelledRows:
    """One grey level per row, so that an image tells whose it is."""
    for number in range(len(splits)):
        Image.new("RGB", (4, 4), (number, number, number)).save(folder / f"{number}.png")
    return LabelledRows(
        name="t.csv",
        folder=folder,
        ids=tuple(f"r{number}" for number in range(len(splits))),
        images=tuple(f"{number}.png" for number in range(len(splits))),
        labels=tuple("unsafe" if number % 3 == 0 else "safe" for number in range(len(splits))),
        splits=tuple(splits),
        columns={"kind": tuple("ab"[number % 2] for number in range(len(splits)))},
    )


def model(names: tuple[str, ...] = ("safe", "unsafe"), **family: str) -> Any:
    """What is asked of a loaded model."""
    return SimpleNamespace(
        family=SimpleNamespace(
            **{"architecture": "Some", "reads": "images", "answers": "classes"} | family
        ),
        preprocessor=PREPROCESSOR,
        config={"id2label": dict(enumerate(names))},
        folder=Path("baseline"),
        place=Path("baseline"),
        activation="softmax",
    )


def material(policy: Policy, rows: LabelledRows, *names: str) -> Material:
    return prepare_material(
        policy, rows, hash_files(rows.paths), model(names or ("safe", "unsafe"))
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (torch.zeros(1, 3), r"answers one row with \[1, 3\] numbers; expected 2, one per class"),
        (torch.zeros(1, 5, 2), r"answers one row with \[1, 5, 2\] numbers"),
        (ValueError("not so\nmany lines"), r"baseline: fails on the first .* \(not so\); give"),
        (torch.zeros(1, 2), None),
    ],
)
def test_a_model_that_answers_something_else_is_known_at_once(
    tmp_path: Path, answer: Any, message: str | None
) -> None:
    policy, tried = make_policy(TAYLOR), model()
    found = material(policy, make_rows(tmp_path, ["calibration", "gate"]))

    def call(pixel_values: torch.Tensor) -> Any:
        assert pixel_values.shape == (1, 3, 4, 4)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(logits=answer)

    tried.module = call
    if message is None:
        require_answers(policy, found, tried)
        return
    with pytest.raises(ModelError, match=message):
        require_answers(policy, found, tried)


@pytest.mark.parametrize("size", [4, 6])
def test_a_vit_takes_images_of_its_size(tmp_path: Path, size: int) -> None:
    rows, vit = make_rows(tmp_path, ["train", "gate"]), model()
    vit.config |= {"model_type": "vit", "image_size": size, "patch_size": 2}
    if size == 4:
        assert len(prepare_material(make_policy(), rows, hash_files(rows.paths), vit).inputs) == 1
        return
    with pytest.raises(ModelError, match="images of 4 x 4 pixels, the model takes 6 x 6"):
        prepare_material(make_policy(), rows, hash_files(rows.paths), vit)


def greys(values: Any) -> list[int]:
    """Undo the preprocessing: which row each image is."""
    return [round(float(v)) for v in (values[:, 0, 0, 0] * 0.5 + 0.5) * 255]


def all_of(images: Any) -> list[int]:
    return greys(images.pixel_values(np.arange(len(images))))


@pytest.mark.slow
@given(
    splits=st.lists(
        st.sampled_from(["train", "calibration", "search", "gate"]), min_size=1, max_size=20
    ),
    steps=st.lists(st.sampled_from([TAYLOR, RANDOM, TRAIN, SEARCH]), max_size=3),
)
@settings(max_examples=30)
def test_images_are_those_of_their_rows(
    splits: list[str], steps: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    policy = make_policy(*steps)
    rows = make_rows(tmp_path_factory.mktemp("images"), [*splits, "gate"])
    found = material(policy, rows)
    used = used_splits(policy)
    assert len(found.inputs) == sum(split in used for split in rows.splits)
    for split in used:
        if split not in rows.splits:
            continue
        places = select_rows(rows, split)
        assert all_of(found.split(split)) == places.tolist()
        examples = found.examples(Rows(split=split), 0) if split != "gate" else None  # type: ignore[arg-type]  # any of the splits
        if examples is not None:
            batch = examples.batch(np.arange(len(examples)))
            values, labels = batch.inputs["pixel_values"], batch.labels
            assert greys(values) == places.tolist()
            assert labels.tolist() == [int(rows.labels[place] == "unsafe") for place in places]


@pytest.mark.parametrize(
    ("steps", "splits"),
    [
        ([], ("gate",)),
        ([RANDOM], ("gate",)),
        ([TAYLOR, TRAIN, TRAIN], ("gate", "calibration", "train")),
        ([SEARCH], ("gate", "search")),
    ],
)
def test_only_the_splits_that_are_read_are_used(
    steps: list[dict[str, Any]], splits: tuple[str, ...]
) -> None:
    assert used_splits(make_policy(*steps)) == splits


def test_examples_follow_where_limit_and_seed(tmp_path: Path) -> None:
    rows = make_rows(tmp_path, ["train"] * 12 + ["gate"] * 3)
    found = material(make_policy(TRAIN), rows)
    wanted = Rows.model_validate({"split": "train", "where": {"kind": "b"}, "limit": 4})
    one, same, other = (found.examples(wanted, seed) for seed in (0, 0, 1))
    values = one.batch(np.arange(4)).inputs["pixel_values"]
    assert len(one) == 4
    assert all(number % 2 == 1 and number < 12 for number in greys(values))
    assert one.rows.tolist() == same.rows.tolist()
    assert one.rows.tolist() != other.rows.tolist()


def test_labels_follow_the_models_numbers(tmp_path: Path) -> None:
    rows = make_rows(tmp_path, ["train"] * 4 + ["gate"])
    found = material(make_policy(TRAIN), rows, "unsafe", "safe")
    labels = found.examples(Rows(split="train"), 0).batch(np.arange(4)).labels
    assert labels.tolist() == [0, 1, 1, 0]


def test_images_of_unused_splits_are_not_opened(tmp_path: Path) -> None:
    rows = make_rows(tmp_path, ["search", "gate"])
    (tmp_path / "0.png").write_text("not an image")
    assert all_of(material(make_policy(), rows).inputs) == [1]
    with pytest.raises(TableError, match=r"0\.png"):
        material(make_policy(SEARCH), rows)


def test_an_image_that_changed_since_it_was_hashed_is_refused(tmp_path: Path) -> None:
    rows = make_rows(tmp_path, ["gate", "gate"])
    found: tuple[FileHash, ...] = hash_files(rows.paths)
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "1.png", compress_level=0)
    with pytest.raises(TableError, match=r"1\.png"):
        prepare_material(make_policy(), rows, found, model())


@pytest.mark.parametrize(
    ("positive", "names", "expected"),
    [
        ("unsafe", {"0": "safe", "1": "unsafe"}, (1, 0)),
        ("unsafe", {"0": "unsafe", "1": "safe"}, (0, 1)),
        ("unsafe", {0: "safe", 1: "unsafe"}, (1, 0)),
        (1, {"0": "0", "1": "1"}, (1, 0)),
        (1.0, {"0": 0, "1": 1}, (1, 0)),
        (True, {"0": "false", "1": "true"}, (1, 0)),
    ],
)
def test_classes_are_found_by_name(positive: Any, names: Any, expected: tuple[int, int]) -> None:
    found = model_classes(make_policy(positive=positive), {"id2label": names})
    assert found.positive == expected[0]
    assert set(found.names) == {value_text(name) for name in names.values()}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"id2label": None},
        {"id2label": ["safe", "unsafe"]},
        {"id2label": {}},
        {"id2label": {"0": "safe"}},
        {"id2label": {"0": "safe", "1": "bad"}},
        {"id2label": {"0": "unsafe", "1": "unsafe"}},
        {"id2label": {"0": "safe", "1": "unsafe", "2": "other"}},
        {"id2label": {"1": "safe", "2": "unsafe"}},
        {"id2label": {"one": "safe", "two": "unsafe"}},
    ],
)
def test_what_is_no_classifier_of_these_two_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"named 'unsafe'.*id2label"):
        model_classes(make_policy(), config)


def test_the_table_holds_the_gate_split_in_order(tmp_path: Path) -> None:
    policy = make_policy(columns={"id": "key", "label": "truth", "baseline": "old"})
    rows = make_rows(tmp_path, ["train", "gate", "gate", "search", "gate"])
    scores = {"baseline": np.array([0.1, 0.2, 0.3]), "candidate": np.array([0.5, 1.0, 0.0])}
    table = predictions(policy, rows, scores, "gate")
    assert table.to_pydict() == {
        "key": ["r1", "r2", "r4"],
        "truth": ["safe", "safe", "safe"],
        "old": [0.1, 0.2, 0.3],
        "candidate": [0.5, 1.0, 0.0],
        "kind": ["b", "a", "a"],
    }


def test_a_slicing_key_cannot_be_a_column_of_the_contract(tmp_path: Path) -> None:
    rows = make_rows(tmp_path, ["gate"])
    clash = LabelledRows(**{**vars(rows), "columns": {"candidate": ("a",)}})
    scores = {"baseline": np.array([0.1]), "candidate": np.array([0.5])}
    with pytest.raises(TableError, match="column 'candidate' slices the data"):
        predictions(make_policy(), clash, scores, "gate")
