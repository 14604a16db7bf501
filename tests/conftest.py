"""What holds for every test: nothing is fetched, and nothing depends on this machine's settings."""

from __future__ import annotations

import os
import sys

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
# A Java that lives for a minute: no compiler that pays off later, no threads that collect and room
# for not collecting, no second look at the bytecode of Spark's own jars. One task at a time, so
# that one Python process loads a model for all of them; tables have two partitions all the same.
# Tables here have tens of rows: to plan anew between stages, to compile code for each query and to
# note which line asked for it take longer than they save. spark-submit is tried without what is
# Spark's.
os.environ["SPARK_SUBMIT_OPTS"] = " ".join(
    (
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ActiveProcessorCount=1",
        "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote",
        "-Xms1g -Xmn700m -XX:MetaspaceSize=300m",
        "-Dspark.default.parallelism=2",
        "-Dspark.sql.adaptive.enabled=false",
        "-Dspark.sql.codegen.wholeStage=false",
        "-Dspark.sql.codegen.factoryMode=NO_CODEGEN",
        "-Dspark.python.sql.dataFrameDebugging.enabled=false",
    )
)
os.environ["SPARK_LAUNCHER_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # lives for less
os.environ["PYSPARK_PYTHON"] = sys.executable

import atexit
import gc
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

gc.disable()  # until all files are read: modules are no garbage

for _profile, _examples in (("prunegate", 20), ("thorough", 200)):  # thorough: see tests/depth.py
    settings.register_profile(
        _profile,
        max_examples=_examples,
        deadline=None,  # timings belong in benchmarks
        derandomize=True,  # a failure in CI is a failure everywhere
        suppress_health_check=[HealthCheck.too_slow],  # two shared cores
    )
settings.load_profile("prunegate")


MARKED_FILE = re.compile(r"^pytestmark = (?:\[\s*)?pytest\.mark\.(slow|models)\b", re.MULTILINE)
COLLECTED = pytest.StashKey[frozenset[str]]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import files that are marked as a whole with what is not wanted."""
    unwanted = config.option.markexpr.split(" and ")
    if unwanted == [""] or collection_path.suffix != ".py":
        return None
    mark = MARKED_FILE.search(collection_path.read_text(encoding="utf-8"))
    return (mark is not None and f"not {mark[1]}" in unwanted) or None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep which modules collecting has loaded: see test_suite.py."""
    session.config.stash[COLLECTED] = frozenset(sys.modules)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # what tests leave is little; looking for it often is much
    gc.enable()


def _end(process: int) -> None:
    """Leave a worker without taking a million objects apart, which takes seconds.

    What ends the run by itself has its exit status to give, and lets go of everything: a library
    that finds its classes alive at the end complains.
    """
    if os.getpid() == process and "PYTEST_XDIST_WORKER" in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    gc.unfreeze()


atexit.register(_end, os.getpid())  # before any other's, so that it is the last


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> frozenset[str]:
    """The modules that were loaded when the last file was collected."""
    return request.config.stash[COLLECTED]


def pytest_configure(config: pytest.Config) -> None:
    """Let no example hang on which of our modules a worker happens to have loaded.

    Hypothesis reads constants out of all of them, which takes seconds, too; see tests/depth.py.
    """
    if config.getoption("--hypothesis-profile") != "thorough":
        providers = import_module("hypothesis.internal.conjecture.providers")
        providers.is_local_module_file = lambda _path: False


_WARM = {"warm_program", "breakable"}
"""Fixtures that the warm process stands behind; the second is that of ``faults/test_ended.py``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of two workers begins with slow files, so that quick tests are left to level out.

    A worker gets a half, and steals from the other's end when it is through. Tests on Spark stand
    first of all, and after them those of the warm process: one worker starts one Java for all of
    them, and one such process.
    """
    files = {item.path for item in items if item.get_closest_marker("slow")}
    warm = {item.path for item in items if _WARM.intersection(getattr(item, "fixturenames", ()))}
    slow = [item for item in items if item.path in files]
    slow.sort(key=lambda item: item.path not in warm)
    slow.sort(key=lambda item: "spark_start" not in getattr(item, "fixturenames", ()))
    quick = [item for item in items if item.path not in files]
    quick.sort(key=lambda item: item.path not in warm)
    cut = len(slow) // 2
    while 0 < cut < len(slow) and slow[cut].path == slow[cut - 1].path:
        cut += 1
    rest = max(0, len(items) // 2 - cut)
    items[:] = slow[:cut] + quick[:rest] + slow[cut:] + quick[rest:]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long texts by their argument: fresh keys in them would differ from worker to worker."""
    return argname if isinstance(val, str | bytes) and len(val) > 48 else None


class _Refused:
    """Finds a library only to say that what asks for it is slow."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "great_expectations":
            raise ImportError("the fast part does without this library: mark the test as slow")


@pytest.fixture(scope="session", autouse=True)
def fast_part(pytestconfig: pytest.Config) -> Iterator[None]:
    """Great Expectations takes seconds to load in each worker; what asks it is marked as slow."""
    with pytest.MonkeyPatch.context() as patch:
        if "not slow" in pytestconfig.option.markexpr:
            patch.setattr(sys, "meta_path", [_Refused(), *sys.meta_path])
        yield


@pytest.fixture(scope="session", autouse=True)
def one_engine_for_frames() -> Iterator[None]:
    """Frames, which reach no file, are read in one DuckDB a session: to start one takes 12 ms.

    Each has a connection of its own, as ``connect`` locks it. A table that is a file, or that joins
    some, has the whole of ``connect`` to itself, as in every command.
    """
    module: Any = import_module("prunegate.data.predictions.open_table")
    connect, ours = module.connect, os.getpid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)  # workers share the cores
        shared = connect()

    def connected(files: Iterable[Path], memory_limit: str) -> Any:
        paths = tuple(files)
        alone = paths or memory_limit != module.MEMORY_LIMIT or os.getpid() != ours
        return connect(paths, memory_limit) if alone else shared.cursor()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "connect", connected)
        yield
    shared.close()


@pytest.fixture(scope="session", autouse=True)
def operators_once() -> Iterator[None]:
    """What torch knows of ONNX's operators is read once a session: each export would take 0.3 s."""
    if "torch" not in sys.modules:  # the fast part
        yield
        return
    module: Any = import_module("prunegate.compress.export")
    export = module._export
    with pytest.MonkeyPatch.context() as patch:

        def exported(*given: Any) -> Any:
            registry: Any = import_module("torch.onnx._internal.exporter._registration")
            read = registry.ONNXRegistry.from_torchlib
            if not hasattr(read, "cache_info"):
                patch.setattr(registry.ONNXRegistry, "from_torchlib", staticmethod(cache(read)))
            return export(*given)

        patch.setattr(module, "_export", exported)
        yield


@pytest.fixture(scope="session")
def spark_start() -> Iterator[tuple[Any, str]]:
    """A Spark of this machine as the commands start it, and what that said on either stream."""
    pytest.importorskip("pyspark.sql")
    from prunegate.data.predictions.spark_session import spark_session

    with ExitStack() as stack:
        with tempfile.TemporaryFile() as said:
            kept = [os.dup(stream) for stream in (1, 2)]
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
            try:
                session = stack.enter_context(spark_session())
            finally:
                for stream, place in zip((1, 2), kept, strict=True):
                    os.dup2(place, stream)
                    os.close(place)
            said.seek(0)
            words = said.read().decode()
        session.conf.set("spark.sql.shuffle.partitions", "2")
        yield session, words


@pytest.fixture(scope="session")
def spark(spark_start: tuple[Any, str]) -> Any:
    """A Spark of this machine."""
    return spark_start[0]


@pytest.fixture(scope="session")
def warm_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An executable that is ``prunegate``, forked from a warm process: see warm_process.py.

    Faults happen in it where a call's environment asks for them: see faults/moment.py.
    """
    from tests.warm_process import serving

    moments = Path(__file__).parent / "faults" / "moment.py"
    with serving(tmp_path_factory.mktemp("warm"), moments) as program:
        yield program
