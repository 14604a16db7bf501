"""Plain torch networks that cannot be followed, and folders that are no candidate of theirs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.models.networks import SIDE, Convolutional, Flattened, Residual, adopted, filters
from torch import nn

from prunegate.errors import ModelError, UnsupportedError

pytestmark = pytest.mark.slow

pytest.importorskip("torch_pruning")


class Grouped(Convolutional):
    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Conv2d(4, 2, 3, groups=2)


class Normed(Convolutional):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(2, 4)

    def forward(self, x: Any) -> Any:
        return self.b(self.norm(self.a(x))).mean((2, 3))


class Twice(Convolutional):
    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return self.b(self.again(torch.relu(self.again(self.a(x))))).mean((2, 3))


class Tied(Convolutional):
    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.other = nn.Conv2d(4, 4, 3, padding=1)
        self.other.weight = self.again.weight

    def forward(self, x: Any) -> Any:
        return self.b(self.other(torch.relu(self.again(self.a(x))))).mean((2, 3))


class Written(Flattened):
    def forward(self, x: Any) -> Any:
        x = self.b(torch.relu(self.norm(self.a(x))))
        return self.head(torch.relu(self.hidden(x.view(-1, 6 * 3 * 3))))


class Mixed(Convolutional):
    """A softmax over channels: taking one out changes all others."""

    def forward(self, x: Any) -> Any:
        return self.b(torch.softmax(self.a(x), dim=1)).mean((2, 3))


class Maps(Convolutional):
    def forward(self, x: Any) -> Any:
        return self.b(torch.relu(self.a(x)))


class Failing(Convolutional):
    def forward(self, x: Any) -> Any:
        return self.a(self.b(x))


class Alone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 2, 3)

    def forward(self, x: Any) -> Any:
        return self.a(x).mean((2, 3))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Grouped, "b is a convolution in 2 groups"),
        (Normed, r"filters reach norm \(GroupNorm\)"),
        (Twice, "again is used more than once"),
        (Tied, r"other\.weight is used more than once"),
        (Written, "sizes that are written into its forward pass"),
        (Mixed, "mixes channels in a way that cannot be followed"),
        (Maps, "one tensor of logits"),
        (Failing, "fails on the example input"),
        (Alone, "no convolution inside whose filters can go"),
    ],
)
def test_what_cannot_be_followed_or_cut_exactly_is_refused(network: Any, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        adopted(network)


def test_other_number_formats_are_refused() -> None:
    from prunegate.models.cnn import adopt

    with pytest.raises(UnsupportedError, match=r"call model\.float"):
        adopt(Flattened().double(), torch.zeros(1, 3, SIDE, SIDE))


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'prunegate\[cnn\]'"):
        adopted(Flattened)


def save(folder: Path, network: Any = Residual) -> Path:
    from prunegate.compress.execute import compress
    from prunegate.models.save import write_candidate

    model = adopted(network)
    made = compress(model, [filters(0.5)])
    write_candidate(made.module, made.surgery, folder, model.folder)
    return folder


class Wider(Residual):
    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(8, 6, 1)
        self.head = nn.Linear(10, 2)


@pytest.mark.parametrize("other", [Wider, Flattened])
def test_a_factory_of_another_network_is_refused(other: Any, tmp_path: Path) -> None:
    from prunegate.models.cnn import adopt, load_cnn

    with pytest.raises(ModelError, match=r"build\(\) makes another network"):
        load_cnn(save(tmp_path / "candidate"), other)
    with pytest.raises(ModelError, match=r"build\(\) makes another network"):
        adopt(Residual(), torch.zeros(1, 3, SIDE, SIDE), other)


@pytest.mark.parametrize(
    "shape", [None, [3, 8], [3, 8, "8"], [3, 8, True], [3, 0, 8], [3, 1 << 20, 1 << 20]]
)
def test_a_manifest_that_lies_about_the_input_is_refused(shape: object, tmp_path: Path) -> None:
    from prunegate.models.cnn import load_cnn

    folder = save(tmp_path / "candidate")
    path = folder / "surgery.json"
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "config": {**plain["config"], "input": shape}}))
    with pytest.raises(ModelError, match="expected channels, height, width"):
        load_cnn(folder, Residual)


def test_a_candidate_of_a_known_class_needs_no_factory(
    make_candidate: Callable[[], tuple[Path, Any]], tmp_path: Path
) -> None:
    from prunegate.models.cnn import load_cnn

    with pytest.raises(ModelError, match=r"prunegate\.load_candidate"):
        load_cnn(make_candidate()[0], Residual)
    with pytest.raises(ModelError, match="cannot be read"):
        load_cnn(tmp_path / "nothing", Residual)


def test_no_folder_can_name_a_class_of_its_own(tmp_path: Path) -> None:
    from prunegate.models.family import family_of
    from prunegate.models.load import load_baseline

    config = {"architectures": ["torch.nn.Module"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UnsupportedError, match="it came from Python"):
        load_baseline(tmp_path)
    with pytest.raises(UnsupportedError) as refused:
        family_of("resnet50")
    assert "torch.nn.Module" not in str(refused.value)
