"""A moment: the so-manyeth time that a command touches the file system, where something happens.

A plugin of ``warm_process.py``. What happens is said in the environment of each call, so that one
warm process serves every fault:

- ``FAULT_AT=SIGKILL:17``: that signal is sent at the 17th touch;
- ``FAULT_COUNT=FILE``: the touches are counted there instead;
- ``FAULT_USER=65534``: the command runs as that user from its first touch on.

Moments are counted and not timed, so that a seed gives the same ones on any machine.
"""

from __future__ import annotations

import os
import signal
import sys

TOUCHES = {
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.symlink"),
    *("shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp"),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_seen = [0]


def touched(event: str, arguments: tuple[object, ...]) -> None:
    """Count a touch, and do what is asked for at it."""
    if event == "open":
        flags = arguments[2]
        if not isinstance(flags, int) or not flags & WRITES:
            return
    elif event not in TOUCHES:
        return
    asked = os.environ
    if "FAULT_USER" in asked and os.getuid() == 0:
        os.setgroups([])
        os.setgid(int(asked["FAULT_USER"]))
        os.setuid(int(asked["FAULT_USER"]))
    if "FAULT_COUNT" not in asked and "FAULT_AT" not in asked:
        return
    _seen[0] += 1
    if "FAULT_COUNT" in asked:
        place, asked_for = asked["FAULT_COUNT"], asked.pop("FAULT_COUNT")
        with open(place, "w") as file:  # noqa: PTH123  # pathlib would import more
            file.write(str(_seen[0]))
        asked["FAULT_COUNT"] = asked_for
        return
    name, _, number = asked["FAULT_AT"].partition(":")
    if _seen[0] == int(number):
        os.kill(os.getpid(), getattr(signal, name))


sys.addaudithook(touched)
# Whoever started us may have these ignored, as nohup does; a command inherits them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
