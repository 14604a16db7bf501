"""Model card and bill of materials: read by other programs, and no part of what was judged.

The commands are those of docs/guides/report.md.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from prunegate.audit.read import StoredRecord
from prunegate.audit.record import DecisionRecord
from prunegate.cli import cli
from prunegate.errors import EvidenceError, InputError, ModelError
from prunegate.models.digest import CARD, CARD_MARK, list_digest, tree_digest, tree_files
from prunegate.outputs.bill_of_materials import render_bill_of_materials
from prunegate.outputs.measured_results import measured_results
from prunegate.outputs.model_card import render_model_card
from prunegate.outputs.papers import (
    bill_of_materials_for,
    model_card_for,
    write_card_of_candidate,
)

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[3] / "reports" / "sample"
MADE = ("rejected", "approved", "hostile", "undefined")


def made(records: ModuleType, name: str) -> DecisionRecord:
    found: DecisionRecord = getattr(records, name)()
    return found


def stored(record: DecisionRecord, digest: str) -> StoredRecord:
    return StoredRecord(record=record, content=b"", digest=digest)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "candidate"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "surgery.json").write_bytes(b"{}")
    return folder


@pytest.mark.parametrize("name", MADE)
def test_the_hub_reads_every_result_of_a_card(records: ModuleType, name: str) -> None:
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard_data import model_index_to_eval_results

    record = made(records, name)
    text = render_model_card(record, records.DIGEST)
    read = ModelCard(text)
    wanted = [one for one in measured_results(record) if one.first.candidate is not None]
    found = read.data.eval_results or []
    assert len(found) == len(wanted)
    for one in found:
        same = [w for w in wanted if (w.metric, w.first.candidate) == (one.metric_type, one.metric_value)]  # fmt: skip  # noqa: E501
        assert same
        assert one.metric_args["status"] in {w.status for w in same}
        assert one.source_url == f"urn:prunegate:record:{records.DIGEST}"
    index = read.data.to_dict().get("model-index")
    if index:
        _, again = model_index_to_eval_results(index)
        assert sorted(map(repr, again)) == sorted(map(repr, found))


def test_a_card_is_loaded_from_its_file_and_names_slices_and_digests(
    records: ModuleType, tmp_path: Path
) -> None:
    from huggingface_hub import ModelCard

    record = made(records, "rejected")
    path = tmp_path / CARD
    path.write_bytes(model_card_for(stored(record, records.DIGEST), path, force=False))
    read = ModelCard.load(path)
    assert {one.dataset_config for one in read.data.eval_results} == {s.name for s in record.slices if s.judged}  # fmt: skip  # noqa: E501
    assert {one.task_type for one in read.data.eval_results} == {"image-classification"}
    assert "**REJECT**" in read.text
    assert records.DIGEST in read.text
    assert "b2" * 32 in read.text


def test_what_is_not_defined_is_no_number(records: ModuleType) -> None:
    record = made(records, "undefined")
    missing = [one for one in measured_results(record) if one.first.candidate is None]
    assert missing
    text = render_model_card(record, records.DIGEST)
    assert "nan" not in text.lower()
    assert "not defined" in text
    bill = json.loads(render_bill_of_materials(record, records.DIGEST))
    said = [p["name"] for p in bill["metadata"]["component"]["properties"]]
    assert said.count("prunegate:not_defined") == len(missing)


def test_the_same_record_gives_the_same_bytes(records: ModuleType) -> None:
    for render in (render_model_card, render_bill_of_materials):
        one, other = (render(made(records, "rejected"), records.DIGEST) for _ in "12")
        assert one == other


def test_hostile_names_are_inert_in_a_card(records: ModuleType) -> None:
    text = render_model_card(made(records, "hostile"), records.DIGEST)
    head, _, body = text.partition("\n---\n")
    for unseen in ("\u202e", "\u200b", "\u0000"):
        assert unseen not in text
    outside = "".join(body.split("`")[0::2])
    assert "<img" not in outside
    assert "@all" not in outside
    assert head.startswith("---\nlibrary_name: prunegate\n")


def test_a_card_is_no_part_of_the_digest(records: ModuleType, model: Path) -> None:
    bare = tree_digest(model)
    (model / CARD).write_text("how it was made")
    assert tree_digest(model) == bare
    old = list_digest(tree_files(model), papers=True)
    assert old != bare
    (model / "sub").mkdir()
    (model / "sub" / "notes.json").write_text("no paper")
    assert tree_digest(model) != bare
    papers = model.parent / "p"
    papers.mkdir()
    (papers / CARD).write_text(CARD_MARK)
    with pytest.raises(ModelError, match="nothing but papers"):
        tree_digest(papers)


def test_a_candidate_whose_digest_had_its_card_in_it_is_still_known(
    records: ModuleType, model: Path, tmp_path: Path
) -> None:
    (model / CARD).write_text("how it was made")
    record = made(records, "rejected")
    assert record.candidate is not None
    for papers in (True, False):
        named = list_digest(tree_files(model), papers=papers)
        judged = replace(record, candidate=replace(record.candidate, digest=named))
        out = tmp_path / f"{papers}.json"
        bill = bill_of_materials_for(stored(judged, records.DIGEST), out, model, force=False)
        listed = json.loads(bill)["metadata"]["component"]["components"]
        assert [one["name"] for one in listed] == ["model.safetensors", "surgery.json"]


def test_only_a_card_of_ours_is_written_over(records: ModuleType, model: Path) -> None:
    given = stored(made(records, "approved"), records.DIGEST)
    (model / CARD).write_text("# Mine\n")
    with pytest.raises(InputError, match="is there already"):
        model_card_for(given, model / CARD, force=False)
    with pytest.raises(InputError, match="is there already"):
        write_card_of_candidate(given, model.parent)
    with pytest.raises(InputError, match="all that --force writes over"):
        model_card_for(given, model / CARD, force=True)
    assert (model / CARD).read_text() == "# Mine\n"
    (model / CARD).write_text(f"{CARD_MARK}\n# How it was made\n")
    assert write_card_of_candidate(given, model.parent) == model / CARD
    assert "**APPROVE**" in (model / CARD).read_text("utf-8")


def test_only_an_approved_candidate_gets_its_card_by_itself(
    records: ModuleType, model: Path
) -> None:
    rejected = stored(made(records, "rejected"), records.DIGEST)
    assert write_card_of_candidate(rejected, model.parent) is None
    assert not (model / CARD).exists()
    approved = stored(made(records, "approved"), records.DIGEST)
    assert write_card_of_candidate(approved, model.parent / "elsewhere") is None


def test_a_bill_lists_no_files_of_another_model(records: ModuleType, model: Path) -> None:
    given = stored(made(records, "rejected"), records.DIGEST)
    out = model.parent / "bom.json"
    with pytest.raises(EvidenceError, match="is not the candidate of the record"):
        bill_of_materials_for(given, out, model, force=False)
    with pytest.raises(InputError, match="write it beside the folder"):
        bill_of_materials_for(given, model / "bom.json", model, force=False)
    assert not out.exists()


def test_a_bill_tells_values_and_changes_with_their_own_intervals(records: ModuleType) -> None:
    record = made(records, "rejected")
    component = json.loads(render_bill_of_materials(record, records.DIGEST))["metadata"]["component"]  # fmt: skip  # noqa: E501
    told = component["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    by_name = {(one["type"], one["slice"]): one for one in told}
    floor = next(f for f in record.findings if f.check == "at_least")
    value = by_name["recall", "overall"]
    assert float(value["value"]) == floor.candidate
    assert float(value["confidenceInterval"]["lowerBound"]) == floor.ci_low
    drop = next(f for f in record.findings if f.slice == "content_type=video")
    change = by_name["recall, change from baseline", "content_type=video"]
    assert float(change["value"]) == drop.difference
    assert float(change["confidenceInterval"]["upperBound"]) == drop.ci_high
    assert "confidenceInterval" not in by_name["recall", "content_type=video"]
    ancestor = component["pedigree"]["ancestors"][0]
    assert {"name": "prunegate:baseline:digest", "value": "a1" * 32} in ancestor["properties"]


@pytest.mark.parametrize("name", MADE)
def test_a_bill_is_valid_by_the_published_schema(records: ModuleType, name: str) -> None:
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        if os.environ.get("PRUNEGATE_CI"):
            raise
        pytest.skip("cyclonedx-python-lib is not installed")
    files = [] if name == "undefined" else list(tree_files(SAMPLES / "display-only"))
    bill = render_bill_of_materials(made(records, name), records.DIGEST, files)
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    assert found is None, found


def test_the_command_writes_both_and_no_page(tmp_path: Path) -> None:
    record = SAMPLES / "representative" / "record.json"
    card, bill = tmp_path / CARD, tmp_path / "bom.cdx.json"
    arguments = ["report", str(record), "--model-card", str(card), "--bom", str(bill)]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None, done.exception
    assert CARD_MARK in card.read_text("utf-8")
    assert json.loads(bill.read_text("utf-8"))["specVersion"] == "1.6"
    assert {path.name for path in tmp_path.iterdir()} == {CARD, "bom.cdx.json"}
    again = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert isinstance(again.exception, InputError)  # the bill is there; the card is ours
    assert CliRunner().invoke(cli, [*arguments, "--force"], standalone_mode=False).exception is None
    alone = CliRunner().invoke(
        cli, ["report", str(record), "--candidate", str(tmp_path)], standalone_mode=False
    )
    assert "--candidate is for --bom" in str(alone.exception)
