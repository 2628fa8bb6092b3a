import pytest

from flows.watch import Plain, Visit


def test_plain_runs_and_remembers() -> None:
    plain = Plain()
    assert plain.run("enter", "enter · 3 people", lambda: 3) == 3
    assert plain.run("send:a", "send email a · 3 people", lambda: "done", after=("enter",)) == "done"
    plain.say("All is well.")
    plain.show("steps", "Steps", table=[{"step": "a", "people": 3}])
    plain.show("summary", "Summary", "Three people.")
    assert plain.visits[1] == Visit(key="send:a", name="send email a · 3 people", after=("enter",))
    assert plain.sentences == ["All is well."]
    assert plain.tables == {"steps": [{"step": "a", "people": 3}]}
    assert plain.texts == {"summary": "Three people."}


def test_what_a_step_raises_comes_through() -> None:
    def broken() -> None:
        raise LookupError("nobody there")

    with pytest.raises(LookupError, match="nobody there"):
        Plain().run("enter", "enter", broken)
