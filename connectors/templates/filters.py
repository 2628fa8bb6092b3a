"""The filters that a template may use: a chosen part of Jinja2's, and `money` and `date`.

Left out of Jinja2's are those that make much out of little (`center`, `indent`, `format`, `wordwrap`, …), that differ
from one try to the next (`random`), and that no message needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context

from connectors.templates.errors import Refused, unknown
from connectors.templates.limits import Budget

BUDGET = " budget"
"""The name of the budget among the variables; no template can write it."""

_TAKEN = (
    "abs", "count", "dictsort", "first", "float", "groupby", "int", "items", "last", "length", "list", "max", "min",
    "reject", "rejectattr", "reverse", "safe", "select", "selectattr", "sort", "sum", "truncate", "unique",
)  # fmt: skip
_OF_TEXT = (
    "capitalize", "e", "escape", "lower", "string", "striptags", "title", "trim", "upper", "urlencode", "wordcount",
)  # fmt: skip
"""Of an unknown field these would make the text `None`."""


def budget(context: Context) -> Budget:
    """What is left for this rendering."""
    found = context[BUDGET]
    assert isinstance(found, Budget)
    return found


# ── Jinja2's, made safe ───────────────────────────────────────────────────────────────────────────────────────────────
def _of_something(name: str) -> Callable[..., Any]:
    """Jinja2's filter of texts, but it refuses an unknown value."""
    inner = FILTERS[name]

    @wraps(inner)
    def asking(value: Any, *args: Any, **kwargs: Any) -> Any:
        if value is None:
            raise unknown(f"The value to write with `{name}`")
        return inner(value, *args, **kwargs)

    return asking


def _default(value: Any, instead: Any = "", falsy: bool = False) -> Any:
    """Jinja2's, but a value that is None, as an unknown field is, counts as missing too."""
    if isinstance(value, Undefined) or value is None or (falsy and not value):
        return instead
    return value


@pass_context
def _join(context: Context, values: Iterable[Any], between: str = "", attribute: str | None = None) -> Any:
    items = list(budget(context).each(values))
    if attribute is not None:
        items = list(FILTERS["map"](context, items, attribute=attribute))
    if any(item is None for item in items):
        raise unknown("One of the values to join")
    budget(context).text(len(between) * len(items))
    for item in items:
        budget(context).weigh(item)
        if not isinstance(item, str | int | float):
            raise Refused("value_unwritable", "Only texts and numbers can be joined.")
    return FILTERS["join"](context.eval_ctx, items, between)


@pass_context
def _replace(context: Context, text: str, old: str, new: str, count: int | None = None) -> Any:
    if not old:
        raise Refused("template_error", "`replace` needs a text to look for.")
    budget(context).text(len(text) + str(text).count(old) * len(new))
    return FILTERS["replace"](context.eval_ctx, text, old, new, count)


@pass_context
def _map(context: Context, values: Iterable[Any], *names: Any, **options: Any) -> Iterator[Any]:
    for value in FILTERS["map"](context, values, *names, **options):
        budget(context).weigh(value)
        yield value


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if not -10 <= precision <= 10:
        raise Refused("template_error", "`round` takes at most 10 digits.")
    return float(FILTERS["round"](value, precision, method))


@pass_context
def _batch(context: Context, values: Iterable[Any], size: int) -> list[list[Any]]:
    """Rows of so many values, the last with the rest."""
    items = list(budget(context).each(values))
    if size < 1:
        raise Refused("template_error", "`batch` needs a size of at least 1.")
    return [items[start : start + size] for start in range(0, len(items), size)]


# ── Our own ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pass_context
def _money(context: Context, value: Any, cents: bool = True) -> str:
    """A sum in the shop's currency: `{{ item.price | money }}`. `money(cents=false)` leaves out `.00` of whole sums."""
    if isinstance(value, Undefined):
        str(value)
    if value is None:
        raise unknown("The sum to write with `money`")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(
            "value_not_money",
            "`money` takes a whole number of hundredths, as sums come from fields and playbooks.",
            "`{{ 1999 | money }}` is 19.99.",
        )
    shop = context["shop"]
    return _formatted_money(value, str(shop.get("currency") or "USD"), _locale(shop), cents or value % 100 != 0)


@lru_cache(maxsize=4096)
def _formatted_money(hundredths: int, currency: str, locale: str, cents: bool) -> str:
    from babel.numbers import UnknownCurrencyError, format_currency

    try:
        amount = Decimal(hundredths) / 100
        if cents:
            return format_currency(amount, currency, locale=locale)
        return format_currency(amount, currency, locale=locale, currency_digits=False, format=_whole(locale))
    except (UnknownCurrencyError, ValueError):
        raise Refused("setting_wrong", "The shop's currency or locale is not known.") from None


@lru_cache(maxsize=64)
def _whole(locale: str) -> str:
    from babel import Locale

    return str(Locale.parse(locale).currency_formats["standard"].pattern).replace(".00", "")


@pass_context
def _date(context: Context, value: Any, form: str = "long") -> str:
    """A day in words: `short` 12/24/26, `medium` Dec 24, 2026, `long` December 24, 2026, `full` with the weekday.

    A timestamp (microseconds since 1970, or a datetime) is the day where the shop is.
    """
    if isinstance(value, Undefined):
        str(value)
    if value is None:
        raise unknown("The day to write with `date`")
    if form not in ("short", "medium", "long", "full"):
        raise Refused("template_error", "`date` takes 'short', 'medium', 'long' or 'full'.")
    shop = context["shop"]
    return _formatted_date(_day(value, str(shop.get("zone") or "UTC")), form, _locale(shop))


def _day(value: Any, zone: str) -> date:
    try:
        match value:
            case datetime():
                return value.astimezone(ZoneInfo(zone)).date()
            case date():
                return value
            case str():
                return date.fromisoformat(value[:10])
            case int() if not isinstance(value, bool):
                since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
                return since.astimezone(ZoneInfo(zone)).date()
    except ZoneInfoNotFoundError:
        raise Refused("setting_wrong", "The shop's time zone is not known.") from None
    except (ValueError, OverflowError):
        pass
    raise Refused("value_not_date", "`date` takes a date or a timestamp, as they come from fields.")


@lru_cache(maxsize=1024)
def _formatted_date(day: date, form: Any, locale: str) -> str:
    from babel.dates import format_date

    try:
        return format_date(day, form, locale=locale)
    except ValueError:
        raise Refused("setting_wrong", "The shop's locale is not known.") from None


def _locale(shop: Any) -> str:
    return str(shop.get("locale") or "en_US").replace("-", "_")


ALLOWED: dict[str, Callable[..., Any]] = {
    **{name: FILTERS[name] for name in _TAKEN},
    **{name: _of_something(name) for name in _OF_TEXT},
    "default": _default, "d": _default, "join": _join, "replace": _replace, "map": _map, "round": _round,
    "batch": _batch, "money": _money, "date": _date,
}  # fmt: skip
"""By the name that a template uses."""
