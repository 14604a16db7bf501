"""Nothing judged, nothing left: an output folder never shows the verdict of an earlier run.

A CI job takes what lies in the output folder, whatever the command's exit code was. So where a
verdict command may write over an earlier verdict (``--force``), that verdict is gone before the new
work begins; and where the work ends without a verdict, a ``summary.md`` says so and why. Other
files of the folder (a candidate, predictions, what is not ours) stay. Without ``--force`` a folder
that holds something is refused and not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from prunegate.errors import InputError
from prunegate.io.atomic import write_whole
from prunegate.outputs.markdown import code, prose
from prunegate.outputs.public_reason import public_reason
from prunegate.text.escape import shorten

SUMMARY, RECORD = "summary.md", "record.json"
OF_A_VERDICT = (
    RECORD,
    SUMMARY,
    "report.html",
    "junit.xml",
    "findings.csv",
    "expectations.json",
    "approval-request.json",
    "attempts.json",
    "frontier.csv",
    "gitlab-metrics.txt",
    "gitlab-codequality.json",
)
"""Files that say what was decided, or that nothing was; no inputs, no candidates."""
_FEW = 20
"""Lines of a message that are shown."""


@contextmanager
def no_stale_verdict(
    folders: Sequence[Path],
    name: str,
    kept: Sequence[Path] = (),
    reason: Callable[[BaseException], str] = public_reason,
) -> Iterator[None]:
    """Take earlier verdicts out of folders; where the work ends in an error, say so in each.

    Args:
        folders: that may be written over.
        name: of the policy, or of its file where that cannot be read.
        kept: files that the work reads; none of them is removed or written over.
        reason: says why there is none, in words that anybody may read.

    Raises:
        InputError: an earlier file cannot be removed.
    """
    spared = frozenset(path.resolve() for path in kept)
    for folder in folders:
        remove_verdict(folder, spared)
    try:
        yield
    except BaseException as error:
        for folder in folders:
            # Of two candidates one may have its verdict; what is read is none.
            judged = _exists(folder / RECORD, spared)
            if not judged and (folder / SUMMARY).resolve() not in spared:
                with suppress(InputError):  # what went wrong first is what has to be said
                    write_whole(
                        folder / SUMMARY, render_nothing_judged(name, reason(error)).encode()
                    )
        raise


def _exists(path: Path, spared: frozenset[Path]) -> bool:
    return path.exists() and path.resolve() not in spared


def remove_verdict(folder: Path, spared: frozenset[Path] = frozenset()) -> None:
    """Remove the files of a verdict from a folder, if there are any, but for those spared.

    Raises:
        InputError: one cannot be removed.
    """
    for name in OF_A_VERDICT:
        if spared and (folder / name).resolve() in spared:
            continue
        try:
            (folder / name).unlink(missing_ok=True)
        except NotADirectoryError:
            return  # whoever wants to write there will say so
        except OSError as error:
            where = folder / name
            raise InputError(f"{where}: cannot be removed ({error.strerror})") from error


def render_nothing_judged(name: str, reason: str) -> str:
    """summary.md of a run without a verdict."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    told = [f"- {prose(shorten(line, 400))}" for line in lines[:_FEW]]
    if len(lines) > _FEW:
        told.append(f"- and {len(lines) - _FEW} more")
    body = "\n".join(told)
    head = f"⛔ **NOTHING WAS JUDGED** {code(name)}: there is no verdict, so nothing is approved"
    return f"{marker(name)}\n{head}\n\n{body}\n"


def marker(name: str) -> str:
    r"""A line that nobody sees, by which a bot finds its own comment again.

    >>> marker("brand-safety-vit"), marker("a-->b")
    ('<!-- prunegate:brand-safety-vit -->', '<!-- prunegate:a\\u002d\\u002d\\u003eb -->')
    """
    inert = "".join(_in_comment(char) for char in shorten(name, 100).replace("--", "\0\0"))
    return f"<!-- prunegate:{inert} -->"


def _in_comment(char: str) -> str:
    """A character that cannot end a comment."""
    if char == "\0":
        return "\\u002d"
    return f"\\u{ord(char):04x}" if char in "<>&" else char
