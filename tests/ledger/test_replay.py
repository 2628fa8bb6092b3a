"""Failed messages once more, after a look; and never what may have gone out."""

from sqlalchemy import Engine

from dsl.delivery import Verdict
from ledger.channel import Unrenderable
from ledger.replay import failed, replay
from ledger.report import outbox_row, resolve
from store.engine import read, write
from tests.ledger.shop import DAY, HOUR, NOON, Provider, always, deliver_now, messages, queue


def ids(engine: Engine, reason: str | None = None) -> list[int]:
    with read(engine) as connection:
        return failed(connection, playbook=None, reason=reason)


def again(engine: Engine, wanted: list[int], as_of=NOON):
    with write(engine) as connection:
        return replay(connection, wanted, as_of)


def test_dead_letters_go_out_when_their_template_is_mended(engine: Engine) -> None:
    queue(engine, 3)
    broken = lambda jobs: [Unrenderable(detail="`coupon` is missing") for _ in jobs]  # noqa: E731
    assert deliver_now(engine, Provider(), render=broken).failed == {"render_error": 3}
    later = NOON + 30 * DAY
    assert deliver_now(engine, Provider(), later).sent == 0, "not by themselves"
    wanted = ids(engine, "render_error")
    done = again(engine, wanted, later)
    assert (list(done.queued), done.refused) == (wanted, {})
    assert messages(engine) == {("planned", "replayed"): 3}
    provider = Provider()
    assert deliver_now(engine, provider, later).sent == 3 and set(provider.addresses.values()) == {1}
    assert again(engine, wanted, later).refused == dict.fromkeys(wanted, "accepted")


def test_a_message_that_was_tried_for_days_has_all_its_tries_again(engine: Engine) -> None:
    queue(engine, 1)
    now = NOON
    while not messages(engine)["failed", "mailbox_busy"]:
        deliver_now(engine, Provider(always(Verdict.DEFERRED, reason="mailbox_busy")), now)
        now += 8 * HOUR
    again(engine, ids(engine), now)
    deliver_now(engine, Provider(always(Verdict.DEFERRED, reason="mailbox_busy")), now)
    assert messages(engine) == {("planned", "mailbox_busy"): 1}


def test_the_guards_are_asked_for_what_is_replayed(engine: Engine) -> None:
    queue(engine, 1)
    deliver_now(engine, Provider(always(Verdict.REJECTED, reason="mailbox_unknown", suppress=True)))
    again(engine, ids(engine))
    assert deliver_now(engine, Provider()).skipped == {"suppressed": 1}


def test_what_may_have_gone_out_is_not_replayed(engine: Engine) -> None:
    (_,) = queue(engine, 1)
    deliver_now(engine, Provider(lambda _: None))
    with read(engine) as connection:
        row = outbox_row(connection, 1)
        assert outbox_row(connection, 2) is None
    assert row is not None and (row.entry.state, len(row.key)) == ("unknown", 32)
    assert again(engine, [1, 2]).refused == {1: "unknown", 2: None}
    assert messages(engine) == {("unknown", "no_answer"): 1}
    with write(engine) as connection:
        assert resolve(connection, 1, sent=False, as_of=NOON)
    assert deliver_now(engine, Provider()).sent == 1


def test_the_key_that_is_shown_is_the_one_that_the_provider_saw(engine: Engine) -> None:
    queue(engine, 2)
    provider = Provider()
    deliver_now(engine, provider)
    with read(engine) as connection:
        shown = [row.key for id in (1, 2) if (row := outbox_row(connection, id))]
    assert sorted(shown) == sorted(message.key for message in provider.taken)
