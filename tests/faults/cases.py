"""Cases: every command that writes, and what it needs to be there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.functional.tiny import POLICY as TINY
from tests.functional.tiny import write_baseline, write_data
from tests.fuzz.targets import CORPUS

TABLE = CORPUS / "csv-table" / "plain.csv"
POLICY = CORPUS / "policy" / "two-slices.yaml"
RECORD = CORPUS / "record" / "inconclusive.json"
BRAND = Path(__file__).parents[2] / "policies" / "brand-safety-vit.yaml"
WITH_MODELS = ("compress", "importance", "predict", "edge", "measure", "run", "search")
"""Cases that load a model library."""
Command = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command, and what it needs to be there."""

    arguments: Command
    """``OUT`` stands for the output, which is another for the next run."""
    before: tuple[Command, ...] = ()
    """Commands that prepare the folder."""
    fill: Callable[[Path], None] | None = None
    """What prepares it besides, ahead of them."""
    pair: bool = False
    """Whether it writes two files, of which SIGKILL may leave the first alone."""
    same: bool = False
    """Whether the next run does the rest of the same work, for the same output unless it is whole;
    what the first kept for that is gone then."""
    resumes: bool = False
    """Whether what is done is kept, whoever ended it, for a next run for the same output (with
    ``--force`` where that is whole); it is gone then."""
    once: bool = False
    """Whether what it writes can be there once only: the next run is refused if it is whole."""


def _models(folder: Path) -> None:
    """A tiny model with labelled images, and a policy."""
    write_baseline(folder / "baseline")
    write_data(folder / "data")
    vary = "search: {vary: [{step: 2, amount: [0.1, 0.8]}], attempts: 2}\n"
    (folder / "policy.yaml").write_text(TINY + vary)


def _page(folder: Path) -> None:
    """The same, and a folder that looks like onnxruntime-web; no browser runs it."""
    _models(folder)
    runtime = folder / "onnxruntime-web"
    (runtime / "dist").mkdir(parents=True)
    (runtime / "package.json").write_text('{"name": "onnxruntime-web", "version": "1.30.0"}')
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (runtime / "dist" / name).write_text(name)


def _unlabelled(folder: Path) -> None:
    """Predictions without labels."""
    rows = "".join(f"r{n},{n % 10 / 10},{(n + n % 3) % 10 / 10},a\n" for n in range(400))
    (folder / "t.csv").write_text(f"id,baseline,candidate,kind\n{rows}")
    (folder / "policy.yaml").write_text(LABELLED)


LABELLED = """\
prunegate: 1
name: few
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.1}]
"""
STRICT = "{metric: precision, at_least: 0.99, evidence: point}"
SIGNED = f"""\
{LABELLED.replace("0.1}]", "0.1}, " + STRICT + "]")}\
approvals: {{required: [{{role: client, count: 1}}]}}
waivers: {{max_days: 30, at_most: 1}}
"""


def _judgeable(folder: Path) -> None:
    """Labelled predictions that lost nothing, with a few false alarms."""
    rows = [f"u{n},unsafe,0.9,0.8\ns{n},safe,0.1,{0.7 if n < 9 else 0.2}" for n in range(200)]
    (folder / "t.csv").write_text("\n".join(["id,label,baseline,candidate", *rows]) + "\n")
    (folder / "strict.yaml").write_text(SIGNED)
    (folder / "policy.yaml").write_text(SIGNED.replace("at_least: 0.99", "at_least: 0.5"))


def _bound(folder: Path) -> None:
    """The same of models that are there, whose approval takes nobody's word."""
    _judgeable(folder)
    for name in ("base", "made"):
        (folder / name).mkdir()
        (folder / name / "model.safetensors").write_text(name)
    (folder / "policy.yaml").write_text(f"{LABELLED}model: {{baseline: base, candidate: made}}\n")


GATED = ("gate", str(POLICY), "--predictions", str(TABLE), "--audit", "audit", "-q")
JUDGED = ("gate", "policy.yaml", "--predictions", "t.csv", "--audit", "audit", "-q")
REJECTED = ("gate", "strict.yaml", *JUDGED[2:])
KEY = ("audit", "keygen", "--kind", "ed25519", "-o", "log.key")
LOG: tuple[Command, ...] = (
    KEY,
    ("audit", "init", "--origin", "agency.example/log", "--key", "log.key"),
)
SEALED: tuple[Command, ...] = (
    *LOG,
    (*GATED, "--out", "first"),
    ("audit", "seal", "--key", "log.key"),
)
ENROL = (
    *("audit", "enrol", "--person", "ann@client.example", "--organisation", "Client"),
    *("--role", "client", "--by", "Kim", "--channel", "video call"),
)
SIGNERS: tuple[Command, ...] = (
    ("audit", "keygen", "--kind", "ed25519", "-o", "ann"),
    (*ENROL, "--key", "ann.pub"),
)
SOON = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
WAIVED = (
    *("waive", "first", "--rule", "2", "--reason", "relabelled soon", "--owner", "Kim"),
    *("--author", "Kim", "--expires", SOON),
)
SHORT = ("--seconds", "1", "--no-control", "-q")

CASES = {
    "report": Case(arguments=("report", str(RECORD), "--out", "OUT.html")),
    "keygen": Case(arguments=("audit", "keygen", "--kind", "ed25519", "-o", "OUT.key"), pair=True),
    "gate": Case(arguments=(*GATED, "--out", "OUT")),
    "init": Case(before=(KEY,), arguments=LOG[1], once=True),
    "seal": Case(before=SEALED[:3], arguments=SEALED[3], same=True),
    "prove": Case(before=SEALED, arguments=("audit", "prove", "0", "-o", "OUT.tlog-proof")),
    "export": Case(before=SEALED, arguments=("audit", "export", "first", "-o", "OUT", "-q")),
    "zip": Case(before=SEALED, arguments=("audit", "export", "first", "-o", "OUT.zip", "-q")),
    "page": Case(before=SEALED, arguments=("audit", "page", "-o", "OUT.html", "-q")),
    "enrol": Case(before=(*LOG, SIGNERS[0]), arguments=SIGNERS[1], once=True),
    "approve": Case(
        fill=_judgeable,
        before=(*LOG, *SIGNERS, (*JUDGED, "--out", "first")),
        arguments=(
            *("approve", "first", "--role", "client", "--decision", "approve", "--key", "ann"),
            "-q",
        ),
        once=True,
    ),
    "waive": Case(
        fill=_judgeable,
        before=(*LOG, *SIGNERS, (*REJECTED, "--out", "first")),
        arguments=(*WAIVED, "--key", "ann", "-q"),
        once=True,
    ),
    "revoke": Case(
        before=(*LOG, *SIGNERS),
        arguments=("audit", "revoke", "--key", "ann.pub", "--reason", "lost", "-q"),
        once=True,
    ),
    "sign-model": Case(
        fill=_bound,
        before=(
            ("audit", "keygen", "--kind", "p256", "-o", "gate.key"),
            (*JUDGED, "--out", "first"),
        ),
        arguments=(
            *("audit", "sign-model", "made", "--record", "first", "--key", "gate.key"),
            *("-o", "OUT.sig", "-q"),
        ),
    ),
    "request": Case(
        fill=_judgeable,
        before=((*REJECTED, "--out", "first"),),
        arguments=(*WAIVED, "--out", "OUT.json", "-q"),
    ),
    "policy seal": Case(
        fill=_judgeable,
        arguments=("policy", "seal", "policy.yaml", "--predictions", "t.csv", "--audit", "audit"),
        once=True,
    ),
    "policy new": Case(
        arguments=("policy", "new", "OUT.yaml", "--positive", "unsafe", "--by", "none", "-y", "-q")
    ),
    "sql": Case(
        arguments=("sql", str(POLICY), "--table", "t", "--dialect", "duckdb", "-o", "OUT.sql")
    ),
    "cost": Case(
        arguments=("cost", str(BRAND), "--csv", "OUT.csv", "--chart", "OUT.svg", "-q"), pair=True
    ),
    "label": Case(
        fill=_unlabelled,
        arguments=("label", "policy.yaml", "--predictions", "t.csv", "-o", "OUT", "-q"),
    ),
    "compress": Case(fill=_models, arguments=("compress", "policy.yaml", "-o", "OUT", "-q")),
    "importance": Case(
        fill=_models, arguments=("importance", "policy.yaml", "-o", "OUT.csv", "-q")
    ),
    "predict": Case(
        fill=_models,
        arguments=("predict", "baseline", "--data", "data/labelled.csv", "-o", "OUT.csv", "-q"),
        resumes=True,
    ),
    "edge": Case(
        fill=_page,
        arguments=(
            *("edge", "baseline", "--runtime-from", "onnxruntime-web", "--policy", "policy.yaml"),
            *("-o", "OUT", "-q"),
        ),
    ),
    "measure": Case(
        fill=_models,
        arguments=(
            *("measure", "baseline", "baseline", "--seconds", "1", "-o", "OUT.json", "-q"),
        ),
    ),
    "run": Case(
        fill=_models,
        arguments=("run", "policy.yaml", "--out", "OUT", "--audit", "audit", *SHORT),
    ),
    "search": Case(
        fill=_models,
        arguments=("search", "policy.yaml", "--out", "OUT", "--audit", "audit", *SHORT),
        same=True,
    ),
}  # fmt: skip


def damaged_entries(folder: Path) -> set[str]:
    """Entries of an audit folder that are not what their names say: half written ones."""
    return {
        path.name
        for path in (folder / "audit" / "pending").glob("[0-9a-f]*")
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    }
