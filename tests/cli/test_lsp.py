"""`winback lsp`, asked as an editor asks: a process of its own, the protocol over its standard streams."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.init import make
from tests.cli.conftest import HELLO
from tests.editor import Editor, RefusedError, editor

NAMES = "let minimum = $50\nsegment loyal when orders.count >= 4\n"
GOOD = """\
# Grüße 😀
playbook come_back:
  run every day at 09:00
  start when cart.total > minimum
    and cart.updated_at is in the last 3 days
  enter once

  if in segment loyal:
    send email hello
"""
BAD = GOOD.replace("send email hello", "send emial hello").replace("segment loyal", "segment loyl")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two files of playbooks."""
    folder = tmp_path_factory.mktemp("lsp") / "my shop"
    make(folder)
    for file in (folder / "playbooks").glob("*.playbook"):
        file.unlink()
    (folder / "playbooks" / "names.playbook").write_text(NAMES, "utf-8")
    (folder / "playbooks" / "back.playbook").write_text(GOOD, "utf-8")
    (folder / "templates" / "email" / "hello.html").write_text(HELLO, "utf-8")
    return folder


@pytest.fixture(scope="module")
def back(shop: Path) -> Path:
    return shop / "playbooks" / "back.playbook"


@pytest.fixture(scope="module")
def ed(shop: Path, back: Path) -> Iterator[Editor]:
    """An editor with the file open, as all tests leave it."""
    with editor(shop) as opened:
        opened.begin(shop)
        opened.open(back)
        assert opened.problems(back) == []
        yield opened


def place(text: str, piece: str) -> dict[str, int]:
    """The place of a piece of a text as editors count."""
    before = text[: text.index(piece)].split("\n")
    return {"line": len(before) - 1, "character": len(before[-1].encode("utf-16-le")) // 2}


def labels(answer: dict[str, Any]) -> list[str]:
    return [item["label"] for item in answer["items"]]


def test_it_says_who_it_is_and_what_it_can(shop: Path) -> None:
    with editor(shop) as opened:
        told = opened.begin(shop)
        assert told["serverInfo"]["name"] == "winback"
        assert told["serverInfo"]["version"]
        can = told["capabilities"]
        assert can["completionProvider"]["triggerCharacters"] == [" ", "."]
        assert can["renameProvider"] == {"prepareProvider": True}
        for each in ("hover", "definition", "references", "documentSymbol", "documentFormatting", "codeAction"):
            assert can[f"{each}Provider"]
        assert opened.end() == 0


def test_mistakes_are_told_while_typing_and_mended(ed: Editor, back: Path) -> None:
    ed.type(back, BAD)
    found = ed.problems(back)
    assert [(problem["code"], problem["severity"], problem["source"]) for problem in found] == [
        ("WB205", 1, "winback"),
        ("WB203", 1, "winback"),
    ]
    assert found[1]["range"]["start"] == place(BAD, "emial")
    assert found[1]["message"].endswith("Hint: Did you mean `email`?")
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    actions = ed.of("codeAction", back, range=everything, context={"diagnostics": found})
    assert [action["title"] for action in actions][1:] == ["Change it to `email`", "Mend 2 mistakes in this file"]
    assert applied(BAD, actions[2]["edit"]["changes"][back.as_uri()]) == GOOD
    ed.type(back, GOOD)
    assert ed.problems(back) == []


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    rows = text.split("\n")
    for edit in sorted(edits, key=lambda edit: -edit["range"]["start"]["character"]):
        start, end = edit["range"]["start"], edit["range"]["end"]
        row = rows[start["line"]]
        rows[start["line"]] = row[: start["character"]] + edit["newText"] + row[end["character"] :]
    return "\n".join(rows)


def test_completion(ed: Editor, back: Path) -> None:
    text = GOOD + "    send email "
    ed.type(back, text)
    offered = labels(ed.at("completion", back, text.count("\n"), 15))
    assert "hello" in offered
    assert "$50" not in offered
    text = GOOD + "  if cart.total > 😀"  # the place is counted in code units
    ed.type(back, text)
    answer = ed.at("completion", back, text.count("\n"), 18)
    assert {"minimum", "orders.value", "$50"} <= set(labels(answer))
    money = next(item for item in answer["items"] if item["label"] == "$50")
    assert money["textEdit"]["newText"] == "${1:\\$50}"
    ed.type(back, GOOD)
    assert ed.problems(back) == []


def test_hover_definition_references_and_outline(ed: Editor, back: Path, shop: Path) -> None:
    hover = ed.at("hover", back, **place(GOOD, "loyal:"))
    assert "segment loyal when orders.count >= 4" in hover["contents"]["value"]
    assert hover["range"]["start"] == place(GOOD, "loyal:")
    assert "Subject: Hello" in ed.at("hover", back, **place(GOOD, "hello"))["contents"]["value"]
    names = (shop / "playbooks" / "names.playbook").as_uri()
    found = ed.at("definition", back, **place(GOOD, "loyal:"))
    assert (found["uri"], found["range"]["start"]) == (names, place(NAMES, "loyal"))
    template = ed.at("definition", back, **place(GOOD, "hello"))
    assert template["uri"] == (shop / "templates" / "email" / "hello.html").as_uri()
    spoken = ed.at("references", back, **place(GOOD, "loyal:"), context={"includeDeclaration": True})
    assert {each["uri"] for each in spoken} == {names, back.as_uri()}
    outline = ed.of("documentSymbol", back)
    assert [each["name"] for each in outline] == ["come_back"]
    assert outline[0]["children"][-1]["children"][0]["name"] == "send email hello"
    assert len(ed.of("semanticTokens/full", back)["data"]) % 5 == 0


def test_rename_in_all_files_or_a_reason(ed: Editor, back: Path, shop: Path) -> None:
    there = place(GOOD, "loyal:")
    assert ed.at("prepareRename", back, **there)["placeholder"] == "loyal"
    changes = ed.at("rename", back, **there, newName="faithful")["changes"]
    assert set(changes) == {(shop / "playbooks" / "names.playbook").as_uri(), back.as_uri()}
    assert "in segment faithful" in applied(GOOD, changes[back.as_uri()])
    with pytest.raises(RefusedError, match="a word of the language"):
        ed.at("rename", back, **there, newName="send")
    with pytest.raises(RefusedError, match="called like its file"):
        ed.at("prepareRename", back, **place(GOOD, "hello"))
    ed.at("rename", back, **place(GOOD, "come_back"), newName="again_and_again")
    assert any("another playbook" in message for message in ed.messages)


def test_formatting_unless_there_are_errors(ed: Editor, back: Path) -> None:
    options = {"tabSize": 2, "insertSpaces": True}
    wide = (
        GOOD.replace("  enter once", "    enter   once")
        .replace("  run", "    run")
        .replace("  start", "    start")
        .replace("    and", "            and")
    )
    wide = wide.replace("  if", "    if").replace("    send", "        send")
    ed.type(back, wide)
    (edit,) = ed.of("formatting", back, options=options)
    assert edit["newText"] == GOOD
    assert edit["range"]["start"] == {"line": 0, "character": 0}
    assert edit["range"]["end"]["line"] == wide.count("\n")
    ed.type(back, wide.replace("enter   once", "entr   once"))
    assert ed.of("formatting", back, options=options) == []
    ed.type(back, GOOD)
    assert ed.of("formatting", back, options=options) == []
    assert ed.problems(back) == []


def test_a_mistake_in_one_file_shows_in_another(ed: Editor, back: Path, shop: Path) -> None:
    names = shop / "playbooks" / "names.playbook"
    ed.open(names, NAMES.replace("loyal", "faithful"))
    while not (found := ed.problems(back)):
        pass
    assert [problem["code"] for problem in found] == ["WB205"]
    ed.tell("textDocument/didClose", {"textDocument": {"uri": names.as_uri()}})  # what is on the disk counts again
    while found := ed.problems(back):
        pass
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "\x00\ud83d\r\r\n\u2028\t: : (((( “ \" 'send if",
        "x " * 300_000,
        "playbook a:\n" * 3_000,
        "  " * 500 + "if (" * 5_000,
    ],
    ids=["garbage", "huge", "many", "deep"],
)
def test_it_outlives_any_text(ed: Editor, back: Path, text: str) -> None:
    ed.type(back, text)
    assert ed.problems(back)
    line = min(2, text.count("\n"))
    ed.at("completion", back, line, 3)
    ed.at("hover", back, line, 3)
    ed.of("documentSymbol", back)
    ed.of("semanticTokens/full", back)
    head = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 9}}
    ed.of("codeAction", back, range=head, context={"diagnostics": []})
    ed.type(back, GOOD)
    assert ed.problems(back) == []


def test_an_editor_that_counts_bytes(shop: Path, back: Path) -> None:
    with editor(shop) as opened:
        told = opened.begin(shop, capabilities={"general": {"positionEncodings": ["utf-8"]}})
        assert told["capabilities"]["positionEncoding"] == "utf-8"
        opened.open(back, 'let x = "ä😀" y\n')
        (problem,) = opened.problems(back)
        assert problem["range"]["start"] == {"line": 0, "character": len('let x = "ä😀" '.encode())}
        answer = opened.at("completion", back, 1, 0)
        assert "playbook ${1" not in str(answer), "an editor without blanks gets none"


def test_a_text_that_is_in_no_project_is_helped_too(tmp_path: Path) -> None:
    lone = tmp_path / "lone.playbook"
    with editor(tmp_path) as opened:
        opened.begin(tmp_path)
        opened.open(lone, "playbook p:\n  start on signed_up\n  enter once\n  send email whatever\n  wait 2 dayz\n")
        assert {problem["code"] for problem in opened.problems(lone)} == {"WB112"}
        assert "order_completed" in labels(opened.at("completion", lone, 1, 11))
        nowhere = {"uri": "untitled:Untitled-1", "languageId": "playbook", "version": 1, "text": "playbook q:\n  "}
        opened.tell("textDocument/didOpen", {"textDocument": nowhere})
        asked = {"textDocument": {"uri": nowhere["uri"]}, "position": {"line": 1, "character": 2}}
        assert "send" in labels(opened.ask("textDocument/completion", asked))
        assert opened.end() == 0
    assert list(tmp_path.iterdir()) == []


def test_the_store_is_looked_at_and_left_as_it_is(shop: Path, back: Path, tmp_path: Path) -> None:
    call = {"type": "track", "event": "Quiz Taken", "userId": "ada", "messageId": "1",
            "timestamp": "2026-11-01T10:00:00Z", "properties": {"score": 3}}  # fmt: skip
    calls = tmp_path / "calls.jsonl"
    calls.write_text(json.dumps(call) + "\n", "utf-8")
    command = [sys.executable, "-m", "cli", "import", str(calls), "--project", str(shop)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True)
    store = shop / "winback.db"
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shop.glob("winback.db*")}
    assert set(before) == {"winback.db"}
    try:
        with editor(shop) as opened:
            opened.begin(shop)
            opened.open(back, "segment a when has quiz_taken where \n")
            opened.problems(back)
            assert "score" in labels(opened.at("completion", back, 0, 36))
            opened.end()
        after = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shop.glob("winback.db*")}
        assert after == before
    finally:
        store.unlink()


def test_a_project_that_cannot_be_opened_is_said_and_help_goes_on(tmp_path: Path) -> None:
    (tmp_path / "winback.toml").write_text("[shop\n", "utf-8")
    file = tmp_path / "playbooks" / "a.playbook"
    file.parent.mkdir()
    with editor(tmp_path) as opened:
        opened.begin(tmp_path)
        opened.open(file, "playbook p:\n  start on signed_up\n  enter onse\n  stop\n")
        assert [problem["code"] for problem in opened.problems(file)] == ["WB112"]
        assert any("winback.toml" in message for message in opened.messages)


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    code = "import sys, cli; print([m for m in ('pygls', 'lsprotocol', 'prefect') if m in sys.modules])"
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
