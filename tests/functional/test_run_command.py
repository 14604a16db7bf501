"""``prunegate run`` on a tiny model: what it leaves and what it says.

What it refuses, and that a stop leaves nothing: ``test_run_refusals.py``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from PIL import Image
from prunegate_test_tiny import POLICY, SPLITS, edit, invoke

from prunegate.discovery.advice import Advice
from prunegate.discovery.discovered import DiscoveredSlice
from prunegate.errors import EvidenceError, InputError
from prunegate.models.digest import tree_digest
from prunegate.pipeline.run import PREDICTIONS
from prunegate.report.verify_page import verify_file

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

FILES = {
    *("report.html", "record.json", "summary.md", "junit.xml", "findings.csv", "candidate"),
    *("predictions.parquet", "measurements.json"),
}


@dataclass(frozen=True)
class Ran:
    """A finished run."""

    home: Path
    out: Path
    record: dict[str, Any]
    code: int


@dataclass(frozen=True)
class Again:
    """A second run of the same, watched."""

    out: Path
    record: dict[str, Any]
    made: list[Any]
    """The models that it made: the candidate and its control."""
    said: Result


def do_run(home: Path, out: Path, *options: object, policy: str = "policy.yaml") -> Ran:
    with pytest.MonkeyPatch.context() as clock:
        clock.setenv("SOURCE_DATE_EPOCH", "1700000000")  # the predictions say when they were made
        result = invoke("run", home / policy, "--out", out, "--audit", out / "../audit", *options)
    assert result.exception is None, result.exception
    record = json.loads((out / "record.json").read_text())
    return Ran(home=home, out=out, record=record, code=result.return_value)


@pytest.fixture(scope="module")
def ran(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return do_run(model, tmp_path_factory.mktemp("ran") / "out", "--seed", 3)


def test_a_run_leaves_every_file_and_nothing_else(ran: Ran) -> None:
    assert {path.name for path in ran.out.iterdir()} == FILES
    assert {path.name for path in (ran.out / "candidate").iterdir()} == {
        "model.safetensors",
        "surgery.json",
        "preprocessor_config.json",
        "README.md",
    }
    assert len(list((ran.out / "../audit/pending").iterdir())) == 1
    kept = [path.read_bytes() for path in (ran.out / "../audit/evidence").iterdir()]
    assert (ran.out / "record.json").read_bytes() in kept


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("at_most: 0.5", "at_most: 0.9", 0),
        ("max_ratio: 0.99", "max_ratio: 0.01", 3),
        ("split: train, limit: 20}}", "split: train}}\nevidence: {minimum: {rows: 30}}", 4),
    ],
)
def test_each_verdict_has_its_code(home: Path, old: str, new: str, code: int) -> None:
    edit(home / "policy.yaml", old, new)
    if code == 4:  # what is too little for the contract is bad input; a cross is not declared
        edit(home / "policy.yaml", "expect: [display, video]}", "expect: [display, video]}]")
        edit(home / "policy.yaml", "]}]]", "]}, {by: [content_type, label_source]}]")
        edit(home / "policy.yaml", "slices: all, max", "slices: 'content_type,label_source', max")
        table = (home / "data/labelled.csv").read_text().splitlines()
        lines = [f"{line},{'label_source' if n == 0 else n % 3}" for n, line in enumerate(table)]
        (home / "data/labelled.csv").write_text("\n".join(lines) + "\n")
    done = do_run(home, home / "out", "--no-control")
    codes = {"approve": 0, "reject": 3, "inconclusive": 4}
    assert done.code == done.record["exit_code"] == codes[done.record["outcome"]] == code
    candidate = done.out / "candidate"
    card = (candidate / "README.md").read_text("utf-8")
    assert ("**APPROVE**" in card) == (code == 0)
    assert tree_digest(candidate) == done.record["candidate"]["digest"]


def test_the_verdict_is_the_one_that_gate_reaches(ran: Ran, tmp_path: Path) -> None:
    result = invoke(
        *("gate", ran.home / "policy.yaml", "--out", tmp_path / "out", "--audit", tmp_path / "a"),
        *("--predictions", ran.out / "predictions.parquet"),
        *("--measurements", ran.out / "measurements.json"),
    )
    assert result.exception is None
    judged = json.loads((tmp_path / "out/record.json").read_text())
    for key in ("outcome", "exit_code", "reasons", "statement", "findings", "slices", "cost"):
        assert judged[key] == ran.record[key], key
    assert judged["measurements"] == ran.record["measurements"]
    assert judged["policy"] == ran.record["policy"]


def test_the_candidate_reloads_and_predicts_the_same(ran: Ran) -> None:
    from prunegate.data.labelled.rows import select_rows
    from prunegate.data.labelled.table import read_rows
    from prunegate.models.load import load_baseline, read_candidate
    from prunegate.policy.load import read_policy
    from prunegate.predict.classify import positive_scores
    from prunegate.predict.images import open_images
    from prunegate.predict.preprocessing import Preprocessing

    source = read_policy(ran.home / "policy.yaml")
    rows = read_rows(source.policy, source.folder)
    gate = select_rows(rows, "gate")
    table = pq.read_table(ran.out / "predictions.parquet")
    assert table["id"].to_pylist() == [rows.ids[i] for i in gate]
    assert table["label"].to_pylist() == [rows.labels[i] for i in gate]
    assert table.num_rows == SPLITS["gate"]
    for name, found in (
        ("baseline", load_baseline(ran.home / "baseline")),
        ("candidate", read_candidate(ran.out / "candidate")),
    ):
        preprocessing = Preprocessing.from_config(found.preprocessor)
        images = open_images([rows.paths[i] for i in gate], preprocessing)
        scores = positive_scores(found.module, images, 1)
        assert scores.tolist() == table[name].to_pylist()
        assert ran.record[name]["digest"] == found.digest
        assert ran.record[name]["parameters"] == found.parameters
        assert ran.record[name]["active_heads"] == found.active_heads


def test_the_baseline_scores_are_those_of_transformers(ran: Ran) -> None:
    import torch
    from transformers import ViTForImageClassification

    table = pq.read_table(ran.out / "predictions.parquet")
    module = ViTForImageClassification.from_pretrained(ran.home / "baseline").eval()
    for row in (0, 17, 59):
        name = table["id"][row].as_py().removeprefix("gate")
        pixels = np.asarray(Image.open(ran.home / f"data/images/gate-{int(name):02}.png"))
        values = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float().div(127.5).sub(1)
        with torch.inference_mode():
            expected = module(pixel_values=values[None]).logits.double().softmax(-1)[0, 1].item()
        assert table["baseline"][row].as_py() == pytest.approx(expected, abs=1e-6)


def test_the_record_tells_what_was_done(ran: Ran) -> None:
    done = ran.record["compression"]
    assert (ran.record["command"], ran.record["seed"]) == ("run", 3)
    assert [step["step"] for step in done["recipe"]] == ["prune", "prune", "finetune"]
    assert [step["rows"] for step in done["recipe"]] == [12, 12, 20]
    assert [sum(done["heads_before"]), sum(map(len, done["heads_kept"]))] == [6, 4]
    assert [sum(done["neurons_before"]), sum(done["neurons_kept"])] == [20, 12]
    surgery = json.loads((ran.out / "candidate/surgery.json").read_text())
    assert surgery["kept"]["heads"] == done["heads_kept"]
    assert surgery["baseline_digest"] == ran.record["baseline"]["digest"]
    assert ran.record["candidate"]["parameters"] < ran.record["baseline"]["parameters"]
    roles = {found["role"]: found for found in ran.record["inputs"]}
    assert set(roles) == {"data", "predictions"}
    assert roles["data"]["rows"] == sum(SPLITS.values())
    sizes = ran.record["measurements"]
    for name in ("baseline", "candidate"):
        assert sizes[name]["model_bytes"] == ran.record[name]["model_bytes"]
    assert str(ran.home) not in (ran.out / "record.json").read_text()


def test_a_report_made_again_shows_only_the_pictures_that_the_record_names(
    ran: Ran, tmp_path: Path
) -> None:
    again = ("report", ran.out / "record.json", "--out", tmp_path / "again.html", "--images")
    assert invoke(*again, ran.home / "data").exception is None
    assert (tmp_path / "again.html").read_bytes() == (ran.out / "report.html").read_bytes()
    bare = invoke("report", ran.out / "record.json", "--out", tmp_path / "bare.html")
    assert f"without pictures ({len(ran.record['pictures'])} in the record)" in bare.output
    shutil.copytree(ran.home / "data", tmp_path / "data")
    first, second = (tmp_path / "data" / flip["image"] for flip in ran.record["flips"][:2])
    shutil.copy(second, first)
    refused = invoke(*again, tmp_path / "data", "--force").exception
    assert isinstance(refused, EvidenceError)
    assert "is not the one that the record names" in str(refused)
    first.unlink()
    first.symlink_to(ran.home / "data" / ran.record["flips"][0]["image"])
    outside = invoke(*again, tmp_path / "data", "--force").exception
    assert isinstance(outside, InputError)
    assert "which is not inside" in str(outside)


def test_flips_have_pictures_in_the_report(ran: Ran) -> None:
    assert ran.record["flips"], "the weights are wide so that some decisions change"
    report = (ran.out / "report.html").read_text()
    assert report.count("data:image/png;base64,") >= len(ran.record["pictures"]) > 0
    assert set(ran.record["pictures"]) <= {flip["id"] for flip in ran.record["flips"]}
    found = verify_file(ran.out / "report.html")
    assert [check.status for check in found.checks[:4]] == ["holds"] * 4
    assert all((ran.home / "data" / flip["image"]).is_file() for flip in ran.record["flips"])


TIMED = ("created", "measurements", "cost")
"""What a clock decides. Nothing else here does: no rule of this policy limits latency or cost."""


def scrubbed(record: dict[str, Any]) -> dict[str, Any]:
    """What no clock decides; of the phrases those that are not of the cost's notes."""
    rest = {key: value for key, value in record.items() if key not in TIMED}
    said = [one for one in record["phrases"] if not one["kind"].startswith("cost.")]
    return {**rest, "phrases": said}


@pytest.fixture(scope="module")
def again(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Again:
    """The same run a second time, with what it makes and says on its way."""
    module: Any = import_module("prunegate.pipeline.context")
    made, real = [], module.compress

    def spy(*given: Any, **named: Any) -> Any:
        made.append(real(*given, **named))
        return made[-1]

    out = tmp_path_factory.mktemp("again") / "out"
    words = ("run", model / "policy.yaml", "--out", out, "--audit", out / "../audit", "--seed", 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "compress", spy)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        result = invoke(*words)
    assert result.exception is None, result.exception
    record = json.loads((out / "record.json").read_text())
    return Again(out=out, record=record, made=made, said=result)


def test_the_same_seed_gives_the_same_record(ran: Ran, again: Again) -> None:
    assert scrubbed(again.record) == scrubbed(ran.record)
    assert (again.out / "predictions.parquet").read_bytes() == (
        ran.out / "predictions.parquet"
    ).read_bytes()


def test_another_seed_is_recorded_and_trains_otherwise(ran: Ran, tmp_path: Path) -> None:
    other = do_run(ran.home, tmp_path / "out", "--seed", 4, "--no-control")
    assert other.record["seed"] == 4
    assert other.record["candidate"]["digest"] != ran.record["candidate"]["digest"]
    assert other.record["baseline"] == ran.record["baseline"]


def test_the_control_is_made_without_pruning(ran: Ran, again: Again) -> None:
    candidate, control = (sum(w.numel() for w in one.module.parameters()) for one in again.made)
    assert candidate == ran.record["candidate"]["parameters"]
    assert control == ran.record["baseline"]["parameters"]
    assert [step["step"] for step in again.made[1].surgery.recipe] == ["finetune"]
    slices = {found["slice"] for found in ran.record["control"]["slices"]}
    assert slices == {"overall", "content_type=display", "content_type=video"}
    assert "nothing removed" in ran.record["control"]["summary"]


def test_no_control_leaves_it_out(ran: Ran, tmp_path: Path) -> None:
    without = do_run(ran.home, tmp_path / "out", "--seed", 3, "--no-control")
    assert "control" not in {key for key, value in without.record.items() if value}
    told = scrubbed({**ran.record, "control": None})
    alone = scrubbed(without.record)
    assert alone == {k: v for k, v in told.items() if k in alone} | {"phrases": alone["phrases"]}
    assert all(phrase in told["phrases"] for phrase in alone["phrases"])  # the control's are more


def test_nothing_fine_tuned_means_no_control(home: Path) -> None:
    edit(home / "policy.yaml", "  - finetune:", "  # - finetune:")
    record = do_run(home, home / "out").record
    assert record.get("control") is None
    assert record["compression"].get("loss_first") is None


def name_candidate(home: Path, name: str) -> None:
    """Let the policy judge a candidate that is there, in place of making one."""
    edit(home / "policy.yaml", POLICY[POLICY.index("compress:") : POLICY.index("cost:")], "")
    edit(home / "policy.yaml", "{baseline: baseline}", f"{{baseline: baseline, candidate: {name}}}")


def test_a_candidate_made_elsewhere(ran: Ran, home: Path) -> None:
    shutil.copytree(ran.out / "candidate", home / "elsewhere")
    name_candidate(home, "elsewhere")
    found = do_run(home, home / "out")
    assert found.record["candidate"] == ran.record["candidate"]
    for key in ("findings", "flips", "slices", "outcome"):
        assert found.record[key] == ran.record[key]
    assert found.record["compression"]["heads_kept"] == ran.record["compression"]["heads_kept"]
    assert {path.name for path in found.out.iterdir()} == FILES - {"candidate"}


def test_a_candidate_of_another_baseline_is_judged_with_a_warning(ran: Ran, home: Path) -> None:
    shutil.copytree(ran.out / "candidate", home / "elsewhere")
    edit(home / "elsewhere/surgery.json", ran.record["baseline"]["digest"], "0" * 64)
    name_candidate(home, "elsewhere")
    result = invoke("run", home / "policy.yaml", "--out", home / "out")
    assert "not made of this baseline" in result.stdout
    assert "not made of this baseline" in (home / "out/report.html").read_text()


def test_a_candidate_with_its_classes_the_other_way_round_is_read_by_name(home: Path) -> None:
    """The same model with its two outputs (and their names) swapped decides the same."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(home / "baseline", home / "swapped")
    config = json.loads((home / "swapped/config.json").read_text())
    config["id2label"] = {"0": "unsafe", "1": "safe"}
    config["label2id"] = {"unsafe": 0, "safe": 1}
    (home / "swapped/config.json").write_text(json.dumps(config))
    weights = load_file(home / "swapped/model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name].flip(0).contiguous()
    save_file(weights, home / "swapped/model.safetensors", metadata={"format": "pt"})
    name_candidate(home, "swapped")
    do_run(home, home / "out")
    table = pq.read_table(home / "out/predictions.parquet")
    assert table["candidate"].to_pylist() == pytest.approx(table["baseline"].to_pylist(), abs=1e-7)


def test_progress_is_plain_verbs_on_stderr(again: Again) -> None:
    stages = [line.strip().removesuffix(" ...") for line in again.said.stderr.splitlines()]
    assert stages == [
        "hash the images",
        "check the data contract",
        "read the images",
        "rank heads (step 1 of 3)",
        "rank neurons (step 2 of 3)",
        "fine-tune the candidate (step 3 of 3)",
        "score with the baseline",
        "score with the candidate",
        "time both models",
        "look for undeclared slices that lost",
        "fine-tune the control (step 1 of 1)",
        "score with the control",
    ]
    last = again.said.stdout.splitlines()[-1]
    assert last.strip() == f"report: {again.out / 'report.html'}"


def test_advice_is_in_the_record_and_the_report_and_not_in_the_verdict(
    ran: Ran, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = DiscoveredSlice(
        name="season=winter",
        columns=("season",),
        values=("winter",),
        rows=30,
        lost=9,
        gained=0,
        net_loss=0.3,
        z=3.0,
        guarded_p=0.01,
        beyond=3.0,
        stands_out=True,
        snippet="slices:\n  - {name: winter, where: {season: winter}}\n",
    )
    asked: list[Any] = []

    def told(*given: Any) -> Advice:
        asked.append(given)
        return Advice(slices=(found,), warnings=("Looked askance.",))

    monkeypatch.setattr(import_module("prunegate.pipeline.run"), "advice", told)
    advised = do_run(home, home / "out", "--seed", 3)
    ((_, labelled, predictions, seed),) = asked
    assert (labelled, predictions.name, seed) == (home / "data/labelled.csv", PREDICTIONS, 3)
    assert [one["name"] for one in advised.record["discoveries"]] == ["season=winter"]
    assert "Looked askance." in advised.record["warnings"]
    assert "Undeclared slices that lost most" in (home / "out/report.html").read_text()
    assert advised.code == ran.code
    for key in ("outcome", "reasons", "slices"):
        assert advised.record[key] == ran.record[key], key
