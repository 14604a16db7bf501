"""Scores: a probability per image, whatever the batch size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from prunegate.errors import ModelError, TableError
from prunegate.predict.images import ImageSet, from_array
from prunegate.predict.material import Labelled
from prunegate.predict.preprocessing import Preprocessing

pytestmark = pytest.mark.models

PREPROCESSING = Preprocessing.from_config({"do_resize": False})


class Linear(torch.nn.Module):
    """Three class logits from the mean of each channel."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, classes)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, pixel_values: Any) -> Any:
        return SimpleNamespace(logits=self.dropout(self.layer(pixel_values.mean(dim=(2, 3)))))


def images(count: int = 11) -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return from_array(pixels, PREPROCESSING)


def test_scores_are_the_softmax_of_one_class_in_evaluation_mode() -> None:
    from prunegate.predict.classify import positive_scores

    module, some = Linear().train(), images()
    scores = positive_scores(module, some, 2, batch_size=4)
    assert module.training
    assert scores.dtype == np.float64
    means = some.pixel_values(np.arange(11)).mean(dim=(2, 3))
    logits = module.layer(means).detach().numpy().astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, expected[:, 2], rtol=1e-6)


def test_the_batch_size_does_not_matter() -> None:
    from prunegate.predict.classify import positive_scores

    module, some = Linear(), images()
    whole = positive_scores(module, some, 1, batch_size=100)
    for size in (1, 4, 11):
        np.testing.assert_allclose(
            positive_scores(module, some, 1, batch_size=size), whole, rtol=1e-6
        )


def test_progress_ends_at_the_total() -> None:
    from prunegate.predict.classify import positive_scores

    seen: list[tuple[str, int, int]] = []
    positive_scores(Linear(), images(), 0, batch_size=4, progress=lambda *now: seen.append(now))
    assert seen == [("predict", 4, 11), ("predict", 8, 11), ("predict", 11, 11)]


@pytest.mark.parametrize(("classes", "positive"), [(1, 0), (3, 3), (3, -1)])
def test_a_class_that_is_not_there_is_refused(classes: int, positive: int) -> None:
    from prunegate.predict.classify import positive_scores

    with pytest.raises(ModelError, match=f"the model has {classes} classes"):
        positive_scores(Linear(classes), images(), positive)


def test_outputs_that_are_not_finite_and_empty_sets_are_refused() -> None:
    from prunegate.predict.classify import positive_scores

    module = Linear()
    with torch.no_grad():
        module.layer.bias[0] = float("nan")
    with pytest.raises(ModelError, match="NaN or infinite"):
        positive_scores(module, images(), 1)
    with pytest.raises(TableError, match="no images"):
        positive_scores(module, ImageSet(preprocessing=PREPROCESSING), 1)
    with pytest.raises(ModelError, match="batch size"):
        positive_scores(module, images(), 1, batch_size=0)


def test_labelled_images_hand_out_the_chosen_rows() -> None:
    some = images()
    labels = np.arange(11) % 3
    chosen = Labelled.of(some, labels, np.array([9, 4, 2]))
    assert len(chosen) == 3
    batch = chosen.batch(np.array([2, 0]))
    values, classes = batch.inputs["pixel_values"], batch.labels
    assert classes.dtype == torch.int64
    assert classes.tolist() == [2, 0]
    assert torch.equal(values, some.pixel_values(np.array([2, 9])))
    assert len(Labelled.of(some, labels)) == 11
    with pytest.raises(TableError, match="11 images"):
        Labelled.of(some, labels[:5])
    with pytest.raises(TableError, match="rows"):
        Labelled.of(some, labels, np.array([11]))


def test_labelled_images_are_what_compression_takes() -> None:
    from prunegate.compress.ranking_input import Examples

    rows: Examples = Labelled.of(images(), np.zeros(11, dtype=np.int64))
    assert len(rows) == 11
