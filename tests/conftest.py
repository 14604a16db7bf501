"""What holds for every test: nothing is fetched, and nothing depends on this machine's settings."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.pop("SOURCE_DATE_EPOCH", None)
os.environ.pop("GITHUB_ACTIONS", None)  # what a CI server sets changes what is said
os.environ.pop("GITHUB_STEP_SUMMARY", None)
os.environ.pop("GITLAB_CI", None)
os.environ.pop("NO_COLOR", None)
os.environ.pop("FORCE_COLOR", None)
os.environ["OMP_NUM_THREADS"] = "1"  # workers share the cores; threads would wait for each other
os.environ["MKL_NUM_THREADS"] = "1"

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

for _profile, _examples in (("prunegate", 30), ("thorough", 200)):  # thorough: see tests/depth.py
    settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,  # timings belong in benchmarks
        derandomize=True,  # a failure in CI is a failure everywhere
        suppress_health_check=[HealthCheck.too_slow],  # two shared cores
    )
settings.load_profile("prunegate")


SLOW_FILE = re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.slow\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import files that are slow as a whole where no slow test is wanted."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(SLOW_FILE.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long texts by their argument: fresh keys in them would differ from worker to worker."""
    return argname if isinstance(val, str | bytes) and len(val) > 48 else None


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark of two threads on this machine."""
    sql = pytest.importorskip("pyspark.sql")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
    }
    builder = sql.SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def warm_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An executable that is ``prunegate``, forked from a warm process: see warm_process.py."""
    folder = tmp_path_factory.mktemp("warm")
    program, place = Path(__file__).with_name("warm_process.py"), folder / "s"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    with subprocess.Popen(
        [sys.executable, program, "serve", place], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        script = f'#!/bin/sh\nexec {sys.executable} -I -S {program} call {place} "$@"\n'
        (folder / "prunegate").write_text(script, encoding="utf-8")
        (folder / "prunegate").chmod(0o755)
        yield folder / "prunegate"
        process.terminate()
