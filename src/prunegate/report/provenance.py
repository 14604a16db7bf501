"""Provenance: digests, versions and settings, which an auditor needs to check a report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord, Input, ModelRef, NamedModel
from prunegate.audit.sealed_bar import bar_in_words
from prunegate.report.speech import Speech, speech
from prunegate.text.escape import shorten, visible
from prunegate.text.languages import ENGLISH

_FIGURES = frozenset({"cores", "load_before", "load_after"})
"""Circumstances that are figures; a version is none."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of the provenance: what, and its value."""

    name: str
    value: str
    code: bool = False
    """A digest or the like, set in fixed-width letters."""
    recorded: bool = False
    """Whether name and value are the record's own words, hence English."""


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


def provenance(
    record: DecisionRecord, digest: str, said: Speech | None = None
) -> tuple[FactGroup, ...]:
    """Where everything came from, in English or in another language."""
    own = _Provenance(record=record, said=said or speech(ENGLISH))
    groups = {
        "decision": own.decision(digest),
        "judged": tuple(own.input(one) for one in record.inputs),
        "models": own.models(),
        "software": own.software(),
        "environment": own.environment(),
    }
    return tuple(
        FactGroup(title=own.say(key), facts=facts) for key, facts in groups.items() if facts
    )


@dataclass(frozen=True, kw_only=True)
class _Provenance:
    """Says where a record comes from."""

    record: DecisionRecord
    said: Speech

    def say(self, key: str, **parts: str) -> str:
        return self.said.say(f"trusting.{key}", **parts)

    def decision(self, digest: str) -> tuple[Fact, ...]:
        """The decision itself."""
        one, say = self.record, self.say
        seed = say("no_seed") if one.seed is None else str(one.seed)
        return (
            Fact(name=say("record"), value=visible(digest), code=True),
            Fact(name=say("policy"), value=visible(one.policy.sha256), code=True),
            Fact(name=say("owner"), value=visible(one.policy.owner or say("not_named"))),
            Fact(name=say("made_by"), value=f"prunegate {visible(one.command)}"),
            Fact(name=say("made_on"), value=self.said.moment(one.created)),
            Fact(name=say("seed"), value=seed),
            *self._attempt(),
            Fact(name=say("exit_code"), value=str(one.exit_code)),
            *self._terms(),
        )

    def _attempt(self) -> Iterator[Fact]:
        """Which attempt on its gate set this is, and whether its bar was sealed before."""
        attempt, bar, say = self.record.attempt, self.record.bar, self.say
        if attempt is None:
            return
        number, known = self.said.whole(attempt.number), self.said.whole(attempt.known)
        yield Fact(name=say("attempt"), value=say("attempt_of", number=number, known=known))
        yield Fact(name=say("gate_set"), value=visible(attempt.gate_set), code=True)
        yield Fact(name=say("rules"), value=visible(attempt.rules), code=True)
        sealed = bar_in_words(attempt, bar)
        yield Fact(name=say("bar"), value=visible(self.said.recorded(sealed) or sealed))

    def _terms(self) -> Iterator[Fact]:
        """Until when the decision holds, and the state of the folder that its policy lay in."""
        until, workspace = self.record.revalidate_on, self.record.workspace
        if until is not None:
            yield Fact(name=self.say("until"), value=visible(until))
        if workspace is not None:
            commit = visible(workspace.commit)
            told = self.say("commit_dirty", commit=commit) if workspace.dirty else commit
            yield Fact(name=self.say("commit"), value=told, code=True)

    def input(self, item: Input) -> Fact:
        """A file or table that was judged."""
        told = {"role": visible(item.role), "name": shorten(item.name, 80)}
        if item.rows is not None:
            name = self.say("input_rows", rows=self.said.whole(item.rows), **told)
        else:
            name = self.say("input", **told)
        sha256 = self.say("no_digest") if item.sha256 is None else visible(item.sha256)
        return Fact(name=name, value=sha256, code=item.sha256 is not None)

    def models(self) -> tuple[Fact, ...]:
        """Both models, by digest."""
        both = (("baseline", self.record.baseline), ("candidate", self.record.candidate))
        ran = tuple(self._model(role, model) for role, model in both if model is not None)
        return (*ran, *self._scorer(), *(self._named_model(model) for model in self.record.models))

    def _scorer(self) -> Iterator[Fact]:
        """The model that rated what both wrote."""
        found = self.record.scorer
        if found is not None:
            told = {"output": shorten(found.output, 80)}
            name = self.say("scorer", architecture=shorten(found.architecture, 80), **told)
            yield Fact(name=name, value=visible(found.digest), code=True)

    def _named_model(self, model: NamedModel) -> Fact:
        """A model that was not run here, with who says that it made the predictions."""
        key = {"predictions": "of_predictions", "folder": "of_folder"}[model.source]
        name = self.say(key, role=self._role(model.role))
        return Fact(name=name, value=visible(model.digest), code=True)

    def _model(self, role: str, model: ModelRef) -> Fact:
        told = {"name": shorten(model.name, 80), "architecture": shorten(model.architecture, 80)}
        name = self.say("model", role=self._role(role), **told)
        return Fact(name=name, value=visible(model.digest), code=True)

    def _role(self, role: str) -> str:
        key = f"trusting.{role}"
        return self.said.say(key) if role in ("baseline", "candidate") else visible(role)

    def software(self) -> tuple[Fact, ...]:
        """What made the decision."""
        tool, say = self.record.tool, self.say
        packages = ", ".join(f"{visible(n)} {visible(v)}" for n, v in sorted(tool.packages.items()))
        on = say("python_on", python=visible(tool.python), platform=visible(tool.platform))
        return (
            Fact(name=say("tool"), value=f"{visible(tool.name)} {visible(tool.version)}"),
            Fact(name=say("python"), value=on),
            *((Fact(name=say("packages"), value=packages),) if packages else ()),
        )

    def environment(self) -> tuple[Fact, ...]:
        """Where it ran, and where was measured."""
        taken, environment = self.record.measurements, self.record.environment
        measured = taken.environment if taken else {}
        here = {k: self._as_found(k, self._circumstance(k), v) for k, v in environment.items()}
        there = {
            f"measured on: {k}": self._as_found(
                k, self.say("measured_on", name=self._circumstance(k)), v
            )
            for k, v in measured.items()
        }
        facts = here | there
        return tuple(facts[key] for key in sorted(facts))

    def _as_found(self, key: str, name: str, value: str) -> Fact:
        """A figure with the marks of the language; anything else in the record's words."""
        text = visible(str(value))
        if key in _FIGURES and re.fullmatch(r"\d+(\.\d+)?", text):
            return Fact(name=name, value=self.said.number(text))
        return Fact(name=name, value=text, recorded=True)

    def _circumstance(self, key: str) -> str:
        """What one of them is called."""
        own = f"circumstances.{key}"
        return self.said.say(own) if self.said.knows(own) else visible(key.replace("_", " "))
