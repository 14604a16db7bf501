"""A log gives the same, whoever reads its bundles: one process, or several at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.audit.log.logs import entry, new_log, put_evidence, sealed

from prunegate.audit.log import bundle_pass
from prunegate.audit.log.bundle_pass import EntryReading, bundles, each_bundle
from prunegate.audit.log.entry import EntryFacts, read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.verify_entries import EntryPass
from prunegate.errors import EvidenceError

pytestmark = pytest.mark.slow

SIZE = 600
HARM = {
    "nothing": lambda _: None,
    "an entry": lambda audit: _flip(audit / "tile" / "entries" / "001", -100),
    "a hash": lambda audit: _flip(audit / "tile" / "0" / "001", 700),
    "a cut bundle": lambda audit: _cut(audit / "tile" / "entries" / "001"),
    "no tile": lambda audit: (audit / "tile" / "0" / "000").unlink(),
}


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _odd(content: bytes, facts: EntryFacts) -> bool:
    return facts.subject.endswith(("1", "3"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 entries, some of them with an earlier clock and with evidence that is gone."""
    audit = new_log(tmp_path_factory.mktemp("several"))
    gone = put_evidence(audit, b"it is kept for a while")
    for number in range(SIZE):
        if number == SIZE // 2:
            sealed(audit)
        created = f"2026-11-28T0{8 - 2 * number // SIZE}:00:00Z"
        add_pending(entry(number, created, (gone,) if number % 50 == 9 else ()), audit)
    sealed(audit)
    (audit / "evidence" / gone).unlink()
    return audit


@pytest.mark.parametrize("harm", HARM)
def test_several_processes_give_what_one_gives(harm: str, log: Path, tmp_path: Path) -> None:
    import shutil

    audit = Path(shutil.copytree(log, tmp_path / "audit"))
    HARM[harm](audit)
    reading = EntryReading(audit=audit, read=read_entry, keep=_odd, missing_ok=True)
    alone, together = (list(each_bundle(reading, SIZE, count)) for count in (1, 2))
    assert alone == together
    assert len(alone) == 3
    found = _outcome(reading, 2)
    assert _outcome(reading, 1) == found
    assert ("late" in found) == (harm == "nothing")


def test_a_large_log_is_read_by_several_unasked_and_not_too_far_ahead(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = EntryReading(audit=log, read=read_entry, missing_ok=True)
    alone = list(each_bundle(reading, SIZE))
    begun = []
    for name, value in (("_LARGE", SIZE), ("_AHEAD", 1)):
        monkeypatch.setattr(f"prunegate.audit.log.bundle_pass.{name}", value)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: begun.append(1) or {0, 1})
    assert list(each_bundle(reading, SIZE)) == alone
    assert begun


def _outcome(reading: EntryReading, processes: int) -> dict[str, object]:
    taken = EntryPass(reading, processes=processes)
    try:
        taken.check(read_checkpoint(reading.audit).checkpoint)
    except EvidenceError as error:
        return {"error": str(error)}
    assert taken.late == SIZE // 2
    assert len(taken.missing) == 10
    assert len(taken.kept) == 120
    return {"late": taken.late, "first": taken.first_late, "kept": taken.kept}


def test_a_pass_that_ends_early_leaves_no_process(log: Path) -> None:
    import multiprocessing

    reading = EntryReading(audit=log, read=read_entry, missing_ok=True)
    found = each_bundle(reading, SIZE, 2)
    next(found)
    found.close()
    assert not multiprocessing.active_children()


def test_a_process_of_the_pool_reads_what_one_alone_reads(log: Path) -> None:
    reading = EntryReading(audit=log, read=read_entry, missing_ok=True)
    bundle_pass._begin(reading)
    found = [bundle_pass._read_here(number, width) for number, width in bundles(SIZE)]
    assert found == list(each_bundle(reading, SIZE, 1))
