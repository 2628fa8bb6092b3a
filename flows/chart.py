"""A backtest as a picture: three bar charts over the same days, as SVG that is readable in light and in dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from flows.played import Period, Played

WIDTH, LEFT, RIGHT = 960, 64, 224
TOP, HEIGHT, GAP, BOTTOM = 100, 120, 62, 46
MOST_SENDS = 4
"""So many templates have a colour of their own; the rest are one series."""
LONGEST = 27
"""Letters of a name that there is room for at the right."""
LABEL = 62
"""Pixels between two dates."""

STYLE = """
svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif }
.paper { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .line { stroke: #d1d9e0; stroke-width: 1 }
.big { font-size: 20px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 12px }
.a { fill: #2a6fdb } .b { fill: #e08a1e } .c { fill: #1f9d76 } .d { fill: #a450c8 } .e { fill: #8a94a0 }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9198a1 } .line { stroke: #3d444d }
  .a { fill: #5b9bff } .b { fill: #f0a94b } .c { fill: #3fc79a } .d { fill: #c98be6 } .e { fill: #8a94a0 }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    name: str
    colour: str
    """A class of STYLE."""
    value: Callable[[Period], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    title: str
    series: tuple[Series, ...]
    """The first is at the bottom."""


def svg(played: Played, *, period_days: int, heading: str) -> str:
    """The chart as one SVG document; `heading` says which days of which zone."""
    periods = played.periods(period_days)
    panels = _panels(played)
    height = TOP + len(panels) * (HEIGHT + GAP) - GAP + BOTTOM
    told = f"{played.plan.name}: {', '.join(panel.title.lower() for panel in panels)}. {heading}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(told)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        _text(LEFT, 36, f"Backtest of {played.plan.name}", "ink big"),
        _text(LEFT, 58, heading, "soft"),
    ]
    for number, panel in enumerate(panels):
        lines += _drawn(panel, periods, TOP + number * (HEIGHT + GAP))
    lines += _dates(periods, height - BOTTOM + 20)
    return "\n".join([*lines, "</svg>", ""])


def _panels(played: Played) -> list[Panel]:
    def sent(*which: tuple[str, str]) -> Callable[[Period], int]:
        return lambda period: sum(period.sent[each] for each in which)

    ranked = [send for send, _ in sorted(played.total.sent.items(), key=lambda each: (-each[1], each[0]))]
    own = ranked if len(ranked) <= MOST_SENDS + 1 else ranked[:MOST_SENDS]
    sends = [
        Series(name=" ".join(send), colour=colour, value=sent(send)) for send, colour in zip(own, "abcde", strict=False)
    ]
    if len(own) < len(ranked):
        sends.append(Series(name="others", colour="e", value=sent(*ranked[len(own) :])))
    held = played.plan.holdout > 0
    panels = [
        Panel(
            title="People who entered",
            series=(
                Series(name="not held out", colour="a", value=lambda period: period.entered - period.held_out),
                Series(name="held out", colour="e", value=lambda period: period.held_out),
            )[: 1 + held],
        ),
        Panel(title="Messages that would have been sent", series=tuple(sends)),
    ]
    if played.plan.goal is not None:
        panels.append(
            Panel(
                title=f"People who reached the goal ({played.plan.goal.event})",
                series=(
                    Series(name="not held out", colour="c", value=lambda period: period.converted),
                    Series(name="held out", colour="e", value=lambda period: period.converted_held_out),
                )[: 1 + held],
            )
        )
    return panels


def _drawn(panel: Panel, periods: Sequence[Period], top: int) -> Iterator[str]:
    bottom = top + HEIGHT
    highest = _round_up(max((sum(s.value(period) for s in panel.series) for period in periods), default=0))
    yield _text(LEFT, top - 14, panel.title, "ink head")
    yield from _legend(panel.series, top)
    for part in (0, 1, 2):
        y, value = bottom - HEIGHT * part / 2, highest * part / 2
        yield f'<line class="line" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        if value == int(value):
            yield _text(LEFT - 8, y + 4, f"{int(value):,}", "soft small", anchor="end")
    step = (WIDTH - LEFT - RIGHT) / len(periods)
    for number, period in enumerate(periods):
        y = float(bottom)
        for one in panel.series:
            value = one.value(period)
            size = HEIGHT * value / highest
            y -= size
            if value:
                name = f" {one.name}" if len(panel.series) > 1 else ""
                yield (
                    f'<rect class="{one.colour}" x="{LEFT + step * (number + 0.14):.1f}" y="{y:.1f}" '
                    f'width="{step * 0.72:.1f}" height="{size:.1f}">'
                    f"<title>{_when(period)}: {value:,}{escape(name)}</title></rect>"
                )


def _legend(series: Sequence[Series], top: float) -> Iterator[str]:
    """The names at the right, in the order in which they are stacked."""
    x = WIDTH - RIGHT + 18
    for number, one in enumerate(reversed(series)):
        y = top + 10 + number * 20
        name = one.name if len(one.name) <= LONGEST else one.name[: LONGEST - 1] + "…"
        yield f'<rect class="{one.colour}" x="{x}" y="{y - 10:.1f}" width="10" height="10" rx="2"/>'
        yield _text(x + 16, y, name, "soft small")


def _dates(periods: Sequence[Period], y: float) -> Iterator[str]:
    step = (WIDTH - LEFT - RIGHT) / len(periods)
    each = max(1, -int(-LABEL // step))
    for number, period in enumerate(periods):
        if number % each == 0:
            yield _text(
                LEFT + step * (number + 0.5), y, f"{period.start:%b} {period.start.day}", "soft small", "middle"
            )


def _when(period: Period) -> str:
    return f"{period.start:%a} {period.start}" if period.days == 1 else f"{period.days} days from {period.start}"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{where}>{escape(text)}</text>'


def _round_up(value: int) -> int:
    """The next of 2, 4, 10, 20, 40, 100, …: its half is whole too."""
    unit = 1
    while True:
        for first in (2, 4, 10):
            if value <= first * unit:
                return first * unit
        unit *= 10
