"""Scenarios as written to scenarios as meant: every name is one that the playbook, or the store, knows.

What a scenario expects must be something that its playbook can do: `expect no send email helo` would pass for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dsl import program, syntax
from dsl import scenario as s
from dsl.complaints.deeds import Deeds, deeds
from dsl.diagnostics import source_lines
from dsl.plan import HOLDOUT_ARM
from dsl.resolve import outside, tests
from dsl.resolve.given import assigned, properties
from dsl.resolve.scope import Absent, Scope
from dsl.resolve.values import clock, seconds
from dsl.resolve.waits import wait
from dsl.suggest import did_you_mean, listed

_OPENED = ("email", "push")
"""Channels that tell of messages that were opened."""


def scenarios(
    files: tuple[syntax.File, ...], playbooks: Sequence[program.Playbook], scope: Scope
) -> tuple[s.Scenario, ...]:
    """All scenarios of the files; a line that is told as wrong is left out."""
    known = {playbook.name: playbook for playbook in reversed(playbooks)}
    return tuple(
        _Reader(
            source=tuple(source_lines(file.source)),
            scope=scope,
            playbook=known.get(node.playbook.text),
            playbooks=playbooks,
        ).read(node)
        for file in files
        for node in file.declarations
        if isinstance(node, syntax.Scenario)
    )


class _Reader:
    """Reads the lines of one scenario."""

    def __init__(
        self,
        *,
        source: tuple[str, ...],
        scope: Scope,
        playbook: program.Playbook | None,
        playbooks: Sequence[program.Playbook],
    ) -> None:
        self.source = source
        self.name = playbook.name if playbook else ""
        self.deeds: Deeds | None = deeds(playbook, playbooks) if playbook else None
        start = playbook.start_on.event if playbook and playbook.start_on else None
        event = scope.catalog.events.get(start) if start else None
        self.scope = replace(scope, start=event or Absent.BROKEN, entry=True)

    def read(self, node: syntax.Scenario) -> s.Scenario:
        if self.deeds is None:
            outside.playbook(node.playbook, self.scope)
        lines = [line for written in node.lines if (line := self._line(written)) is not None]
        return s.Scenario(
            source=node, name=node.name.value, playbook=node.playbook.text, span=node.name.span, lines=tuple(lines)
        )

    def _line(self, line: syntax.ScenarioLine) -> s.ScenarioLine | None:
        scope = self.scope
        span, text = line.span, self._text(line)
        match line:
            case syntax.GivenClock(day=day, clock=at):
                return s.GivenClock(span=span, text=text, day=day.value.isoformat(), time=clock(at.value))
            case syntax.GivenField(field=word, value=value):
                pair = assigned(word, value, scope)
                return s.GivenField(span=span, text=text, field=pair[0], value=pair[1]) if pair else None
            case syntax.GivenEvent(event=word, ago=ago, properties=lines):
                event, own = properties(word, lines, scope)
                given = s.GivenEvent(span=span, text=text, event=event or "", seconds_ago=seconds(ago), properties=own)
                return given if event else None
            case syntax.GivenArm():
                return self._arm(line, text)
            case syntax.AfterEvent(event=word, after=after, properties=lines):
                event, own = properties(word, lines, scope)
                made = s.AfterEvent(span=span, text=text, seconds=seconds(after), event=event or "", properties=own)
                return made if event else None
            case syntax.AfterSet(field=word, value=value, after=after):
                pair = assigned(word, value, scope, later=True)
                if pair is None:
                    return None
                return s.AfterSet(span=span, text=text, seconds=seconds(after), field=pair[0], value=pair[1])
            case syntax.AfterMessage():
                return self._message(line, text)
            case syntax.Expect(outcome=outcome, times=times, after=since):
                found = self._outcome(outcome)
                length = seconds(since) if since else None
                return replace(found, span=span, text=text, times=times, after=length) if found else None
            case syntax.ExpectNo(outcome=outcome, before=before):
                found = self._outcome(outcome)
                length = seconds(before) if before else None
                return replace(found, span=span, text=text, never=True, before=length) if found else None
            case syntax.Broken():
                return None

    def _text(self, line: syntax.Node) -> str:
        at = line.span.line - 1
        return self.source[at].strip() if at < len(self.source) else ""

    def _arm(self, line: syntax.GivenArm, text: str) -> s.GivenArm | None:
        name, arm = line.experiment.text, line.arm.text
        if self.deeds is None:
            return None
        arms = self.deeds.experiments.get(name)
        if arms is None:
            if self.deeds.whole:
                hint = did_you_mean(name, self.deeds.experiments)
                others = f"It has {listed(sorted(self.deeds.experiments))}." if self.deeds.experiments else None
                told = f"The playbook `{self.name}` has no experiment called `{name}`."
                self.scope.tell("WB263", line.experiment.span, told, hint or others or "Remove this line.")
            return None
        if arm not in arms:
            hint = did_you_mean(arm, arms) or f"It has {listed(arms)}."
            if HOLDOUT_ARM in arms and arm in ("holdout", "control"):
                hint = f"Those who get nothing are called `{HOLDOUT_ARM}`."
            told = f"The experiment `{name}` has no variant called `{arm}`."
            self.scope.tell("WB263", line.arm.span, told, hint)
            return None
        return s.GivenArm(span=line.span, text=text, experiment=name, arm=arm)

    def _message(self, line: syntax.AfterMessage, text: str) -> s.AfterMessage | None:
        asked = syntax.Message(span=line.span, kind=line.kind, template=line.template)
        if tests.message(asked, None, self.scope) is None:
            return None
        name = line.template.text
        channels = {channel for channel, known in self.scope.catalog.templates if known == name}
        if channels and not channels & set(_OPENED):
            sort = listed(sorted(channels))
            told = f"`{name}` is a template for {sort}, which does not tell what people {_READ[line.kind]}."
            self.scope.tell("WB265", line.template.span, told, "Only e-mails and push messages do.")
            return None
        return s.AfterMessage(span=line.span, text=text, seconds=seconds(line.after), kind=line.kind, template=name)

    # ── Outcomes ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def _outcome(self, node: syntax.Outcome) -> s.Expect | None:
        """What is expected, without times; None with a problem told."""
        can, name = self.deeds, node.name.text if node.name else None
        if can is None:
            return None
        hint: str | None
        match node.kind:
            case "enter":
                is_there, doing, hint = True, "enters", None
            case "leave":
                hint = "Without `leave on …` or `leave when …` everybody goes to the end, which is no leaving."
                is_there, doing = can.can_leave, "leaves early"
            case "goal":
                hint = "Give it one: `goal order_completed within 7 days`."
                is_there, doing = can.has_goal, "reaches a goal"
            case "send":
                return self._send(node, can)
            case "create":
                hint = did_you_mean(name or "", [noun for verb, noun in can.records if verb == "create"])
                is_there, doing = ("create", name) in can.records, f"creates a {name}"
            case "update":
                hint = "A playbook updates only the `contact`." if name != outside.CONTACT else None
                is_there, doing = ("update", name) in can.records, f"updates a {name}"
            case "add" | "remove":
                hint = did_you_mean(name or "", [known for kind, known in can.audiences if kind == node.kind])
                verb = "adds anybody to" if node.kind == "add" else "removes anybody from"
                is_there, doing = (node.kind, name) in can.audiences, f"{verb} the audience `{name}`"
            case "wait":
                name = wait(node.wait, node.span, self.scope).words if node.wait else ""
                hint = did_you_mean(name, can.waits) or (f"It has {listed(sorted(can.waits))}." if can.waits else None)
                is_there, doing = name in can.waits, f"waits `{name}`"
        return self._possible(node, is_there, doing, hint, name)

    def _send(self, node: syntax.Outcome, can: Deeds) -> s.Expect | None:
        channel, name = (word.text if word else "" for word in (node.channel, node.name))
        hint = did_you_mean(name, [known for other, known in can.sends if other == channel])
        if others := sorted(other for other, known in can.sends if known == name):
            hint = f"It sends it by {listed(others)}: `{others[0]} {name}`."
        elif channel not in self.scope.catalog.channels:
            hint = did_you_mean(channel, self.scope.catalog.channels) or hint
        return self._possible(node, (channel, name) in can.sends, f"sends {channel} `{name}`", hint, name, channel)

    def _possible(
        self,
        node: syntax.Outcome,
        is_there: bool,
        doing: str,
        hint: str | None,
        name: str | None,
        channel: str | None = None,
    ) -> s.Expect | None:
        if is_there:
            return s.Expect(span=node.span, text="", outcome=node.kind, name=name, channel=channel)
        if self.deeds is not None and self.deeds.whole:
            told = f"Nothing in `{self.name}` ever {doing}, so there is nothing to expect."
            if node.kind == "goal":
                told = f"`{self.name}` has no goal, so there is nothing to expect."
            self.scope.tell("WB264", (node.name or node).span, told, hint or "Look at the steps of the playbook.")
        return None


_READ = {"opened": "open", "clicked": "click"}
