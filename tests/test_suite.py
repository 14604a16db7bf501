"""The suite keeps to its ways: no test pays for a fresh interpreter that need not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.functional.drawn import DRAW, HERE, is_drawn

TESTS = Path(__file__).parent
FRESH = {
    "functional/test_light_imports.py": "what is loaded when",
    "functional/test_docs_commands.py": "the pages' Python, with warnings as errors",
    "fuzz/fuzz.py": "a fuzzer, which takes its process over",
    "warm_process.py": "the warm process itself",
    "conftest.py": "what Spark starts its Python workers with",
    "functional/test_ci_templates.py": "the Python of a runner, for the action's scripts",
    "functional/test_models_by_digest.py": "the reference implementation of model signing",
    "functional/test_sign_off_walk.py": "the verifier in a bundle, by the name that the walk has",
    "functional/test_site.py": "mkdocs, installed beside the interpreter",
    "unit/audit/test_opinion_process.py": "the second opinion in a process of its own",
    "functional/test_spark_engine.py": "Spark as users start it, settings by environment",
    "security/bundle/bundles.py": "the verifier is a program that auditors start by itself",
    "security/bundle/test_bundle_files.py": "proofbundle, installed beside the interpreter",
    "security/test_policy_files.py": "that loading a policy loads no heavy library",
    "unit/audit/log/test_crashes.py": "writers that are processes of their own",
    "unit/audit/log/test_notes.py": "proofbundle, installed beside the interpreter",
    "unit/audit/signing/test_audit_keygen.py": "that help is light",
    "unit/audit/signing/test_model_signature.py": "the reference implementation",
    "unit/cli/test_program.py": "how a process ends",
    "unit/cost/test_memory.py": "the command that measuring memory asks for",
    "unit/data/test_open_table.py": "what is said at a process's exit, and where a verdict belongs",
    "unit/data/test_whole_table.py": "an import that ends the process, and what it loads",
    "unit/report/test_drawing.py": "a process with little memory",
    "unit/io/test_partial.py": "commands that are killed",
    "unit/models/test_store.py": "that reading a manifest needs no torch",
}
"""Test files that name the interpreter, and what for; all others call the command line in place or
through ``warm_program`` (see warm_process.py)."""


def test_only_listed_files_name_the_interpreter() -> None:
    named = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if re.search(r"\bsys\.executable\b", path.read_text(encoding="utf-8"))
    }
    named = {name for name in named if not name.startswith("benchmarks/")}
    assert named - {"test_suite.py"} <= FRESH.keys(), "use CliRunner or warm_program"
    assert FRESH.keys() <= named, "no longer needed in the list"


def test_the_fast_part_loads_no_model_library(
    pytestconfig: pytest.Config, collected: frozenset[str]
) -> None:
    """A file that loads one as it is read says so: ``pytestmark = pytest.mark.models``."""
    if "not models" in pytestconfig.option.markexpr:
        assert not {"torch", "transformers", "onnxruntime"} & collected


def test_each_file_is_slow_as_a_whole_in_a_form_that_the_fast_part_can_read() -> None:
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if "pytestmark" in text and re.search(r"^\s+pytest\.mark\.slow,", text, re.MULTILINE):
            assert re.search(r"^pytestmark = \[\s*pytest\.mark\.slow,", text, re.MULTILINE), path


def test_whoever_looks_at_pictures_has_them_drawn() -> None:
    """A file that is renamed is renamed in ``functional/drawn.py``, too."""
    files = [path for path in HERE.rglob("*.py") if path.name.startswith("test_")]
    assert {p.stem for p in (*files, *HERE.iterdir())} >= DRAW
    looking = {p for p in files if re.search(r"<svg|</svg|\.svg\b", p.read_text(encoding="utf-8"))}
    assert looking
    assert all(map(is_drawn, looking)), "name the file in functional/drawn.py"
