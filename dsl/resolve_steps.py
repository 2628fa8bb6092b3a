"""Steps as written to steps as meant."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import program, syntax
from dsl import resolve_names as names
from dsl.resolve_conditions import ask, hear
from dsl.resolve_values import clock, seconds, weekday
from dsl.scope import Scope
from dsl.suggest import did_you_mean
from dsl.wording import plural


def body(lines: tuple[syntax.Step, ...], scope: Scope) -> tuple[program.Step, ...]:
    """The steps of a block, in order."""
    return tuple(_step(line, scope) for line in lines)


def _step(line: syntax.Step, scope: Scope) -> program.Step:
    match line:
        case syntax.Send():
            return _send(line, scope)
        case syntax.Wait():
            return _wait(line, scope)
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
    arguments = tuple(
        program.Argument(span=argument.name.span, name=argument.name.text, value=names.operand(argument.value, scope))
        for argument in line.arguments
        if isinstance(argument, syntax.Argument)
    )
    return program.Send(
        span=line.span,
        at=line.template.span,
        channel=channel,
        template=name,
        arguments=arguments,
        page=page,
        whole=len(arguments) == len(line.arguments),
    )


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


def _wait(line: syntax.Wait, scope: Scope) -> program.Wait:
    at = clock(line.clock.value) if line.clock else None
    length = line.duration
    count = f"{length.count} {plural(length.unit, length.count)}" if length else ""
    day = weekday(line.weekday) if line.weekday else None
    until = f"until {f'{day} ' if day else ''}{at}" if at else ""
    words = f"{count} {until}".strip()
    lasts = seconds(length) if length else None
    if at is None:
        return program.Wait(span=line.span, words=words, seconds=lasts)
    days = None if lasts is None else lasts // 86_400
    if length and length.unit in ("minute", "hour"):
        scope.tell(
            "WB304",
            length.span,
            f"`wait … until {at}` counts calendar days, and this counts {length.unit}s.",
            f"Write `wait 1 day until {at}`, or two lines: `wait {count}`, then `wait until {at}`.",
        )
        days = None
    return program.Wait(span=line.span, words=words, days=days, time=at, weekday=day)


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
