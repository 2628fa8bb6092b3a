"""What the compiler is told of templates: their variables, and what is wrong with them, with file and line."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.templates import load_templates
from dsl.catalog import Template

FOOT = '{{ shop.address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a>'


def described(folder: Path, text: str, name: str = "email/try.html", **beside: str) -> Template:
    """The description of one template; `beside`: other files by suffix."""
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    for suffix, other in beside.items():
        path.with_suffix("." + suffix).write_text(other)
    (template,) = load_templates(folder / "templates").describe().values()
    return template


def body(text: str) -> str:
    return f"---\nsubject: Hi\n---\n{text}\n{FOOT}"


@pytest.mark.parametrize(
    ("text", "needed", "optional"),
    [
        ("{{ a }}", "a", ""),
        ("{{ a.b.c }}", "a", ""),
        ("{{ profile.first_name }} {{ shop.name }} {{ unsubscribe_url }}", "", ""),
        ("{% for item in items %}{{ item.name }} {{ loop.index }}{% endfor %}", "items", ""),
        ("{% for item in items %}{{ item.name }}{% endfor %}{{ item }}", "items item", ""),
        ("{% set x = a %}{{ x }}", "a", ""),
        ("{% if a is defined %}{{ a }}{% endif %}", "", "a"),
        ("{% if a is defined %}{{ a }}{% endif %}{{ a }}", "a", ""),
        ("{% if a is not defined %}x{% else %}{{ a }}{% endif %}", "", "a"),
        ("{% if a is undefined %}x{% elif a > 3 %}{{ a }}{% endif %}", "", "a"),
        ("{% if a is defined and a > 3 %}{{ a }}{% endif %}", "", "a"),
        ("{% if a is defined or b %}{{ a }}{% endif %}", "a b", ""),
        ("{% if a is not defined or a > 3 %}x{% endif %}", "", "a"),
        ("{% if not (a is defined) %}x{% else %}{{ a }}{% endif %}", "", "a"),
        ("{{ a | default('x') }}", "", "a"),
        ("{{ a | d(b) }}", "b", "a"),
        ("{{ a.b | default('x') }}", "a", ""),
        ("{{ a if a is defined else b }}", "b", "a"),
        ("{% if a %}x{% endif %}", "a", ""),
        ("{% macro m(x) %}{{ x }}{{ y }}{% endmacro %}{{ m(a) }}", "a y", ""),
        ("{{ range(3) | join }} {{ dict(a=1).a }}", "", ""),
        ("{{ a | nosuchfilter(b) }}", "a", ""),
    ],
)
def test_variables(tmp_path: Path, text: str, needed: str, optional: str) -> None:
    template = described(tmp_path, body(text))
    assert template.variables == set(needed.split())
    assert template.optional == set(optional.split())


def test_variables_of_all_parts_count_together(tmp_path: Path) -> None:
    text = "---\nsubject: {{ a }}\npreheader: {{ b | default('') }}\n---\n{{ c }}" + FOOT
    template = described(tmp_path, text, txt="{{ d }} {{ b }}")
    assert template.variables == {"a", "b", "c", "d"} and template.optional == set()
    assert template.problems == ()


def test_topics(tmp_path: Path) -> None:
    assert described(tmp_path / "1", body("")).topic == "marketing"
    assert described(tmp_path / "2", "---\nsubject: Hi\ntopic: offers\n---\n" + FOOT).topic == "offers"
    assert described(tmp_path / "3", "---\ntopic: offers\n---\nHi", "sms/try.txt").topic == "offers"


PROBLEMS = [
    (body("\n\n{{ a"), "email/try.html", ":7: Here should be `}}`, and here is `{`."),
    (
        body("{% if a %}x"),
        "email/try.html",
        ":5: Unexpected end of template. `if` is never closed; `elif` or `else` or `endif` was expected.",
    ),
    (body("Hi *|FNAME|*"), "email/try.html", ":4: `*|FNAME|*` would be sent as it stands."),
    (body("Hi { profile.city }"), "email/try.html", ":4: `{ profile.city }` would be sent as it stands. Write `{{ p"),
    (
        body("{{ profile.firstName }}"),
        "email/try.html",
        ":4: People have no `firstName`. Did you mean `profile.first_n",
    ),
    (body("{% endfor %}"), "email/try.html", ":4: There is no tag `endfor` here."),
    ("---\nsubject: {{ a\n---\n" + FOOT, "email/try.html", ":2: "),
    (body("{{ a b }}"), "email/try.html", ":4: Here should be `}}`, and here is `b`."),
    (body("{{ }}"), "email/try.html", ":4: Here should be a value, and here is `}}`."),
    (body("\n{{ a | moneyy }}"), "email/try.html", ":5: There is no filter `moneyy`. Did you mean `money`?"),
    (body("{{ a | random }}"), "email/try.html", ":4: There is no filter `random`. There are `abs`, "),
    (
        body("{% if a is definde %}{% endif %}"),
        "email/try.html",
        ":4: There is no test `definde`. Did you mean `defined`?",
    ),
    (body("\n{% include 'x' %}"), "email/try.html", ":5: `include` does not work here."),
    (body("{% extends 'x' %}"), "email/try.html", ":4: `extends` does not work here."),
    (body("{% for a in b recursive %}{% endfor %}"), "email/try.html", ":4: A loop cannot be `recursive`."),
    ("Hello " + FOOT, "email/try.html", ":1: The subject is missing. Write `subject: …`"),
    ("---\nsubject:\n---\n" + FOOT, "email/try.html", ":1: The subject is missing."),
    (
        "---\nsubject: Hi\nsubjekt: Ho\n---\n" + FOOT,
        "email/try.html",
        ":3: There is no `subjekt` here. An email template",
    ),
    ("---\nsubject: Hi\nsubject: Ho\n---\n" + FOOT, "email/try.html", ":3: `subject` stands here twice."),
    ("---\nsubject Hi\n---\n" + FOOT, "email/try.html", ":2: A line of the front matter is `key: value`."),
    ("---\nsubject: Hi\n" + FOOT, "email/try.html", ":1: The front matter never ends."),
    ("---\nsubject: Hi\ntopic: Big offers\n---\n" + FOOT, "email/try.html", ":3: A topic is one word"),
    (
        "---\nsubject: Hi\n---\n{{ shop.address }}",
        "email/try.html",
        ": This marketing e-mail lacks an unsubscribe link.",
    ),
    (
        "---\nsubject: Hi\n---\n{{ unsubscribe_url }}",
        "email/try.html",
        ": This marketing e-mail lacks the shop's postal",
    ),
    ("---\nsubject: Hi\ntopic: transactional\n---\n", "email/try.html", ": There is nothing in this template."),
    ("Hello", "email/try.txt", ": This is a text part alone. Write try.mjml or try.html beside it."),
    ("---\nsubject: Hi\n---\nHello", "sms/try.txt", ":2: There is no `subject` here. An sms template takes `topic`."),
    ("Hello", "push/try.txt", ":1: The title is missing."),
]


@pytest.mark.parametrize(("text", "name", "told"), PROBLEMS)
def test_problems_have_file_and_line(tmp_path: Path, text: str, name: str, told: str) -> None:
    (problem,) = described(tmp_path, text, name).problems
    assert problem.startswith(f"templates/{name}{told}")
    assert problem.endswith((".", "?"))


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("<mj-section>\n<mj-colum><mj-text>x</mj-text></mj-colum></mj-section>", ":5: MJML has no `<mj-colum>`."),
        ("<mj-section><mj-column>\n<mj-text>x</mj-column></mj-section>", ":5: `<mj-text>` is not closed before"),
        ("<mj-section><mj-column></mj-column></mj-section></mj-section>", ":4: `</mj-section>` closes nothing."),
        (
            "\n<mj-section><mj-column><mj-social>{% if 1 %}</mj-social></mj-column></mj-section>{% endif %}",
            ":5: The MJML",
        ),
        ("\n<mj-section><mj-column><mj-text>a <b x=y>c</b></mj-text></mj-column></mj-section>", ": The MJML"),
        ('<mj-include path="parts/none.mjml" />', ":4: There is no file `parts/none.mjml` in templates/email/."),
        ('<mj-include path="../../secret.mjml" />', ":4: There is no file `../../secret.mjml` in templates/email/."),
    ],
)
def test_problems_of_mjml(tmp_path: Path, inside: str, told: str) -> None:
    (tmp_path / "secret.mjml").write_text("secret")
    foot = f"<mj-section><mj-column><mj-text>{FOOT}</mj-text></mj-column></mj-section>"
    text = f"---\nsubject: Hi\n---\n<mjml><mj-body>{inside}{foot}</mj-body></mjml>"
    (problem,) = described(tmp_path, text, "email/try.mjml").problems
    assert problem.startswith(f"templates/email/try.mjml{told}")


def test_right_templates_have_no_problems(tmp_path: Path) -> None:
    text = (
        "---\nsubject: Hi\n---\n<mjml><mj-head><mj-attributes><mj-all font-family='x' />"
        "</mj-attributes></mj-head><mj-body>"
        "<!-- <mj-nothing> -->{% if a > 3 %}<mj-section><mj-column><mj-text>x<br>&nbsp;{{ '<mj-x>' }}</mj-text>"
        f"<mj-spacer /></mj-column></mj-section>{{% endif %}}<mj-raw>{FOOT}</mj-raw></mj-body></mjml>"
    )
    assert described(tmp_path, text, "email/try.mjml").problems == ()


def test_two_files_of_one_name(tmp_path: Path) -> None:
    text = f"---\nsubject: Hi\n---\n<mjml><mj-body><mj-raw>{FOOT}</mj-raw></mj-body></mjml>"
    (problem,) = described(tmp_path, text, "email/try.mjml", html=body("")).problems
    assert problem == "templates/email/try.html: try.mjml stands beside it. Remove one of the two."


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "templates" / "sms" / "try.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe\x00")
    (template,) = load_templates(tmp_path / "templates").describe().values()
    assert template.problems[0] == "templates/sms/try.txt: This file is not UTF-8. Save it as UTF-8."


def test_many_templates_are_described_quickly(tmp_path: Path) -> None:
    """Forty templates of some 60 lines: twice what is shipped."""
    lines = "\n".join(
        f"<p>{{{{ profile.first_name | default('you') }}}} {{% if a{n} is defined %}}{{{{ a{n} }}}}{{% endif %}}</p>"
        for n in range(50)
    )
    for number in range(20):
        path = tmp_path / "templates" / "email" / f"t{number}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body(lines))
    templates = load_templates(tmp_path / "templates")
    began = time.thread_time()
    assert len(templates.describe()) == 20
    assert time.thread_time() - began < 2


def test_describing_loads_nothing_that_only_sending_needs() -> None:
    """`winback check` asks for the templates and must be quick."""
    code = (
        "import sys; from pathlib import Path; from connectors.templates import load_templates;"
        "load_templates(Path('.')).describe();"
        "print([name for name in ('babel', 'aiosmtplib', 'pydantic', 'sqlalchemy', 'prefect') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
