"""Chromium: one headless browser with one page, for as long as rows are scored.

No driver: the page itself asks for rows and answers (``judged.js``). The browser ends with us,
however we end, because its debugging pipe closes; it reaches 127.0.0.1 and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from prunegate.errors import InputError
from prunegate.io.partial import held_folder

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OLDEST = 112
"""The first Chromium with the headless mode that draws and decodes as the one with windows does."""
_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
_VERSION = re.compile(r"\b(\d+)\.\d+\.\d+\.\d+\b")
_START_S = 60
_PROFILE = "prunegate-browser-"


def chromium_program(named: str | Path | None) -> str:
    """Where Chromium is.

    Args:
        named: a path, or a name that is looked up in PATH; a name with a separator is a path.
            None: as it is installed.

    Raises:
        InputError: it is not installed, or it is not the one that was named.
    """
    found = (shutil.which(name) for name in (NAMES if named is None else [str(named)]))
    program = next((path for path in found if path), None)
    if program is None:
        raise InputError(
            f"{str(named)!r} is no program that can be run; name Chromium's: --browser FILE, with "
            "its folder where it is not in PATH (./chrome)"
            if named is not None
            else "Chromium is not installed, and '--runtime browser' scores in it; type "
            "'apt-get install chromium' (or your system's way), or name one: --browser FILE"
        )
    return program


def chromium_version(program: str) -> str:
    """Its version, such as 150.0.7871.100.

    Raises:
        InputError: it does not start, or is too old.
    """
    try:
        done = subprocess.run(  # noqa: S603  # the browser that was asked for
            [program, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_START_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{program}: does not start ({error}); install Chromium") from error
    found = _VERSION.search(done.stdout)
    if done.returncode or found is None:
        raise InputError(f"{program}: does not say its version; name Chromium's: --browser FILE")
    if int(found[1]) < OLDEST:
        raise InputError(
            f"{program}: is version {found[0]}; pages are scored with Chromium {OLDEST} or newer"
        )
    return found[0]


class Chromium:
    """A headless browser that shows one page.

    Args:
        program: where it is.
        address: of the page.

    Raises:
        InputError: it cannot be started.
    """

    def __init__(self, program: str, address: str) -> None:
        try:  # a run that was killed leaves its own, which this sweeps
            self._profile, self._held = held_folder(Path(tempfile.gettempdir()), _PROFILE)
        except OSError as error:
            raise InputError(
                f"{tempfile.gettempdir()}: cannot be written ({error.strerror}); name another "
                "folder in TMPDIR"
            ) from error
        # As root it refuses to start with its sandbox; it shows nothing but our own page.
        root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        command = [program, *_FLAGS, *root, f"--user-data-dir={self._profile}", address]
        try:
            self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close
            # The pipe is read at 3 and written at 4; what comes out of it interests nobody.
            self._process = subprocess.Popen(  # noqa: S603  # the browser and our own page
                ["/bin/sh", "-c", 'exec "$0" "$@" 3<&0 4>/dev/null', *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            self._release()
            raise InputError(f"{program}: does not start ({error.strerror})") from error

    def ended(self) -> str | None:
        """How it ended, with the last that it said; None: it has not."""
        code = self._process.poll()
        if code is None:
            return None
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"exit {code}{': ' + last[0] if last else ''}"

    def close(self) -> None:
        """End it with all its processes, and take away what it wrote."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._said.close()
        self._release()

    def _release(self) -> None:
        shutil.rmtree(self._profile, ignore_errors=True)
        os.close(self._held)
