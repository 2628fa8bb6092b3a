"""Everything that people get wrong, and what goes wrong around them: each told with place, reason and way out, with
the exit code of the contract, nothing lost, no traceback, and no secret."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from store.engine import open_store
from tests.cli.conftest import EVENTS, NOON, Said, Winback, lines

PASSWORD = "hunter2-hunter2"
BOOK = """playbook mine:
  start when cart.total > $0
  enter once
  send email hello
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    name: str
    run: str
    """The arguments."""
    code: int
    place: str
    """How the error line begins after `Error: `, or a piece of a diagnostic's place."""
    reason: str
    way_out: str
    """A piece of the hint."""
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)
    """Written into the project; None: removed."""
    env: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[Path], None] | None = None


def playbook(text: str) -> dict[str, str | bytes | None]:
    return {"playbooks/mine.playbook": text}


def steps(*written: str) -> dict[str, str | bytes | None]:
    return playbook("\n".join(("playbook mine:", "  start when cart.total > $0", "  enter once", *written, "")))


def settings(text: str) -> dict[str, str | bytes | None]:
    return {"winback.toml": text}


def foreign(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "winback.db") as connection:
        connection.execute(statement)
    connection.close()


DIAGNOSTICS = [
    Bad(name="unknown field", run="check", code=1, place="mine.playbook:2:14", reason="totl", way_out="cart.total",
        files=playbook(BOOK.replace("total", "totl"))),
    Bad(name="type mismatch", run="check", code=1, place="mine.playbook:2:", reason="text", way_out="money",
        files=playbook(BOOK.replace("$0", '"much"'))),
    Bad(name="shares of 101%", run="check", code=1, place="mine.playbook:4:", reason="101%", way_out="100%",
        files=steps("  experiment try:", "    variant short 50%:", "      send email hello",
                    "    variant long 51%:", "      send email hello")),
    Bad(name="missing template", run="check", code=1, place="mine.playbook:4:", reason="helo", way_out="`hello`",
        files=playbook(BOOK.replace("hello", "helo"))),
    Bad(name="missing template variable", run="check", code=1, place="mine.playbook:4:", reason="coupon",
        way_out="coupon", files={**playbook(BOOK.replace("hello", "offer")), "templates/email/offer.html":
        "---\nsubject: Hello\n---\n<p>{{ coupon }} {{ shop.address }} <a href='{{ unsubscribe_url }}'>Stop</a></p>"}),
    Bad(name="playbook over 256 KiB", run="check", code=1, place="mine.playbook:", reason="was not read", way_out="262,144",
        files=playbook(BOOK + "# words\n" * 33_000)),
    Bad(name="playbook of control characters", run="check", code=1, place="mine.playbook:1:", reason="", way_out="",
        files=playbook("playbook \x00mine:\n")),
    Bad(name="mistakes stop plan", run="plan", code=1, place="mine.playbook:2:", reason="totl", way_out="cart.total",
        files=playbook(BOOK.replace("total", "totl"))),
    Bad(name="mistakes stop run", run="run welcome", code=1, place="mine.playbook:2:", reason="totl", way_out="cart.total",
        files=playbook(BOOK.replace("total", "totl"))),
    Bad(name="mistakes stop backtest", run="backtest welcome", code=1, place="mine.playbook:2:", reason="totl",
        way_out="cart.total", files=playbook(BOOK.replace("total", "totl"))),
    Bad(name="mistakes stop test", run="test", code=1, place="mine.playbook:2:", reason="totl", way_out="cart.total",
        files=playbook(BOOK.replace("total", "totl"))),
    Bad(name="a template that cannot be read", run="check", code=1, place="hello.html:4:", reason="", way_out="",
        files={**playbook(BOOK), "templates/email/hello.html": "---\nsubject: Hello\n---\n<p>{% if %}</p>"}),
    Bad(name="a slip in a scenario", run="check", code=1, place="mine.playbook:6:", reason="helo",
        way_out="`hello`", files=playbook(BOOK + 'scenario "x" for mine:\n  expect send email helo\n')),
    Bad(name="fmt leaves a broken file", run="fmt", code=1, place="mine.playbook:2:", reason="", way_out="",
        files=playbook(BOOK.replace("start", "strat"))),
]  # fmt: skip

# ruff: noqa: E501  a table is easier to read with long rows
ERRORS = [
    # ── The project ───────────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="no project", run="check", code=2, place="{folder}", reason="There is no winback.toml",
        way_out="winback init", files={"winback.toml": None}),
    Bad(name="broken winback.toml", run="check", code=2, place="{folder}/winback.toml", reason="line 1",
        way_out='"quotes"', files=settings("store = sqlite")),
    Bad(name="winback.toml not UTF-8", run="check", code=2, place="{folder}/winback.toml", reason="is not UTF-8",
        way_out="UTF-8", files={"winback.toml": b'[shop]\nname = "Caf\xe9"\n'}),
    Bad(name="unknown setting", run="plan", code=2, place="{folder}/winback.toml: shop.nmae", reason="not a setting",
        way_out="`shop.name`", files=settings('[shop]\nnmae = "Mine"\n')),
    Bad(name="unknown section", run="plan", code=2, place="{folder}/winback.toml: policy", reason="not a setting",
        way_out="The settings are", files=settings("[policy]\nquiet = true\n")),
    Bad(name="a section that is a value", run="plan", code=2, place="{folder}/winback.toml: shop",
        reason="is a section", way_out="[shop]", files=settings('shop = "Mine"\n')),
    Bad(name="a slip in a variable", run="plan", code=2, place="WINBACK_STROE", reason="not a setting",
        way_out="`WINBACK_STORE`", env={"WINBACK_STROE": "sqlite:///other.db"}),
    Bad(name="a slip in a section's variable", run="plan", code=2, place="WINBACK_SHOP__NMAE",
        reason="not a setting", way_out="`WINBACK_SHOP__NAME`", env={"WINBACK_SHOP__NMAE": "Mine"}),
    Bad(name="bad zone", run="check", code=2, place="{folder}/winback.toml: shop.time_zone", reason="`Oslo`",
        way_out="Europe/Oslo", files=settings('[shop]\ntime_zone = "Oslo"\n')),
    Bad(name="bad zone in the environment", run="check", code=2, place="WINBACK_SHOP__TIME_ZONE", reason="`Europe`",
        way_out="Europe/Oslo", env={"WINBACK_SHOP__TIME_ZONE": "Europe"}),
    Bad(name="bad currency", run="check", code=2, place="{folder}/winback.toml: shop.currency", reason="`dollars`",
        way_out="`USD`", files=settings('[shop]\ncurrency = "dollars"\n')),
    Bad(name="bad country", run="check", code=2, place="{folder}/winback.toml: shop.country", reason="`Norway`",
        way_out="`NO`", files=settings('[shop]\ncountry = "Norway"\n')),
    Bad(name="not a text", run="check", code=2, place="{folder}/winback.toml: shop.name", reason="string",
        way_out="docs/settings.md", files=settings("[shop]\nname = 7\n")),
    Bad(name="connector that is not there", run="plan", code=2, place="WINBACK_EMAIL", reason="`pigeon`",
        way_out="`smtp`", env={"WINBACK_EMAIL": "pigeon"}),
    Bad(name="SMTP without a URL", run="plan", code=2, place="WINBACK_SMTP_URL", reason="missing",
        way_out="smtp://user:password@host", env={"WINBACK_EMAIL": "smtp"}),
    Bad(name="SMTP URL that is none", run="plan", code=2, place="WINBACK_SMTP_URL", reason="not the URL",
        way_out="smtp://user:password@host", env={"WINBACK_EMAIL": "smtp",
        "WINBACK_SMTP_URL": f"smtp://me:{PASSWORD}@host:port"}),
    Bad(name="SMTP URL with a wrong option", run="plan", code=2, place="WINBACK_SMTP_URL", reason="`startls`",
        way_out="starttls", env={"WINBACK_EMAIL": "smtp",
        "WINBACK_SMTP_URL": f"smtp://me:{PASSWORD}@host?startls=yes"}),
    Bad(name="short secret", run="plan", code=2, place="WINBACK_SECRET", reason="too short",
        way_out="16 characters", env={"WINBACK_SECRET": "hunter2"}),
    Bad(name="another secret on the same store", run="plan", code=1, place="{folder}/winback.db",
        reason="another WINBACK_SECRET", way_out=".winback/secret", env={"WINBACK_SECRET": PASSWORD * 2}),
    # ── Playbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="playbook not UTF-8", run="check", code=2, place="{folder}/playbooks/mine.playbook:1",
        reason="is not UTF-8", way_out="UTF-8", files={"playbooks/mine.playbook": b"# caf\xe9\n"}),
    Bad(name="playbook that cannot be read", run="check", code=2, place="{folder}/playbooks/mine.playbook",
        reason="cannot be read", way_out="may read", before=lambda folder: (folder / "playbooks/mine.playbook").mkdir()),
    Bad(name="no such path", run="check playbook/mine", code=2, place="playbook/mine", reason="no such file",
        way_out=".playbook"),
    Bad(name="no playbooks", run="check templates", code=2, place="templates", reason="There is no playbook",
        way_out="winback init"),
    Bad(name="unknown playbook", run="plan abandoned", code=2, place="abandoned", reason="no playbook or audience of this name",
        way_out="abandoned_cart"),
    Bad(name="unknown playbook to explain", run="explain wellcome", code=2, place="wellcome", reason="no playbook or audience of this name",
        way_out="welcome"),
    Bad(name="unknown playbook to run", run="run abandoned", code=2, place="abandoned", reason="no playbook or audience of this name",
        way_out="abandoned_cart"),
    Bad(name="a slip in an audience to run", run="run recent_buyer", code=2, place="recent_buyer",
        reason="no playbook or audience", way_out="Did you mean `recent_buyers`?"),
    Bad(name="a slip in an audience to explain", run="explain recent_buyer", code=2, place="recent_buyer",
        reason="no playbook or audience", way_out="Did you mean `recent_buyers`?"),
    Bad(name="backtest of an audience", run="backtest recent_buyers", code=2, place="recent_buyers",
        reason="an audience", way_out="winback explain recent_buyers"),
    Bad(name="a code that is none", run="explain WB999", code=2, place="WB999", reason="no such code", way_out="docs/errors.md"),
    Bad(name="half a code", run="explain wb30", code=2, place="WB30", reason="no such code", way_out="docs/errors.md"),
    Bad(name="explain at a time that is none", run="explain welcome --as-of soon", code=2, place="--as-of", reason="`soon`",
        way_out="2026-11-20T09:00"),
    # ── Tests ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="no scenario of that name", run="test -k zzz", code=2, place="-k", reason="`zzz`", way_out="winback test"),
    Bad(name="no scenario of that name, for programs", run="test -k zzz --json", code=2, place="-k", reason="`zzz`",
        way_out="winback test"),
    Bad(name="test of a path that is not there", run="test playbook/mine", code=2, place="playbook/mine",
        reason="no such file", way_out=".playbook"),
    Bad(name="test of a folder without playbooks", run="test templates", code=2, place="templates", reason="no playbook",
        way_out="winback init"),
    Bad(name="test of a playbook not UTF-8", run="test", code=2, place="{folder}/playbooks/mine.playbook:1",
        reason="is not UTF-8", way_out="UTF-8", files={"playbooks/mine.playbook": b"# caf\xe9\n"}),
    Bad(name="fmt of a playbook not UTF-8", run="fmt", code=2, place="{folder}/playbooks/mine.playbook:1",
        reason="is not UTF-8", way_out="UTF-8", files={"playbooks/mine.playbook": b"# caf\xe9\n"}),
    Bad(name="fmt of a path that is not there", run="fmt --check mine", code=2, place="mine", reason="no such file",
        way_out=".playbook"),
    # ── Backtest ──────────────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="backtest of nothing", run="backtest abandoned", code=2, place="abandoned", reason="no playbook of this name",
        way_out="abandoned_cart"),
    Bad(name="backtest beside nothing", run="backtest welcome --with abandoned", code=2, place="abandoned",
        reason="no playbook of this name", way_out="abandoned_cart"),
    Bad(name="backtest from no time", run="backtest welcome --from x", code=2, place="--from", reason="`x`", way_out="2026-11-20"),
    Bad(name="backtest to no time", run="backtest welcome --to x", code=2, place="--to", reason="`x`", way_out="2026-11-20"),
    Bad(name="backtest backwards", run="backtest welcome --from 2026-11-18 --to 2026-11-10", code=2, place="--from",
        reason="not before --to", way_out="earlier"),
    Bad(name="backtest before all events", run="backtest welcome --from 2020-01-01", code=2, place="--from",
        reason="before the first event", way_out="2026-11-01"),
    Bad(name="backtest after all events", run="backtest welcome --from 2030-01-01", code=2, place="--from",
        reason="after the newest event", way_out="2026-11-18"),
    Bad(name="backtest every fortnight", run="backtest welcome --every fortnight", code=2, place="--every",
        reason="`fortnight`", way_out="15 minutes"),
    Bad(name="a chart that is no SVG", run="backtest welcome --chart c.png", code=2, place="--chart", reason="c.png", way_out="SVG"),
    Bad(name="a chart in no folder", run="backtest welcome --chart charts/c.svg", code=2, place="charts", reason="no such folder",
        way_out="Make it"),
    Bad(name="bad --as-of", run="plan --as-of tomorrow", code=2, place="--as-of", reason="`tomorrow`",
        way_out="2026-11-20T09:00"),
    Bad(name="--as-of that is no date", run="plan --as-of 2026-02-30", code=2, place="--as-of",
        reason="`2026-02-30`", way_out="2026-11-20T09:00"),
    # ── The store ─────────────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="store URL that is none", run="plan", code=1, place="WINBACK_STORE", reason="not the URL",
        way_out="sqlite:///winback.db", env={"WINBACK_STORE": "winback"}),
    Bad(name="store of another kind", run="plan", code=1, place="oracle://me@host/db", reason="not the URL",
        way_out="sqlite:///winback.db", env={"WINBACK_STORE": "oracle://me@host/db"}),
    Bad(name="PostgreSQL that is not there", run="plan", code=1, place="postgresql://me:***@127.0.0.1:1/shop",
        reason="does not answer", way_out="server runs",
        env={"WINBACK_STORE": f"postgresql://me:{PASSWORD}@127.0.0.1:1/shop"}),
    Bad(name="store in a folder that is not there", run="plan", code=1, place="{folder}/data/winback.db",
        reason="cannot be opened", way_out="folder exists", env={"WINBACK_STORE": "sqlite:///data/winback.db"}),
    Bad(name="store that is no database", run="plan", code=1, place="{folder}/other.db", reason="not a SQLite database",
        way_out="WINBACK_STORE", files={"other.db": "these are words, and not a database\n" * 50},
        env={"WINBACK_STORE": "sqlite:///other.db"}),
    Bad(name="read-only database", run="import events.jsonl --restart", code=1, place="file:{folder}/winback.db",
        reason="only be read", way_out="WINBACK_STORE",
        env={"WINBACK_STORE": "sqlite:///file:{folder}/winback.db?mode=ro&uri=true"}),
    Bad(name="locked database", run="import events.jsonl --restart", code=1, place="{folder}/winback.db",
        reason="Another program is writing", way_out="Nothing was changed"),
    Bad(name="store of a newer version", run="plan", code=1, place="{folder}/winback.db", reason="newer winback",
        way_out="Install", before=partial(foreign, statement="UPDATE alembic_version SET version_num = '9999'")),
    Bad(name="somebody else's database", run="plan", code=1, place="{folder}/theirs.db", reason="`recipes`",
        way_out="empty database", env={"WINBACK_STORE": "sqlite:///theirs.db"},
        before=lambda folder: sqlite3.connect(folder / "theirs.db").execute("CREATE TABLE recipes (name)").close()),
    # ── Files to import ───────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="no such file", run="import nothing.jsonl", code=2, place="nothing.jsonl", reason="no such file",
        way_out="Name"),
    Bad(name="a folder", run="import playbooks", code=2, place="playbooks", reason="a folder", way_out="Name"),
    Bad(name="CSV without a mapping", run="import orders.csv", code=2, place="orders.csv", reason="not known",
        way_out="--map", files={"orders.csv": "a,b\n1,2\n"}),
    Bad(name="mapping that is not there", run="import orders.csv --map no.toml", code=2, place="no.toml",
        reason="no such file", way_out="mapping", files={"orders.csv": "a,b\n1,2\n"}),
    Bad(name="mapping that is not TOML", run="import orders.csv --map map.toml", code=2, place="map.toml",
        reason="line 1", way_out="Correct", files={"orders.csv": "a,b\n1,2\n", "map.toml": "event = b\n"}),
    Bad(name="mapping of an unknown key", run="import orders.csv --map map.toml", code=2, place="map.toml: evnt",
        reason="no such setting", way_out="event", files={"orders.csv": "a,b\n1,2\n", "map.toml": 'evnt = "b"\n'}),
    Bad(name="mapping of an address outside [traits]", run="import orders.csv --map map.toml", code=2, place="map.toml: email",
        reason="no such setting", way_out="[traits]", files={"orders.csv": "a,b\n1,2\n", "map.toml": 'event = "b"\nemail = "a"\n'}),
    Bad(name="decimals after a semicolon", run="import orders.csv --map map.toml", code=2, place="map.toml: properties.n.decimal",
        reason="';'", way_out='"." or ","', files={"orders.csv": "a,b\n1,2\n",
        "map.toml": 'event = "b"\nuser_id = "a"\n[properties]\nn = { column = "a", as = "number", decimal = ";" }\n'}),
    Bad(name="decimals of a text", run="import orders.csv --map map.toml", code=2, place="map.toml: properties.n.decimal",
        reason="Only numbers", way_out='as = "number"', files={"orders.csv": "a,b\n1,2\n",
        "map.toml": 'event = "b"\nuser_id = "a"\n[properties]\nn = { column = "a", decimal = "," }\n'}),
    Bad(name="mapping of a column that is not there", run="import orders.csv --map map.toml", code=2,
        place="orders.csv", reason="'c'", way_out="mapping",
        files={"orders.csv": "a,b\n1,2\n", "map.toml": 'event = "c"\nuser_id = "a"\n'}),
    Bad(name="empty CSV", run="import orders.csv --map map.toml", code=2, place="orders.csv", reason="empty",
        way_out="first line", files={"orders.csv": "", "map.toml": 'event = "c"\nuser_id = "a"\n'}),
    Bad(name="reject file that cannot be written", run="import bad.jsonl", code=2,
        place="{folder}/rejects/bad.jsonl", reason="cannot be written", way_out="folder",
        files={"bad.jsonl": "{\n", "rejects": "a file, not a folder"}),
    # ── The rest ──────────────────────────────────────────────────────────────────────────────────────────────────────
    Bad(name="a secret in the file", run="plan", code=2, place="{folder}/winback.toml: secret", reason="A key",
        way_out="WINBACK_SECRET", files=settings('secret = "hunter2-hunter2-hunter2"\n')),
    Bad(name="a password in the file", run="plan", code=2, place="{folder}/winback.toml: smtp_url", reason="A password",
        way_out="WINBACK_SMTP_URL", files=settings('smtp_url = "smtp://me:hunter2@host"\n')),
    Bad(name="init twice", run="init .", code=2, place="winback.toml", reason="a project already",
        way_out="another folder"),
    Bad(name="init where a file is", run="init events.jsonl", code=2, place="events.jsonl", reason="there is a file",
        way_out="another"),
    Bad(name="init inside a file", run="init events.jsonl/shop", code=2, place="events.jsonl/shop", reason="there is a file",
        way_out="another"),
    Bad(name="demo into a folder with files", run="demo playbooks", code=2, place="playbooks", reason="not empty",
        way_out="winback demo"),
    Bad(name="state that is none", run="outbox list --state lost", code=2, place="--state", reason="`lost`",
        way_out="unknown"),
    Bad(name="message that is not in doubt", run="outbox resolve 77 --sent", code=1, place="77",
        reason="no such message", way_out="winback outbox list"),
    Bad(name="nobody of that name", run="profile show eve", code=1, place="eve", reason="knows nobody", way_out="e-mail"),
    Bad(name="project that is not there", run="check --project elsewhere", code=2, place="elsewhere",
        reason="no such folder", way_out="winback init"),
]  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", ["check", "check --json", "plan --json", "test", "fmt", "explain WB203"])
def test_a_full_disk_behind_the_output(arguments: str, stocked: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "cli", *arguments.split(), "--project", str(stocked)] if "WB" not in arguments
            else [sys.executable, "-m", "cli", *arguments.split()],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2], check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: What this writes to: No space left on device.\n  Hint: Make room")
    assert len(ran.stderr.splitlines()) == 2


USAGE = ["", "chekc", "check --formt json", "check --format yaml", "run", "outbox", "outbox resolve x --sent",
         "outbox resolve 1", "import", "explain", "profile", "profile show", "demo --customers 3",
         "run welcome --limit 0", "ui --port 99999",
         "plan --days 0", "plan --days 61", "plan --days soon", "backtest", "lsp --port 1", "fmt --chek"]  # fmt: skip
"""What the parser of the command line itself refuses."""


@pytest.mark.parametrize("bad", [*DIAGNOSTICS, *ERRORS], ids=lambda bad: bad.name)
def test_is_told_with_place_reason_and_way_out(
    bad: Bad, stocked: Path, winback: Winback, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = content(stocked)
    for name, text in bad.files.items():
        path = stocked / name
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
    for name, value in bad.env.items():
        monkeypatch.setenv(name, value.replace("{folder}", str(stocked)))
    if bad.before:
        bad.before(stocked)
    holder = None
    if bad.name == "locked database":
        monkeypatch.setattr("store.engine.open_store", partial(open_store, busy_seconds=0.2))
        holder = sqlite3.connect(stocked / "winback.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
    said = winback(*bad.run.split())
    if holder:
        holder.close()
    print(said.err, said.out)
    in_form(said, bad.code)
    assert bad.reason in said.err
    assert bad.way_out in said.err
    place = bad.place.format(folder=stocked)
    if bad in ERRORS:
        assert said.err.startswith(f"Error: {place}")
        assert said.err.count("  Hint: ") == 1
    else:
        assert place in said.err
        assert "Hint: " in said.err
    assert content(stocked) == was


@pytest.mark.parametrize("arguments", USAGE, ids=lambda each: each or "nothing")
def test_wrong_use_is_told_with_the_usage(arguments: str, winback: Winback) -> None:
    said = winback(*arguments.split())
    assert said.code == 2
    assert "Usage: winback" in said.err + said.out
    assert not said.err or "─ Error ─" in said.err
    assert "Traceback" not in said.err


JSONL: tuple[tuple[str, bytes | dict[str, object], str], ...] = (
    ("not JSON", b'{"type": "track", "event": ', "JSON"),
    ("not an object", b"[1, 2]", "object"),
    ("not UTF-8", b'{"type": "track", "event": "Caf\xe9", "userId": "u"}', "UTF-8"),
    ("unknown type", {"type": "tack", "event": "X", "userId": "u"}, "tack"),
    ("no type", {"event": "X", "userId": "u"}, "type"),
    ("nobody", {"type": "track", "event": "X"}, "userId"),
    ("no event", {"type": "track", "userId": "u"}, "event"),
    ("a time that is none", {"type": "track", "event": "X", "userId": "u", "timestamp": "yesterday"}, "yesterday"),
    ("a time that no calendar has", {"type": "track", "event": "X", "userId": "u", "timestamp": "2026-02-30T00:00:00Z"},
     "2026-02-30"),
    ("a price that is none", {"type": "track", "event": "Product Added", "userId": "u", "timestamp":
     "2026-11-01T00:00:00Z", "properties": {"product_id": "p", "price": "cheap"}}, "cheap"),
    ("consent that is none", {"type": "identify", "userId": "u", "traits": {"email_consent": "maybe"}}, "maybe"),
    ("properties that are none", {"type": "track", "event": "X", "userId": "u", "properties": [1]}, "properties"),
    ("an address that is none", {"type": "identify", "userId": "u", "traits": {"email": "ada at home"}}, "email"),
    ("an id with another body", {**EVENTS[1], "properties": {"product_id": "other"}}, "m2"),
    ("a line that is too long", b'{"type": "track", "event": "X", "userId": "' + b"u" * 3_000_000 + b'"}', "long"),
)  # fmt: skip


@pytest.mark.parametrize(("bad", "reason"), [each[1:] for each in JSONL], ids=[each[0] for each in JSONL])
def test_a_bad_line_goes_to_the_reject_file_and_the_rest_is_imported(
    bad: bytes | dict[str, object], reason: str, stocked: Path, winback: Winback
) -> None:
    good = {"type": "identify", "userId": "eve", "timestamp": "2026-11-01T10:00:00Z", "traits": {"first_name": "Eve"}}
    lines(stocked / "more.jsonl", good, bad, {**good, "userId": "dan"})
    said = winback("import", "more.jsonl")
    print(said.err, said.out)
    assert said.code == 1
    assert "2 imported" in said.out
    assert "1 rejected" in said.out
    assert "rejects/more.jsonl" in said.err
    assert "Traceback" not in said.err
    (row,) = [json.loads(line) for line in (stocked / "rejects" / "more.jsonl").read_text().splitlines()]
    assert row["line"] == 2
    print(row["reason"])
    assert reason in row["reason"]
    assert row["text"]
    assert winback("profile", "show", "dan").code == 0


def in_form(said: Said, code: int) -> None:
    """The exit code, and nothing that nobody should see."""
    assert said.code == code
    assert "Traceback" not in said.err
    assert "hunter2" not in said.err + said.out
    assert "\x1b[" not in said.err + said.out


def content(folder: Path) -> list[tuple[object, ...]]:
    """What the store holds of people, events and messages."""
    with sqlite3.connect(folder / "winback.db") as connection:
        found = [
            row
            for table in ("profiles", "events", "identities", "enrollments", "outbox", "suppressions")
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]
    connection.close()
    return found


def test_no_audience_is_told_of_while_the_only_playbook_has_a_mistake(project: Path, winback: Winback) -> None:
    for path in (project / "playbooks").glob("*.playbook"):
        path.unlink()
    (project / "playbooks/all.playbook").write_text(
        'audience buyers on facebook:\n  about "Buyers."\n  include when orders.count >= 1\n\n'
        "playbook broken:\n  start on signed_up\n  enter once\n  send emial hello\n"
    )
    said = winback("run", "buyers", "--as-of", NOON)
    assert said.code == 1
    assert "There is no channel called `emial`." in said.err + said.out
    assert "1 mistake in the playbooks: nothing was run." in said.err
