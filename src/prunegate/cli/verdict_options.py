"""What commands that write a verdict are told: where it goes; an old one does not stay there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.ci import AUTO, GITHUB, GITLAB, NONE
from prunegate.cli.options import (
    PATH,
    ConsoleOptions,
    audit_option_of,
    color_option,
    json_option,
    may_color,
    quiet_option,
    several_options,
)
from prunegate.cli.swapped import hint
from prunegate.cli.written_paths import WRITTEN, paths_of, require_apart

if TYPE_CHECKING:
    from prunegate.audit.signing.keys import PrivateKey


@dataclass(frozen=True, kw_only=True)
class Output(ConsoleOptions):
    """Where a verdict goes and how much is said on the way."""

    out: Path | None
    reports: Path
    audit: Path
    force: bool
    as_json: bool
    verbose: bool = False
    """Whether everything is listed, however long."""
    ci: str = AUTO
    """The CI server that was asked for."""
    policy: Path | None = None
    """The policy file, where the command was given one."""
    key: Path | None = None
    """The private key that signs the decision."""

    def signing_key(self) -> PrivateKey | None:
        """The key that was given, or ``PRUNEGATE_KEY``; None: the decision stays unsigned.

        Raises:
            InputError: it is no key that can sign.
        """
        from prunegate.audit.signing.keys import private_key_from

        return private_key_from(self.key)


@dataclass(frozen=True, kw_only=True)
class VerdictPlace:
    """Where a verdict command was told to write."""

    out: Path | None
    force: bool
    policy: Path | None
    """The policy file, where the command was given one."""
    parts: tuple[str, ...] = ()
    """Names of the folders under ``out`` that each get a verdict; empty: ``out`` itself does."""
    ci: str = AUTO
    """The CI server that was asked for."""
    read: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    """Paths that the command reads, by the names of their options."""

    unnamed: str = "demo"
    """What is told as the name where no policy was given."""

    @contextmanager
    def without_stale_verdict(self) -> Iterator[None]:
        """Let no verdict of an earlier run stay where this one may write over it.

        A CI server is told where there is none.
        """
        try:
            with self._cleared():
                self._require_apart()
                self._require_free_above()
                yield
        except BaseException as error:
            from prunegate.cli.ci import tell_github_of_failure

            tell_github_of_failure(self._name(), self._reason(error), self.ci)
            raise

    @contextmanager
    def _cleared(self) -> Iterator[None]:
        if self.out is None or not self.force:
            yield
            return
        from prunegate.outputs.nothing_judged import no_stale_verdict, remove_verdict

        kept = [path for paths in self.read.values() for path in paths]
        if self.parts:  # an earlier one of the folder itself would stand above theirs
            remove_verdict(self.out, frozenset(path.resolve() for path in kept))
        with no_stale_verdict(self._folders(), self._name(), kept, self._reason):
            yield

    def _require_free_above(self) -> None:
        """Refuse a folder of folders that holds something already."""
        if self.out is not None and self.parts:
            from prunegate.outputs.staging import require_free

            require_free(self.out, force=self.force)

    def _folders(self) -> list[Path]:
        """Folders that each get a verdict."""
        if self.out is None:
            return []
        return [self.out / part for part in self.parts] or [self.out]

    def _require_apart(self) -> None:
        """Refuse to write over what is read."""
        from prunegate.outputs.nothing_judged import OF_A_VERDICT

        if self.out is None:
            return
        files = [folder / name for folder in self._folders() for name in OF_A_VERDICT]
        for path in (self.out, *self._folders(), *files):
            require_apart({"--out": path}, self.read)

    def _name(self) -> str:
        """The policy's own name, or what stands for it."""
        return self.unnamed if self.policy is None else policy_name(self.policy)

    def _reason(self, error: BaseException) -> str:
        """Why nothing was judged, for anybody to read."""
        from prunegate.outputs.public_reason import public_reason
        from prunegate.policy.load import readable_text

        given = [self.out, self.policy, *(path for paths in self.read.values() for path in paths)]
        paths = [path for one in given if one is not None for path in (one, one.absolute())]
        return public_reason(error, readable_text(self.policy) if self.policy else "", paths)


def policy_name(policy: Path) -> str:
    """A policy's own name, as far as it can be read; else its file's."""
    from prunegate.policy.load import stated_name

    return stated_name(policy) or policy.stem


class VerdictCommand(click.Command):
    """A command that writes a verdict; one that cannot even be read leaves no earlier one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; where that is refused, what was asked for is gathered by hand."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            with _place_of(given, self.name or "").without_stale_verdict():
                meant = hint(given) if self.name == "gate" else ""
                if meant:
                    told = error.format_message().rstrip(".")
                    raise click.UsageError(f"{told}. {meant}", ctx=error.ctx) from error
                raise


def _place_of(given: Sequence[str], command: str) -> VerdictPlace:
    """Where arguments that click refuses would have written, as far as can be told."""
    out = [arg.removeprefix("--out=") for arg in given if arg.startswith("--out=")]
    out += [given[n + 1] for n, arg in enumerate(given[:-1]) if arg == "--out"]
    policies = [Path(arg) for arg in given if arg.endswith((".yaml", ".yml"))]
    others = [Path(arg) for arg in given if not arg.startswith("-") and arg not in out]
    return VerdictPlace(
        unnamed=command,
        read={"another argument": others},
        out=Path(out[-1]) if out else None,
        force="--force" in given,
        policy=policies[0] if policies else None,
    )


def _read() -> dict[str, list[Path]]:
    return paths_of(click.get_current_context())[1]


_GIVEN = ("out", "audit", "key", "force", "as_json", "quiet", "verbose", "ci")
_OPTIONS = several_options(
    click.option(
        "--out",
        type=WRITTEN,
        help="Output folder itself, new or empty [default: reports/<policy name>/<id>].",
    ),
    audit_option_of("Folder of the audit trail; the decision is put under pending/ there."),
    click.option(
        "--key",
        type=PATH,
        help="Private key that signs the decision [default: the environment's PRUNEGATE_KEY].",
    ),
    click.option("--force", is_flag=True, help="Write into an output folder that is not empty."),
    json_option("Print the record on stdout, all else on stderr."),
    click.option(
        "--ci",
        type=click.Choice([AUTO, GITHUB, GITLAB, NONE]),
        default=AUTO,
        show_default=True,
        help="CI server that is told: annotations and step summary, or GitLab's report files.",
    ),
    quiet_option("No progress, only the verdict."),
    click.option("-v", "--verbose", is_flag=True, help="List every warning and open finding."),
    color_option,
)


def output_options(
    function: Callable[..., Any],
    parts_of: Callable[[dict[str, Any]], tuple[str, ...]] = lambda _: (),
    begin: Callable[[], object] = lambda: None,
) -> Callable[..., Any]:
    """Add the options that every verdict command has; the command gets one ``Output``.

    Args:
        function: the command.
        parts_of: names of the folders that each get a verdict, by the command's arguments.
        begin: done first of all, and raises nothing.
    """

    @_OPTIONS
    @wraps(function)
    def command(**arguments: Any) -> Any:
        begin()
        given = {name: arguments.pop(name) for name in _GIVEN}
        color = may_color(arguments.pop("no_color"))
        policy = arguments.get("policy", next(iter(arguments.get("policies", ())), None))
        output = Output(reports=Path("reports"), color=color, policy=policy, **given)
        place = VerdictPlace(
            out=output.out,
            force=output.force,
            policy=policy,
            parts=parts_of(arguments),
            ci=output.ci,
            read=_read(),
        )
        with place.without_stale_verdict():
            return function(output=output, **arguments)

    return command


fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["reject", "inconclusive", "warning"]),
    default="inconclusive",
    show_default=True,
    help="From what on the exit code is not 0: an approval with a warning ends with 4.",
)
