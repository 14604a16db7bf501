"""The command line from a process that has imported everything already: real codes, in no time.

A fresh interpreter takes seconds to import what ``gate`` needs. Here one process imports it once a
session and forks for each call, so that a test (or a shell that a test starts) sees a program with
arguments, streams, environment, folder and exit code of its own, some 50 ms after it asked.

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
from pathlib import Path

STREAMS = (0, 1, 2)


def serve(path: str) -> None:
    """Import the commands, then answer calls until we are ended."""
    from importlib import import_module

    from prunegate.cli import COMMANDS
    from prunegate.data.contract.great_expectations import load_great_expectations

    for name, command in COMMANDS.items():
        if name not in ("demo", "run", "search", "compress", "importance", "measure"):
            import_module(command.module)
    for name in ("gate", "report.render", "audit.opinion.second_opinion", "audit.signing.keys"):
        import_module(f"prunegate.{name}")
    load_great_expectations()
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
