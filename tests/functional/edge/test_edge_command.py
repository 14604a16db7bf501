"""``prunegate edge``: the page, what it says it was made of, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from prunegate_test_tiny import edit, invoke
from tests.functional.edge.pages import POLICY, edge, write_texts_model

pytestmark = [pytest.mark.slow, pytest.mark.models]


def test_the_folder_says_what_it_was_made_of(home: Path, runtime: Path) -> None:
    (home / "moderation.yaml").write_text(POLICY)
    words = ("baseline", "--runtime-from", runtime, "--policy", "moderation.yaml")
    assert edge(*words, "-o", "page").return_value == 0
    said = json.loads((home / "page" / "edge.json").read_text())
    assert said["title"] == "Unsafe creatives"
    assert said["classes"] == ["safe", "unsafe"]
    assert said["decision"] == {"kind": "positive", "thresholds": {"unsafe": 0.45}}
    assert said["runtime"]["version"] == "1.30.0"
    assert said["candidate"]["exported"]
    assert said["processing"]["size"] is None
    assert set(said["files"]) == {
        path.relative_to(home / "page").as_posix()
        for path in (home / "page").rglob("*")
        if path.is_file() and path.name != "edge.json"
    }
    assert edge(*words, "-o", "again").return_value == 0
    for name in ("edge.json", *said["files"]):
        assert (home / "again" / name).read_bytes() == (home / "page" / name).read_bytes()
    told = str(edge(*words, "-o", "page").exception)
    assert "exists and is not an empty folder" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("baseline", "--threshold", "0.4"), "add --positive CLASS"),
        (("baseline", "--positive", "adult"), "has no class 'adult'; it has safe, unsafe"),
        (("nothing",), "nothing: no such folder"),
        (("texts",), "tokenizer.json is missing"),
        (("writer",), "a page is made for classifiers of images or texts"),
        (("alone.onnx",), "preprocessor_config.json is missing"),
        (("strange",), "ViTImageProcessor, DeiTImageProcessor and ConvNextImageProcessor"),
    ],
)
def test_what_no_page_can_do_is_refused(
    home: Path, runtime: Path, words: tuple[str, ...], told: str
) -> None:
    if words[0] == "alone.onnx":
        edge("baseline", "--runtime-from", runtime, "-o", "made")
        shutil.copy("made/model.onnx", "alone.onnx")
    if words[0] == "strange":
        shutil.copytree("baseline", "strange")
        edit(home / "strange/preprocessor_config.json", "ViTImageProcessor", "BeitImageProcessor")
    if words[0] == "texts":
        write_texts_model(home / "texts")
        (home / "texts" / "tokenizer.json").unlink()
    if words[0] == "writer":
        write_writer(home / "writer")
    found = edge(*words, "--runtime-from", runtime, "-o", "page")
    assert told in str(found.exception)
    assert found.exception.exit_code == 2
    assert not (home / "page").exists()


def write_writer(folder: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=8, n_positions=8, n_embd=4, n_layer=1, n_head=1)
    GPT2LMHeadModel(config).save_pretrained(folder)
    shutil.copy(folder / "config.json", folder / "tokenizer_config.json")
    write_texts_model(folder.with_name("other"))
    shutil.copy(folder.with_name("other") / "tokenizer.json", folder / "tokenizer.json")


TWO_LABELS = """\
prunegate: 1
name: several
task: {kind: multilabel, labels: [violence, hate], threshold: {violence: 0.4, hate: 0.6}}
rules:
  - {metric: recall, classes: each, max_drop: 0.9, evidence: point}
"""


def decision(page: Path) -> Any:
    return json.loads((page / "edge.json").read_text())["decision"]


def test_a_page_decides_as_the_policy_does(home: Path, runtime: Path) -> None:
    (home / "moderation.yaml").write_text(POLICY)
    words = ("--runtime-from", runtime, "--policy")
    other = edge("baseline", *words, "moderation.yaml", "--positive", "safe", "-o", "other")
    assert other.return_value == 0
    assert decision(home / "other") == {"kind": "positive", "thresholds": {"safe": 0.5}}
    assert (
        edge("baseline", *words, "moderation.yaml", "--threshold", "0.5", "-o", "free").return_value
        == 0
    )
    wanted = {"kind": "positive", "thresholds": {"unsafe": 0.5}, "judged": {"unsafe": 0.45}}
    assert decision(home / "free") == wanted
    (home / "several.yaml").write_text(TWO_LABELS)
    shutil.copytree("baseline", "two")
    said = json.loads((home / "two" / "config.json").read_text())
    said |= {"problem_type": "multi_label_classification"}
    said |= {"id2label": {"0": "hate", "1": "violence"}}
    (home / "two" / "config.json").write_text(json.dumps(said))
    assert edge("two", *words, "several.yaml", "-o", "page").return_value == 0
    wanted = {"kind": "each", "thresholds": {"hate": 0.6, "violence": 0.4}}
    assert decision(home / "page") == wanted
    softmax = ("--classes", "hate,violence", "--activation", "softmax", "-o", "never")
    found = edge("two", *words, "several.yaml", *softmax)
    assert "its labels exclude each other" in str(found.exception)


def test_what_makes_no_page_is_bad_input(home: Path, runtime: Path) -> None:
    assert edge("baseline", "--runtime-from", runtime, "-o", "page").return_value == 0
    for words, told in (
        (("baseline", "--title", "\udcff", "-o", "never"), "is no character"),
        (("baseline", "--positive", "", "-o", "never"), "no class ''"),
        (
            ("baseline", "--positive", "safe", "--threshold", "nan", "-o", "never"),
            "not in the range",
        ),
        (("baseline", "--classes", "a,b,c", "-o", "never"), "2 numbers for 3 classes"),
        (("baseline", "--classes", "a,", "-o", "never"), "a class has no name"),
        (("baseline", "-o", "baseline/never"), "in the candidate's own folder"),
        (("page", "-o", "never"), "is the folder of a page"),
    ):
        found = edge(*words, "--runtime-from", runtime)
        assert found.exception.exit_code == 2
        assert told in str(found.exception), words
        assert not list(home.rglob("never"))
    found = invoke("predict", "page", "--data", "data/labelled.csv", "-o", "p.csv")
    assert "--runtime browser" in str(found.exception)
