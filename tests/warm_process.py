"""The command line from a process that has imported everything already: real codes, in no time.

A fresh interpreter takes seconds to import what ``gate`` needs. Here one process imports it once a
session and forks for each call, so that a test (or a shell that a test starts) sees a program with
arguments, streams, environment, folder and exit code of its own, some 50 ms after it asked. Two
things differ: the second opinion is asked in place, whose process would load its engine anew for
each call, and each picture is an empty one, where a process with a JavaScript engine draws.

Use the fixture ``warm_program``: the path of an executable that behaves as ``prunegate``. Where a
test needs no process of its own, call ``click.testing.CliRunner`` or ``prunegate.cli.main`` in
place. What an import costs or forbids is measured in fresh interpreters alone
(``functional/test_light_imports.py``), and ``test_suite.py`` lists the tests that may start one.

This file is both ends: ``serve SOCKET`` waits for calls, ``call SOCKET ARGUMENTS...`` is one. It
imports the standard library only, because each call starts it anew.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STREAMS = (0, 1, 2)
HEAVY = ("demo", "run", "search", "compress", "importance", "measure")
"""Commands that load a model library."""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 200"></svg>'
RECORD = Path(__file__).parent / "fuzz" / "corpus" / "record" / "inconclusive.json"


@contextmanager
def serving(folder: Path, *plugin: Path) -> Iterator[Path]:
    """Run such a process and yield the program; a plugin's code runs before all else is read."""
    import subprocess

    place = folder / "s"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    command = [sys.executable, __file__, "serve", place, *plugin]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        script = f'#!/bin/sh\nexec {sys.executable} -I -S {__file__} call {place} "$@"\n'
        (folder / "prunegate").write_text(script, encoding="utf-8")
        (folder / "prunegate").chmod(0o755)
        yield folder / "prunegate"
        process.terminate()


def serve(path: str, *plugins: str) -> None:
    """Import the commands, then answer calls until we are ended."""
    import gc
    import runpy
    from importlib import import_module

    for plugin in plugins:
        sys.path.insert(0, str(Path(plugin).parent))
        runpy.run_path(plugin)

    from prunegate.audit.opinion import process
    from prunegate.cli import COMMANDS
    from prunegate.data.contract.great_expectations import load_great_expectations

    # A process of its own would load the engine anew for each call: see test_opinion_process.py.
    process.ask_of = lambda _: process.asked_here
    process.at_hand = lambda: None
    for name, command in COMMANDS.items():
        if name not in HEAVY and command.module.startswith("prunegate."):
            import_module(command.module)
    for name in ("gate", "report.render", "audit.opinion.second_opinion", "audit.signing.keys"):
        import_module(f"prunegate.{name}")
    load_great_expectations()
    _do_once()
    gc.freeze()  # what each call would look through, and so copy
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(connection)
            connection.close()


class NoDrawing:
    """In the place of the process that draws: every picture is an empty one."""

    ended = False

    def draw(self, _: str) -> str:
        return PICTURE


def _do_once() -> None:
    """What each call would do anew: ask the engine, read a record's form, compile the templates."""
    from contextlib import suppress

    from tqdm import tqdm

    from prunegate.audit.read import stored_record
    from prunegate.data.contract.whole_table import TableSize, broken
    from prunegate.errors import EvidenceError
    from prunegate.report import drawing
    from prunegate.report.render import render

    tqdm.monitor_interval = 0  # the engine's: no thread in a process that forks
    broken({"a": [0.0]}, [TableSize(name="one row", rows=1)])
    drawing._started = NoDrawing
    with suppress(EvidenceError):  # under a plugin's rules it does not follow from its policy
        stored = stored_record(RECORD)
        render(stored.record, digest=stored.digest, pictures={}, content=stored.content)
    drawing.drawn_svg.cache_clear()


def _answer(connection: socket.socket) -> None:
    """In a process of the call's own: run it in another one and say how that ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told, streams, _, _ = socket.recv_fds(connection, 1 << 20, len(STREAMS))
    child = os.fork()
    if child == 0:
        connection.close()
        for stream, place in zip(streams, STREAMS, strict=True):
            os.dup2(stream, place)
        os._exit(_run(**json.loads(told)))
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(folder: str, environment: dict[str, str], arguments: list[str]) -> int:
    from prunegate.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["prunegate", *arguments]
    code: object = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else 0 if code is None else 1


def call(path: str, *arguments: str) -> int:
    """Let the process at ``path`` run the arguments here, with our streams and environment."""
    told = {"folder": str(Path.cwd()), "environment": dict(os.environ), "arguments": arguments}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [json.dumps(told).encode()], STREAMS)
        return int(connection.recv(16) or b"1")


if __name__ == "__main__":
    sys.exit({"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:]))
