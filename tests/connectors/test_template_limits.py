"""Templates that would take all memory or all time end soon, with a RenderError; templates cannot reach Python."""

from __future__ import annotations

import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors.templates import RenderError, load_templates
from connectors.templates.limits import Limits

SHOP = {"name": "Shop", "address": "Street 1", "currency": "USD", "zone": "UTC", "url": "https://shop.example"}


def rendered(folder: Path, body: str, limits: Limits | None = None, **arguments: Any) -> str:
    """An SMS template's text."""
    (folder / "sms").mkdir(exist_ok=True)
    (folder / "sms" / "try.txt").write_text(body)
    templates = load_templates(folder, limits=limits or Limits())
    message = templates.render(
        "sms",
        "try",
        arguments=arguments,
        profile={"first_name": "Anna"},
        shop=SHOP,
        unsubscribe_url="https://shop.example/u",
        key="k",
        address="+4712345678",
        sender="Shop",
    )
    return message.content.decode()


NAMESPACE = "{% set n = namespace(x='ab', l=[1, 2], i=3) %}"
BOMBS = {
    "text times number": "{{ 'a' * 50000000 }}",
    "number times text": "{{ 50000000 * 'a' }}",
    "list times number": "{{ ([1] * 50000000) | length }}",
    "power": "{{ 10 ** 100000000 }}",
    "power of powers": "{{ 9 ** 9 ** 9 }}",
    "range": "{% for i in range(100000000) %}{% endfor %}",
    "range as list": "{{ range(99999) | list | length }}",
    "loops in loops": "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}x"
    "{% endfor %}{% endfor %}{% endfor %}",
    "empty loops in loops": "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "text that doubles by ~": NAMESPACE
    + "{% for i in range(200) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x | length }}",
    "text that doubles by +": NAMESPACE
    + "{% for i in range(200) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x | length }}",
    "list that doubles": NAMESPACE
    + "{% for i in range(200) %}{% set n.l = n.l + n.l %}{% endfor %}{{ n.l | length }}",
    "list in list": NAMESPACE + "{% for i in range(200) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l | string }}",
    "lists in lists compared": "{% set a = [1, 1] %}{% set b = [1, 1] %}"
    + "{% set a = [a, a] %}{% set b = [b, b] %}" * 40
    + "{{ 'same' if a == b else 'other' }}",
    "table in table": NAMESPACE
    + "{% for i in range(200) %}{% set n.l = {'a': n.l, 'b': n.l} %}{% endfor %}{{ n.l | string }}",
    "tuple in tuple": NAMESPACE + "{% for i in range(200) %}{% set n.l = (n.l, n.l) %}{% endfor %}{{ n.l | string }}",
    "dict in dict": NAMESPACE
    + "{% for i in range(200) %}{% set n.l = dict(a=n.l, b=n.l) %}{% endfor %}{{ n.l | string }}",
    "number that squares": NAMESPACE
    + "{% for i in range(200) %}{% set n.i = n.i * n.i %}{% endfor %}{{ n.i }}",
    "replace": "{{ 'aaaaaaaaaa' | replace('a', big) }}",
    "replace nothing": "{{ big | replace('', big) }}",
    "join": "{{ range(1000) | join(big) }}",
    "map": "{{ range(1000) | map('replace', '', big) | list | length }}",
    "map default": "{% for a in range(1000) %}{{ [big, big, big, big] | map('upper') | join | length }}{% endfor %}",
    "macro calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macro calls itself twice":
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "macro of text that doubles": "{% macro a() %}" + "x" * 1000 + "{% endmacro %}"
    + "".join(
        f"{{% macro {after}() %}}" + f"{{{{ {before}() }}}}" * 10 + "{% endmacro %}"
        for before, after in pairwise("abcdefghi")
    )
    + "{% set x = i() %}{{ x | length }}",
    "block of text that doubles": NAMESPACE
    + "{% for i in range(100) %}{% set y %}{{ n.x }}{{ n.x }}{% endset %}"
    "{% set n.x = y %}{% endfor %}{{ n.x | length }}",
    "call block": "{% macro m() %}{% for i in range(999) %}{{ caller() }}{% endfor %}{% endmacro %}"
    "{% call m() %}{% call m() %}{% call m() %}xxxxxxxxxx{% endcall %}{% endcall %}{% endcall %}",
    "long fixed text in a loop": "{% for i in range(1000) %}" + "x" * 2000 + "{% endfor %}",
    "center": "{{ 'a' | center(100000000) }}",
    "indent": "{{ 'a\nb' | indent(100000000) }}",
    "format": "{{ '%0999999999d' | format(1) }}",
    "percent": "{{ '%0999999999d' % 1 }}",
    "method ljust": "{{ 'a'.ljust(100000000) }}",
    "method zfill": "{{ 'a'.zfill(100000000) }}",
    "method format": "{{ '{:99999999}'.format(1) }}",
    "method join": "{{ big.join(['a', 'b'] ) }}",
    "method replace": "{{ big.replace('', big) }}",
    "method expandtabs": "{{ '\t\t'.expandtabs(100000000) }}",
    "method translate": "{{ 'aaaa'.translate({97: big}) }}",
    "batch": "{{ [1] | batch(100000000, 'x') | list | length }}",
    "slice": "{{ [1] | slice(100000000) | list | length }}",
    "round": "{{ 5 | round(-100000000) }}",
    "round up": "{{ 5 | round(100000000, 'ceil') }}",
    "lipsum": "{{ lipsum(100000) }}",
    "the longest argument": "{{ big }}{{ big }}",
    "work without output": "{% for i in range(1000) %}{% set x = big | upper %}{% endfor %}",
    "sort": "{% for i in range(1000) %}{% for j in range(9) %}{% set x = many | sort %}{% endfor %}{% endfor %}",
    "search in text":
        "{% for i in range(1000) %}{% for j in range(60) %}{% set x = 'b' in big %}{% endfor %}{% endfor %}",
    "sum of lists": "{{ many | map('list') | sum(start=[]) }}",
}  # fmt: skip


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_a_bomb_ends_soon_and_small(tmp_path: Path, body: str) -> None:
    big, many = "a" * 400_000, list(range(3000))
    rendered(tmp_path, "{{ 'ready' }}")
    tracemalloc.start()
    began = time.thread_time()
    with pytest.raises(RenderError) as error:
        rendered(tmp_path, body, big=big, many=many)
    took = time.thread_time() - began
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 6, "tracemalloc makes it some three times slower"
    assert most < 40_000_000
    assert len(str(error.value)) < 600


def test_the_clock_is_the_last_resort(tmp_path: Path) -> None:
    ticks = iter(range(1000))
    slow = Limits(clock=lambda: float(next(ticks)), seconds=3)
    with pytest.raises(RenderError, match="too long") as error:
        rendered(tmp_path, "{% for i in range(900) %}{{ i }}{% endfor %}", slow)
    assert error.value.reason == "template_too_long"


def test_limits_leave_room_for_real_messages(tmp_path: Path) -> None:
    items = [{"name": f"Thing {number}", "price": 1999, "tags": ["a", "b"]} for number in range(200)]
    body = (
        "{% for item in items %}{{ loop.index }}. {{ item.name | upper }} {{ item.price | money }} "
        "{% for tag in item.tags %}{{ tag }}{{ ', ' if not loop.last }}{% endfor %}\n{% endfor %}"
        "{{ items | sum(attribute='price') | money }} {{ items | map(attribute='name') | join(', ') | truncate(50) }}"
    )
    text = rendered(tmp_path, body, items=items)
    assert text.startswith("1. THING 0 $19.99 a, b\n2. THING 1")
    assert "$3,998.00 Thing 0, Thing 1" in text


ESCAPES = {
    "class": "{{ ''.__class__ }}",
    "mro": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "by attr filter": "{{ '' | attr('__class__') }}",
    "by item": "{{ ''['__class__'] }}",
    "globals of a macro": "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "globals of range": "{{ range.__globals__ }}",
    "by map": "{{ [''] | map(attribute='__class__') | list }}",
    "of a cycler": "{{ cycler.__init__.__globals__ }}",
    "of the template": "{{ self._TemplateReference__context }}",
    "of a namespace": "{{ namespace.__init__ }}",
    "change of an argument": "{{ items.append(1) }}",
    "clear of a table": "{{ table.clear() }}",
    "pop of a table": "{{ table.pop('a') }}",
    "call of an argument": "{{ call() }}",
    "format string": "{{ '{0.__class__}'.format(1) }}",
    "format map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "import": "{% import 'x' as y %}",
    "include": "{% include 'x' %}",
    "extends": "{% extends 'x' %}",
    "generator frame": "{{ (items | map('upper')).gi_frame }}",
    "environment": "{{ [''] | map('attr', '__class__') | list }}",
}


@pytest.mark.parametrize("body", ESCAPES.values(), ids=ESCAPES)
def test_a_template_stays_in_its_box(tmp_path: Path, body: str) -> None:
    table, items = {"a": 1}, ["x"]
    with pytest.raises(RenderError):
        text = rendered(tmp_path, body, table=table, items=items, call=lambda: "called")
        pytest.fail(f"it wrote {text!r}")
    assert (table, items) == ({"a": 1}, ["x"])
