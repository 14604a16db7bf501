"""The Spark session that ``gate --engine spark`` works in: the running one, else one of its own.

A session found running is left as it is. One that is started here says nothing (Spark's log goes
nowhere, ``PRUNEGATE_DEBUG=1`` shows it) and is stopped at the end.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from prunegate.errors import InputError

_QUIET = {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false"}
_ALONE = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
}
"""For a Spark of this machine only, which then opens no port that others can reach."""
_CONFIGURED = ("SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS")
"""Whoever has set one of these has a Spark with settings of its own; they are left alone."""
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit, which has started Java already."""


@contextmanager
def spark_session() -> Iterator[Any]:
    """Yield a Spark session.

    Raises:
        InputError: pyspark or Java is not there, or Spark does not start; says what to do.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(
            "Spark is not installed; run: pip install 'prunegate[spark]' (it also needs Java 17 or "
            "later)"
        ) from error
    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    session = _start(SparkSession.builder)
    try:
        yield session
    finally:
        session.stop()


def _start(builder: Any) -> Any:
    remote = "SPARK_REMOTE" in os.environ
    if not remote and _SUBMITTED not in os.environ:
        _require_java()
    alone = not any(name in os.environ for name in (_SUBMITTED, *_CONFIGURED))
    if alone:  # Spark takes whatever 'python3' is, which need not have prunegate
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {} if remote else _QUIET | (_ALONE if alone else {})
    for name, value in settings.items():
        builder = builder.config(name, value)
    with tempfile.TemporaryFile() as log:
        try:
            with _stderr_into(log), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return builder.getOrCreate()
        except Exception as error:  # whatever Spark, py4j or Java raise here, it did not start
            raise InputError(f"Spark did not start ({_reason(error, log)})") from error


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"  # noqa: PTH118  # a name for which()
    if shutil.which(java) is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise InputError(
            f"Spark needs Java 17 or later and there is none {where}; install it (Debian: apt-get "
            "install default-jre-headless) or set JAVA_HOME"
        )


@contextmanager
def _stderr_into(log: IO[bytes]) -> Iterator[None]:
    """Let what is started here (Java inherits it) write its stderr into ``log``."""
    if os.environ.get("PRUNEGATE_DEBUG"):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _reason(error: Exception, log: IO[bytes]) -> str:
    """Java's own words, if it said what is wrong, else the error's."""
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    telling = [line.strip() for line in lines if "rror" in line or "xception" in line]
    return (telling or [str(error).partition("\n")[0]])[0][:200]
