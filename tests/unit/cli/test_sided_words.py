"""What is said of two graphs on the command line: of both, of one, or of none that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cli.model_options import SidedWords
from prunegate.errors import InputError

GRAPHS = (Path("old.onnx"), Path("new.onnx"))
FOLDERS = (Path("old"), Path("new.onnx"))
PARTS = ("layout", "inputs", "output")


def words(**said: tuple[str, ...]) -> SidedWords:
    return SidedWords(**{part: said.get(part, ()) for part in PARTS})


def told(found: SidedWords, models: tuple[Path, Path]) -> list[dict[str, Any]]:
    sources = found.sources(*models)
    return [one.model_dump(exclude_unset=True, exclude={"onnx", "folder"}) for one in sources]


@given(st.sampled_from(["NCHW", "NHWC"]), st.text("ab:=0", min_size=1, max_size=6))
def test_a_word_of_no_side_is_of_every_graph_and_of_no_folder(layout: str, name: str) -> None:
    said = words(layout=(layout,), inputs=(f"pixel_values={name}",), output=(f"x{name}",))
    each = {"layout": layout, "inputs": {"pixel_values": name}, "output": f"x{name}"}
    assert told(said, GRAPHS) == [each, each]
    assert told(said, FOLDERS) == [{}, each]
    assert told(words(), FOLDERS) == [{}, {}]


def test_a_word_of_one_side_is_of_it_alone() -> None:
    said = words(
        layout=("baseline:NHWC", "candidate:NCHW"),
        inputs=("baseline:input_ids=ids:0", "candidate:input_ids=b", "attention_mask=m"),
        output=("candidate:out:0",),
    )
    assert told(said, GRAPHS) == [
        {"layout": "NHWC", "inputs": {"input_ids": "ids:0", "attention_mask": "m"}},
        {"layout": "NCHW", "inputs": {"input_ids": "b", "attention_mask": "m"}, "output": "out:0"},
    ]


@pytest.mark.parametrize(
    ("models", "said", "message"),
    [
        (("old", "new"), {"layout": ("NHWC",)}, "'NHWC' is said of an ONNX file, and neither"),
        (FOLDERS, {"layout": ("baseline:NHWC",)}, "'layout' is said of an ONNX file"),
        (GRAPHS, {"layout": ("NHWC", "baseline:NCHW")}, "old.onnx: --layout is said of it 2 times"),
        (GRAPHS, {"layout": ("channels",)}, "old.onnx: layout: .*'NCHW' or 'NHWC'"),
        (GRAPHS, {"inputs": ("candidate:ids",)}, "expected ROLE=NAME"),
        (GRAPHS, {"inputs": ("pixels=x",)}, "old.onnx: inputs: .*pixel_values"),
    ],
)
def test_words_that_do_not_fit_are_told(
    models: tuple[Any, Any], said: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        words(**said).sources(*map(Path, models))
