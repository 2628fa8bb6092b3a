"""Each command as a contract: exit codes, the shapes of `--json`, help, and quiet streams."""

from __future__ import annotations

import json
import os
import pty
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from cli import app
from cli.init import below
from tests.cli.conftest import EVENTS, NOON, Winback, lines

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "playbooks"
BROKEN = "playbook mine:\n  start when cart.totl > $0\n  enter once\n  send email hello\n"


def commands() -> Iterator[str]:
    """Every command by its words: `check`, `outbox list`."""

    def below(group: click.Group, words: tuple[str, ...]) -> Iterator[str]:
        for name, command in group.commands.items():
            here = (*words, name)
            if hasattr(command, "commands"):
                yield from below(command, here)
            else:
                yield " ".join(here)

    return below(typer.main.get_command(app), ())  # type: ignore[arg-type]


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A Python process that sees the packages from here."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": ""},
    )  # fmt: skip


# ── All commands ──────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("command", ["", *commands(), "outbox", "profile"])
def test_help(command: str, winback: Winback) -> None:
    said = winback(*command.split(), "--help")
    assert said.code == 0
    assert f"Usage: winback {command}".rstrip() in said.out
    assert said.err == ""
    assert winback(*command.split(), "-h").out == said.out


def test_every_command_of_this_issue_is_there() -> None:
    assert set(commands()) == {
        "demo", "init", "check", "fmt", "explain", "import", "plan", "run", "profile show", "outbox list",
        "outbox resolve", "ui", "lsp", "backtest", "test", "pause", "resume", "move", "adopt", "outbox show",
        "outbox replay",
    }  # fmt: skip


QUICK = (
    ("check",), ("fmt", "--check"), ("explain", "abandoned_cart"), ("plan",), ("import", "events.jsonl"),
    ("outbox", "list"), ("profile", "show", "ada"), ("init", "another"),
)  # fmt: skip


def test_commands_that_run_no_flow_load_no_prefect(stocked: Path) -> None:
    script = """
import json, sys
from cli import main
told = {}
for words in json.loads(sys.argv[1]):
    sys.argv = ["winback", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    told[" ".join(words)] = [name for name in json.loads(HEAVY) if name in sys.modules]
print(json.dumps(told))
""".replace("HEAVY", repr(json.dumps(["prefect"])))
    done = python("-c", script, json.dumps(QUICK), cwd=stocked)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told) == len(QUICK)
    assert not any(told.values()), told


def test_check_of_the_shipped_playbooks_loads_little_and_takes_less_than_a_second(tmp_path: Path) -> None:
    for name, content in _shipped():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    script = """
import sys
from cli import main
sys.argv = ["winback", "check"]
try:
    main()
finally:
    print(*(name for name in ("prefect", "sqlalchemy", "pydantic_settings", "cli.demo.telling", "cli.demo.shop",
                              "rich.table", "rich.progress", "rich.syntax", "alembic") if name in sys.modules))
"""
    done = python("-c", script, cwd=tmp_path)
    assert done.stdout.splitlines() == ["✓ 7 files, 7 playbooks: no mistakes.", ""], done.stderr
    wall, used = [], []
    for _ in range(5):
        began, before = time.monotonic(), _seconds()
        assert python("-m", "cli", "check", cwd=tmp_path).returncode == 0
        wall.append(time.monotonic() - began)
        used.append(_seconds() - before)
    print(f"check: median {statistics.median(wall):.2f} s, {statistics.median(used):.2f} s of the processor")
    # Processor seconds: other programs on the machine do not count.
    assert statistics.median(used) < 1


def _shipped() -> list[tuple[str, bytes]]:
    """The files of a new project without a store."""
    found = [(f"playbooks/{path.name}", path.read_bytes()) for path in SHIPPED.glob("*.playbook")]
    found += [(f"templates/{name}", content) for name, content in below(SHIPPED / "templates").items()]
    return [*found, ("winback.toml", (SHIPPED / "winback.toml").read_bytes())]


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_pipe_gets_no_colour_and_no_bar_and_a_terminal_gets_both(stocked: Path) -> None:
    lines(stocked / "many.jsonl", *({**EVENTS[1], "messageId": f"n{n}"} for n in range(6_000)))
    piped = python("-m", "cli", "import", "many.jsonl", cwd=stocked)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert "\x1b" not in piped.stdout
    shown = _on_a_terminal("import", "many.jsonl", "--restart", cwd=stocked)
    assert "\x1b[" in shown
    assert "many.jsonl" in shown
    assert "━" in shown


def _on_a_terminal(*arguments: str, cwd: Path) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments], cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    read = b""
    try:
        while block := os.read(ours, 65536):
            read += block
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return read.decode(errors="replace")


# ── One by one ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_init_then_check_and_plan_work_at_once(
    tmp_path: Path, winback: Winback, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = winback("init", "new/shop")
    assert made.code == 0
    assert "cd new/shop" in made.out
    monkeypatch.chdir(tmp_path / "new" / "shop")
    assert winback("check").code == 0
    assert winback("fmt", "--check").code == 0
    assert not Path("winback.db").exists()
    said = winback("plan", "--json")
    assert said.code == 0
    assert {p["name"]: p["enters"] for p in said.json["playbooks"]} == dict.fromkeys(
        ["abandoned_cart", "browse_abandonment", "came_back", "make_it_good", "review_request", "welcome", "win_back"],
        0,
    )
    assert Path(".winback/secret").stat().st_mode & 0o777 == 0o600


def test_init_leaves_files_that_are_there(tmp_path: Path, winback: Winback) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "welcome.playbook").write_text("# mine\n")
    (tmp_path / "notes.txt").write_text("mine")
    assert winback("init").code == 0
    assert (tmp_path / "playbooks" / "welcome.playbook").read_text() == "# mine\n"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    toml = (tmp_path / "winback.toml").read_text()
    assert winback("init").code == 2
    assert (tmp_path / "winback.toml").read_text() == toml


def test_check_json(project: Path, winback: Winback) -> None:
    assert winback("check", "--json").json == {"problems": [], "notes": []}
    (project / "playbooks" / "mine.playbook").write_text(BROKEN)
    said = winback("check", "--json")
    assert said.code == 1
    assert said.err == ""
    (problem,) = said.json["problems"]
    assert problem == {
        "code": "WB201", "severity": "error", "file": "playbooks/mine.playbook", "line": 2, "column": 14,
        "end_line": 2, "end_column": 23, "message": problem["message"], "hint": "Did you mean `cart.total`?",
    }  # fmt: skip
    assert "cart.totl" in problem["message"]
    assert winback("check", "--format", "json").json == said.json


def test_check_for_github(project: Path, winback: Winback) -> None:
    (project / "playbooks" / "mine.playbook").write_text(BROKEN)
    said = winback("check", "--format", "github")
    assert said.code == 1
    assert said.out.startswith("::error file=playbooks/mine.playbook,line=2,col=14,endColumn=23,title=WB201::")
    assert "\n" not in said.out.rstrip("\n")


def test_check_of_one_file_tells_only_of_it(project: Path, winback: Winback) -> None:
    (project / "playbooks" / "mine.playbook").write_text(BROKEN)
    assert winback("check", "playbooks/welcome.playbook").code == 0
    assert winback("check", "playbooks/mine.playbook").code == 1


def test_fmt(project: Path, winback: Winback) -> None:
    book = project / "playbooks" / "welcome.playbook"
    form = book.read_text()
    book.write_text(form.replace("  enter once", "  enter   once"))
    book.chmod(0o640)
    said = winback("fmt", "--check", "--json")
    assert said.code == 1
    assert set(said.json) == {"changed", "broken", "files"}
    assert (said.json["broken"], said.json["files"]) == ([], 7)
    assert [Path(name).name for name in said.json["changed"]] == ["welcome.playbook"]
    assert book.read_text() != form
    assert winback("fmt").code == 0
    assert book.read_text() == form
    assert book.stat().st_mode & 0o777 == 0o640
    assert winback("fmt", "--check").code == 0


@pytest.mark.usefixtures("stocked")
def test_explain_json(winback: Winback) -> None:
    told = winback("explain", "abandoned_cart", "--as-of", NOON, "--json").json
    assert set(told) == {"name", "version", "steps", "conditions", "plan"}
    assert told["name"] == "abandoned_cart"
    assert [step["text"] for step in told["steps"]][:2] == ["if cart.total >= $50", "send email cart_free_shipping"]
    assert all(set(step) == {"id", "depth", "text"} for step in told["steps"])
    first = told["conditions"][0]
    assert set(first) == {"name", "sql", "query_plan"}
    assert first["name"] == "start when"
    assert "cart_updated_at" in first["sql"]
    assert first["query_plan"]
    assert "cart_updated_at" in winback("explain", "abandoned_cart", "--as-of", NOON).out
    names = [asked["name"] for asked in winback("explain", "welcome", "--as-of", NOON, "--json").json["conditions"]]
    assert names[:3] == ["start on signed_up", "only if", "leave on order_completed"]


@pytest.mark.usefixtures("stocked")
def test_explain_an_audience(winback: Winback) -> None:
    told = winback("explain", "window_shoppers", "--as-of", NOON, "--json").json
    assert set(told) == {"name", "connector", "lines", "conditions"}
    assert (told["name"], told["connector"]) == ("window_shoppers", "facebook")
    assert told["lines"][2] == "include when has product_viewed in the last 7 days"
    assert told["lines"][-1] == "bid = $4"
    (members,) = told["conditions"]
    assert "product_viewed" in members["sql"]
    assert members["query_plan"]
    said = winback("explain", "lapsed_customers", "--as-of", NOON).out
    assert "added by playbooks" in said
    assert "memberships" in said


def test_import_json(project: Path, winback: Winback) -> None:
    lines(project / "events.jsonl", *EVENTS, EVENTS[2], b"{")
    said = winback("import", "events.jsonl", "--json")
    assert said.code == 1
    told = said.json
    assert {name: told[name] for name in ("read", "imported", "duplicates", "rejected")} == {
        "read": 5, "imported": 3, "duplicates": 1, "rejected": 1,
    }  # fmt: skip
    assert told["reject_file"] == str(project / "rejects" / "events.jsonl")
    assert told["seconds"] >= 0
    lines(project / "good.jsonl", *EVENTS)
    said = winback("import", "good.jsonl", "--json")
    assert said.code == 0
    assert said.json["reject_file"] is None
    assert said.json["duplicates"] == 3


def test_files_of_one_name_have_reject_files_of_their_own(project: Path, winback: Winback) -> None:
    for folder in ("may", "june"):
        (project / folder).mkdir()
        lines(project / folder / "events.jsonl", b"{", folder.encode())
    told = winback("import", "may/events.jsonl", "june/events.jsonl", "--json").json
    assert told["rejected"] == 4
    kept = [Path(name).read_text() for name in told["reject_files"]]
    assert ["may" in kept[0], "june" in kept[1]] == [True, True]


def test_plan_json_and_that_nothing_is_kept(stocked: Path, winback: Winback) -> None:
    said = winback("plan", "abandoned_cart", "--as-of", NOON, "--json")
    assert said.code == 0
    (told,) = said.json["playbooks"]
    assert {"name", "version", "enters", "holdout", "leaves", "inside", "sends", "crm", "audiences"} <= set(told)
    assert (told["name"], told["enters"], told["leaves"], told["inside"]) == ("abandoned_cart", 1, 0, 0)
    assert (told["crm"], told["audiences"]) == ([], [])
    send = next(send for send in told["sends"] if send["template"] == "cart_free_shipping")
    assert {"channel", "template", "step", "people"} <= set(send)
    assert send["people"] + told["holdout"] == 1
    assert winback("plan", "abandoned_cart", "--as-of", NOON, "--json").json["playbooks"][0]["enters"] == 1
    assert winback("outbox", "list", "--json").json == {"messages": []}
    assert not (stocked / "outbox").exists()


def test_the_whole_way_of_a_message(stocked: Path, winback: Winback) -> None:
    """A dry run keeps nothing, a run writes one message, and the person's page tells why."""
    (stocked / "playbooks" / "mine.playbook").write_text(
        "playbook mine:\n  start when cart.total > $0\n  enter once\n  if can receive email:\n    send email hello\n"
        "  otherwise:\n    wait 1 day\n  send sms cart_last_call\n"
    )
    dry = winback("run", "mine", "--as-of", NOON, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    (told,) = dry.json["playbooks"]
    assert dry.json["dry_run"] is True
    assert {"name", "entered", "left", "sent", "failed", "skipped", "waiting", "seconds"} <= set(told)
    assert (told["name"], told["entered"], told["sent"], told["waiting"]) == ("mine", 2, 1, 1)
    assert told["skipped"] == {"no_consent": 1}
    assert not (stocked / "outbox").exists()
    done = winback("run", "mine", "--as-of", NOON, "--json")
    assert (done.code, done.json["playbooks"][0]["sent"]) == (0, 1), done.err
    assert len(list((stocked / "outbox").rglob("*.eml"))) == 1
    listed = winback("outbox", "list", "--state", "accepted", "--json").json["messages"]
    assert [(m["template"], m["state"]) for m in listed] == [("hello", "accepted")]
    assert {"id", "playbook", "step", "profile_id", "channel", "reason", "detail", "attempts"} <= set(listed[0])
    assert "sms cart_last_call: not sent, no consent" in winback("profile", "show", "ada").out
    person = winback("profile", "show", "Ada@example.com", "--json").json
    assert {
        "id",
        "fields",
        "custom",
        "identities",
        "consents",
        "suppressed",
        "assignments",
        "events",
        "playbooks",
    } == set(person)
    assert person["fields"]["cart.total"] == 8000
    assert person["custom"] == {"plan": "gold"}
    assert [c["granted"] for c in person["consents"]] == [True]
    assert [e["name"] for e in person["events"]] == ["product_added", "identify"]
    (journey,) = person["playbooks"]
    assert (journey["playbook"], journey["state"], journey["holdout"]) == ("mine", "done", False)
    happened = [(one["what"], one["text"]) for one in journey["happened"]]
    assert happened == [
        ("entered", "entered"),
        ("branch", "if can receive email"),
        ("message", "email hello: sent"),
        ("message", "sms cart_last_call: not sent, no consent"),
        ("left", "came to its end"),
    ]
    waits = winback("profile", "show", "bob").out
    assert "otherwise (not: can receive email)" in waits
    assert "inside, goes on 2026-11-21 17:00 UTC" in waits
    past = winback("run", "mine", "--as-of", "2026-11-19", "--json")
    assert past.code == 2
    assert past.err.startswith("Error: --as-of: 2026-11-19")


def test_a_server_that_does_not_answer_costs_no_message(
    stocked: Path, winback: Winback, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stocked / "playbooks" / "mine.playbook").write_text(
        "playbook mine:\n  start when cart.total > $0\n  enter once\n  send email hello\n"
    )
    monkeypatch.setenv("WINBACK_EMAIL", "smtp")
    monkeypatch.setenv("WINBACK_SMTP_URL", "smtp://me:hunter2@127.0.0.1:1?plain_password=yes")
    said = winback("run", "mine", "--as-of", NOON)
    assert said.code == 1
    assert "Nothing listens at 127.0.0.1:1. Check host and port in WINBACK_SMTP_URL." in said.out
    assert "hunter2" not in said.out + said.err
    assert "Traceback" not in said.out + said.err
    (kept,) = winback("outbox", "list", "--state", "planned", "--json").json["messages"]
    assert kept["reason"] == "connection_refused"
    monkeypatch.setenv("WINBACK_EMAIL", "file")
    monkeypatch.setenv("WINBACK_OUTBOX", "winback.toml")  # a file, where a folder should be
    said = winback("run", "mine", "--as-of", "2026-11-20T18:00Z")
    assert said.code == 1
    assert "winback.toml" in said.out + said.err
    assert "Traceback" not in said.out + said.err
    monkeypatch.delenv("WINBACK_OUTBOX")
    assert winback("run", "mine", "--as-of", "2026-11-20T19:00Z").code == 0
    assert len(list((stocked / "outbox").rglob("*.eml"))) == 1


def test_ctrl_c_is_told_in_a_sentence(project: Path) -> None:
    script = """
import signal, sys, threading, os, time
import flows.rehearsal
from contextlib import contextmanager
@contextmanager
def slow(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
    yield
flows.rehearsal.rehearsal = slow
from cli import main
sys.argv = ["winback", "plan"]
main()
"""
    done = python("-c", script, cwd=project)
    assert done.returncode == 130
    assert done.stderr.strip() == "Stopped. What was committed stays; run the same command again to go on."
