"""Steps as written to steps as meant."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import program, syntax
from dsl.catalog import Event
from dsl.conditions import Field
from dsl.resolve import names, outside
from dsl.resolve.conditions import ask, hear
from dsl.resolve.scope import Scope
from dsl.resolve.types import compared
from dsl.resolve.waits import wait
from dsl.suggest import did_you_mean
from dsl.types import Type
from dsl.wording import written


def body(lines: tuple[syntax.Step, ...], scope: Scope) -> tuple[program.Step, ...]:
    """The steps of a block, in order."""
    return tuple(_step(line, scope) for line in lines)


def _step(line: syntax.Step, scope: Scope) -> program.Step:
    match line:
        case syntax.Send():
            return _send(line, scope)
        case syntax.Create(noun=noun, team=team):
            arguments = _recorded(line.arguments, scope)
            return program.Record(
                span=line.span, verb="create", noun=outside.noun(noun, scope), team=team.text, arguments=arguments
            )
        case syntax.Update(noun=noun):
            arguments = _recorded(line.arguments, scope)
            return program.Record(
                span=line.span, verb="update", noun=outside.contact(noun, scope), team=None, arguments=arguments
            )
        case syntax.Set(field=word, value=value):
            return _set(line, word, value, scope)
        case syntax.ChangeAudience(kind=kind, audience=audience):
            return program.ChangeAudience(span=audience.span, kind=kind, audience=outside.audience(audience, scope))
        case syntax.Enroll(playbook=playbook):
            return program.Enroll(span=playbook.span, playbook=outside.playbook(playbook, scope))
        case syntax.Wait(what=what):
            return wait(what, line.span, scope)
        case syntax.If(branches=branches, otherwise=otherwise):
            return program.If(
                span=line.span,
                arms=tuple(_arm(branch, scope) for branch in branches),
                otherwise=None if otherwise is None else body(otherwise, scope),
            )
        case syntax.Experiment():
            return _experiment(line, scope)
        case syntax.Stop():
            return program.Stop(span=line.span)
        case syntax.Broken(body=inner):
            return program.Broken(span=line.span, body=tuple(_below(inner, scope)))


def _below(lines: tuple[syntax.Node, ...], scope: Scope) -> Iterator[program.Step]:
    """The steps below a line that could not be read; whatever else stands there is looked at for its mistakes."""
    for line in lines:
        match line:
            case syntax.Argument(value=value):
                names.operand(value, scope)
            case syntax.Measure(event=event, where=where, within=within):
                hear(event, where, scope, within)
            case syntax.Variant(body=inner):
                yield from body(inner, scope)
            case _ if isinstance(line, syntax.Step):
                yield _step(line, scope)


def _send(line: syntax.Send, scope: Scope) -> program.Send:
    turned = line.template.text if line.template.text in scope.catalog.channels else None
    channel, name = names.channel(line.channel, scope, turned), line.template.text
    page = scope.catalog.templates.get((channel, name)) if channel else None
    if channel and page is None and (scope.catalog.templates or scope.catalog.templates_given):
        _no_template(channel, line.template, scope)
    arguments, whole = given(line.arguments, scope)
    return program.Send(
        span=line.span,
        at=line.template.span,
        channel=channel,
        template=name,
        arguments=arguments,
        page=page,
        whole=whole,
    )


def given(
    lines: tuple[syntax.Argument | syntax.Broken, ...], scope: Scope
) -> tuple[tuple[program.Argument, ...], bool]:
    """The lines `name = value` of a step's block, and whether none of them is broken."""
    arguments = tuple(
        program.Argument(span=line.name.span, name=line.name.text, value=names.operand(line.value, scope))
        for line in lines
        if isinstance(line, syntax.Argument)
    )
    return arguments, len(arguments) == len(lines)


def _recorded(lines: tuple[syntax.Argument | syntax.Broken, ...], scope: Scope) -> tuple[program.Argument, ...]:
    """What a record is given. Its types must be known, for amounts and times are written in their own way."""
    arguments, _ = given(lines, scope)
    for each, line in zip(arguments, (line for line in lines if isinstance(line, syntax.Argument)), strict=True):
        if isinstance(each.value, Field) and each.value.type is Type.ANY:
            name = each.value.name
            declared = f"`field {name} is number`"
            if each.value.scope == "event" and isinstance(scope.start, Event):
                declared = f"`event {scope.start.name}:` with `{name} is number` below"
            scope.tell(
                "WB249",
                line.value.span,
                f"Nothing says what `{written(each.value, scope.catalog.currency)}` is: text, a number or an amount.",
                f"Declare it: {declared}, or of another type.",
            )
    return arguments


def _set(line: syntax.Set, word: syntax.Word, value: syntax.Value, scope: Scope) -> program.SetField:
    field = outside.own_field(word, scope)
    meant = names.operand(value, scope, field.type if field else None)
    pair = compared(field, meant, "is", value, line, scope) if field and meant else None
    return program.SetField(span=line.span, field=pair[0] if pair else None, value=pair[1] if pair else None)


def _no_template(channel: str, word: syntax.Word, scope: Scope) -> None:
    name, templates = word.text, scope.catalog.templates
    others = sorted(other for other, known in templates if known == name)
    hint = did_you_mean(name, [known for other, known in templates if other == channel])
    if others:
        hint = f"There is one for {others[0]}: `send {others[0]} {name}`."
    ending = {"email": "html", "onsite": "html"}.get(channel, "txt")
    scope.tell(
        "WB204",
        word.span,
        f"There is no {channel} template called `{name}`.",
        hint or f"Make the file templates/{channel}/{name}.{ending}.",
    )


def _arm(branch: syntax.Branch, scope: Scope) -> program.Arm:
    asked = None if isinstance(branch.condition, syntax.Broken) else ask(branch.condition, scope)
    return program.Arm(span=branch.condition.span, asked=asked, body=body(branch.body, scope))


def _experiment(line: syntax.Experiment, scope: Scope) -> program.Experiment:
    variants, holdout, measure = [], None, None
    for part in line.lines:
        match part:
            case syntax.Variant():
                variants.append(
                    program.Variant(
                        span=part.name.span,
                        name=part.name.text,
                        share=float(part.share.amount),
                        body=body(part.body, scope),
                    )
                )
            case syntax.Holdout(share=share):
                holdout = float(share.amount)
            case syntax.Measure(event=event, where=where, within=within):
                measure = hear(event, where, scope, within)
            case syntax.Broken():
                pass  # told by the parser
    return program.Experiment(
        span=line.name.span,
        name=line.name.text,
        variants=tuple(variants),
        holdout=holdout,
        measure=measure,
        source=line,
    )
