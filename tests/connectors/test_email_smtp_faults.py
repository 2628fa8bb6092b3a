"""What an SMTP server can do to a message, at every stage, and what is made of it."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import pytest

from connectors.email_smtp import SmtpConnector, connecting, smtp_settings
from connectors.email_smtp.verdicts import RULES, Stage
from dsl.delivery import Message, Outcome, Verdict
from ledger.deliver import DOWN, LOST
from tests.contract.smtp_server import CUT, HANG, Reply, SmtpServer

ACCEPTED, REJECTED, DEFERRED, THROTTLED, UNKNOWN = Verdict


def message(number: int = 1, address: str = "", content: bytes = b"Subject: Hi\r\n\r\nHello\r\n") -> Message:
    return Message(
        key=f"key-{number}",
        channel="email",
        address=address or f"person{number}@example.com",
        sender="Shop <shop@shop.example>",
        content=content,
        headers={},
    )


async def deliver(server: SmtpServer, *messages: Message, options: str = "connections=1") -> list[Outcome]:
    url = f"smtp://{server.host}:{server.port}?timeout=1&{options}"
    async with SmtpConnector(smtp_settings(url)) as connector:
        return [outcome async for outcome in connector.send(messages)]


def exchange(
    replies: Mapping[str, Reply], *messages: Message, options: str = "connections=1"
) -> tuple[list[Outcome], SmtpServer]:
    """The outcomes of the messages on a server with these replies, and the server."""

    async def run() -> tuple[list[Outcome], SmtpServer]:
        async with SmtpServer(replies=replies) as server:
            return await deliver(server, *(messages or (message(),)), options=options), server

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("stage", "verdict", "arrived"),
    [
        ("greeting", DEFERRED, 0),
        ("EHLO", DEFERRED, 0),
        ("MAIL", DEFERRED, 0),
        ("RCPT", DEFERRED, 0),
        ("DATA", DEFERRED, 0),
        ("MIDDLE", UNKNOWN, 0),
        ("BODY", UNKNOWN, 1),
    ],
)
def test_a_connection_cut_at_each_stage(stage: str, verdict: Verdict, arrived: int) -> None:
    (outcome,), server = exchange({stage: CUT})
    assert (outcome.verdict, len(server.received)) == (verdict, arrived)
    assert outcome.reason == ("no_answer" if verdict is UNKNOWN else "connection_lost")


@pytest.mark.parametrize(
    ("stage", "verdict"),
    [("EHLO", DEFERRED), ("MAIL", DEFERRED), ("RCPT", DEFERRED), ("DATA", DEFERRED), ("BODY", UNKNOWN)],
)
def test_an_answer_that_never_comes_at_each_stage(stage: str, verdict: Verdict) -> None:
    began = time.monotonic()
    (outcome,), server = exchange({stage: HANG}, options="connections=1&timeout=0.2")
    assert outcome.verdict is verdict
    assert "in time" in outcome.detail
    assert time.monotonic() - began < 5
    assert len(server.received) == (stage == "BODY")


def test_a_server_that_stops_answering_is_not_waited_for_with_each_message() -> None:
    began = time.monotonic()
    got, server = exchange(
        {"BODY": HANG}, *(message(number) for number in range(20)), options="connections=2&timeout=0.2"
    )
    assert Counter(one.verdict for one in got) == {UNKNOWN: 2, DEFERRED: 18}
    assert {one.reason for one in got if one.verdict is DEFERRED} == {"server_unreachable"}
    assert all(f"127.0.0.1:{server.port}" in one.detail and one.detail.endswith(".") for one in got)
    assert time.monotonic() - began < 5 and len(server.received) == 2


def test_what_is_wrong_with_our_set_up_uses_up_nobodys_attempts() -> None:
    ours = {rule.reason for rule in RULES if rule.verdict is DEFERRED and Stage.LOGIN in rule.stages}
    source = inspect.getsource(connecting)
    ours |= set(re.findall(r'_unavailable\(\s*"(\w+)"', source)) - {LOST}
    assert "login_not_encrypted" in ours and ours <= DOWN
    assert "sender_rejected" in DOWN


def test_after_an_unknown_outcome_the_others_go_on_and_nothing_is_sent_twice() -> None:
    async def run() -> None:
        cuts = iter([CUT, "250 ok", "250 ok"])
        async with SmtpServer(replies={"BODY": lambda _: next(cuts)}) as server:
            got = await deliver(server, message(1), message(2), message(3))
        assert [one.verdict for one in got] == [UNKNOWN, ACCEPTED, ACCEPTED]
        assert Counter(one.recipient for one in server.received) == Counter(f"person{n}@example.com" for n in (1, 2, 3))
        assert server.connections == 2

    asyncio.run(run())


def test_a_batch_with_every_kind_of_answer() -> None:
    def recipient(address: str) -> str:
        return {
            "person2@example.com": "550 5.1.1 <person2@example.com>: user unknown",
            "person3@example.com": "450 4.2.0 <person3@example.com>: greylisted",
            "person4@example.com": "452 4.2.2 over quota",
        }.get(address, "250 ok")

    def body(address: str) -> str:
        return {"person5@example.com": "554 5.7.1 looks like spam", "person6@example.com": CUT}.get(address, "250 ok")

    got, server = exchange({"RCPT": recipient, "BODY": body}, *(message(number) for number in range(1, 8)))
    told = {one.key: (one.verdict, one.reason, one.suppress) for one in got}
    assert len(got) == len(told) == 7
    assert told == {
        "key-1": (ACCEPTED, "", False),
        "key-2": (REJECTED, "mailbox_unknown", True),
        "key-3": (DEFERRED, "recipient_deferred", False),
        "key-4": (DEFERRED, "mailbox_full", False),
        "key-5": (REJECTED, "refused_by_policy", False),
        "key-6": (UNKNOWN, "no_answer", False),
        "key-7": (ACCEPTED, "", False),
    }
    assert not any("@" in one.detail for one in got)
    assert [one.recipient for one in server.received] == [f"person{n}@example.com" for n in (1, 6, 7)]


def test_after_a_refused_recipient_the_envelope_is_reset_and_the_connection_kept() -> None:
    def recipient(address: str) -> str:
        return "550 5.1.1 no such user" if address == "person1@example.com" else "250 ok"

    got, server = exchange({"RCPT": recipient}, message(1), message(2))
    assert [one.verdict for one in got] == [REJECTED, ACCEPTED]
    assert server.connections == 1
    assert "RSET" in server.commands


def test_a_reset_that_is_refused_costs_the_connection_only() -> None:
    def recipient(address: str) -> str:
        return "550 5.1.1 no such user" if address == "person1@example.com" else "250 ok"

    got, server = exchange({"RCPT": recipient, "RSET": CUT}, message(1), message(2))
    assert [one.verdict for one in got] == [REJECTED, ACCEPTED]
    assert server.connections == 2


def test_one_connection_takes_many_messages_and_is_kept_between_calls() -> None:
    async def run() -> None:
        async with SmtpServer() as server:
            url = f"smtp://127.0.0.1:{server.port}?connections=1"
            async with SmtpConnector(smtp_settings(url)) as connector:
                for start in (0, 50):
                    batch = [message(number) for number in range(start, start + 50)]
                    assert [one.verdict async for one in connector.send(batch)] == [ACCEPTED] * 50
            assert (server.connections, len(server.received)) == (1, 100)
            assert server.commands[-1] == "QUIT"

    asyncio.run(run())


def test_a_server_that_closes_after_some_messages_is_called_again() -> None:
    async def run() -> None:
        async with SmtpServer(messages_a_connection=10) as server:
            got = await deliver(server, *(message(number) for number in range(35)))
            assert {one.verdict for one in got} == {ACCEPTED}
            assert (server.connections, len(server.received)) == (4, 35)

    asyncio.run(run())


def test_a_connection_that_died_between_two_calls_is_made_again() -> None:
    async def run() -> None:
        async with SmtpServer() as server:
            connector = SmtpConnector(smtp_settings(f"smtp://127.0.0.1:{server.port}?connections=1"))
            for number in range(3):
                assert [one.verdict async for one in connector.send([message(number)])] == [ACCEPTED]
                for task in list(server.tasks):
                    task.cancel()
                await asyncio.sleep(0)
            assert len(server.received) == server.connections == 3
            await connector.close()

    asyncio.run(run())


def test_a_connector_serves_one_event_loop_after_the_other() -> None:
    async def once(connector: SmtpConnector, port: int) -> Verdict:
        async with SmtpServer(port=port):
            (outcome,) = [one async for one in connector.send([message()])]
            return outcome.verdict

    async def free_port() -> int:
        async with SmtpServer() as server:
            return server.port

    port = asyncio.run(free_port())
    connector = SmtpConnector(smtp_settings(f"smtp://127.0.0.1:{port}"))
    assert [asyncio.run(once(connector, port)) for _ in range(2)] == [ACCEPTED, ACCEPTED]


def test_several_connections_share_a_batch() -> None:
    async def run() -> None:
        async with SmtpServer() as server:
            got = await deliver(server, *(message(number) for number in range(40)), options="connections=4")
            assert Counter(one.key for one in got) == Counter(f"key-{number}" for number in range(40))
            assert {one.verdict for one in got} == {ACCEPTED}
            assert {one.connection for one in server.received} == {1, 2, 3, 4}

    asyncio.run(run())


def test_a_server_that_takes_one_connection_only_still_gets_everything() -> None:
    async def run() -> None:
        replies: dict[str, Reply] = {}
        async with SmtpServer(replies=replies) as server:
            replies["greeting"] = lambda _: "220 hello" if server.connections == 1 else "421 too many connections"
            got = await deliver(server, *(message(number) for number in range(20)), options="connections=4")
            assert {one.verdict for one in got} == {ACCEPTED}
            assert len(server.received) == len(got) == 20

    asyncio.run(run())


def test_a_busy_server_throttles_everybody_and_is_not_asked_for_each() -> None:
    got, server = exchange({"MAIL": "421 4.3.2 come back later"}, *(message(number) for number in range(9)))
    assert {(one.verdict, one.reason) for one in got} == {(THROTTLED, "server_busy")}
    assert len(got) == 9
    assert {one.retry_after for one in got} == {timedelta(minutes=5)}
    assert server.connections == 1


@pytest.mark.parametrize(
    ("replies", "verdict", "reason", "suppress"),
    [
        ({"greeting": "554 no service for you"}, DEFERRED, "server_refuses", False),
        ({"MAIL": "451 4.3.0 try later"}, DEFERRED, "sender_deferred", False),
        ({"MAIL": "553 5.1.8 sender not allowed"}, DEFERRED, "sender_rejected", False),
        ({"MAIL": "530 5.7.0 Authentication required"}, DEFERRED, "login_required", False),
        ({"MAIL": "552 5.3.4 too big"}, REJECTED, "message_too_large", False),
        ({"RCPT": "450 4.1.1 try later"}, DEFERRED, "recipient_deferred", False),
        ({"RCPT": "550 5.1.10 null mx"}, REJECTED, "mailbox_unknown", True),
        ({"RCPT": "550 No such user here"}, REJECTED, "mailbox_unknown", True),
        ({"RCPT": "550 blocked by our list"}, REJECTED, "recipient_rejected", False),
        ({"RCPT": "550 5.2.1 disabled"}, REJECTED, "mailbox_disabled", True),
        ({"RCPT": "552 5.2.2 mailbox full"}, DEFERRED, "mailbox_full", False),
        ({"RCPT": "552 exceeded storage"}, DEFERRED, "mailbox_full", False),
        ({"RCPT": "554 5.7.1 Relay access denied"}, DEFERRED, "relay_denied", False),
        ({"RCPT": "550 5.7.1 policy"}, REJECTED, "refused_by_policy", False),
        ({"RCPT": "450 4.7.28 unusual rate"}, THROTTLED, "rate_limited", False),
        ({"RCPT": "421 closing"}, THROTTLED, "server_busy", False),
        ({"DATA": "451 4.3.0 local error"}, DEFERRED, "message_deferred", False),
        ({"DATA": "554 5.5.1 no valid recipients"}, REJECTED, "message_rejected", False),
        ({"BODY": "451 4.3.0 disk full"}, DEFERRED, "message_deferred", False),
        ({"BODY": "554 5.6.0 bad message"}, REJECTED, "message_rejected", False),
        ({"BODY": "552 5.2.3 too large"}, REJECTED, "message_too_large", False),
        ({"BODY": "550 5.1.1 no such user"}, REJECTED, "mailbox_unknown", True),
        ({"BODY": "421 4.3.0 shutting down"}, THROTTLED, "server_busy", False),
        ({"BODY": "what?"}, UNKNOWN, "answer_unreadable", False),
        ({"MAIL": "what?"}, DEFERRED, "answer_unreadable", False),
        ({"BODY": "354 more?"}, UNKNOWN, "answer_unreadable", False),
    ],
)
def test_answers_and_their_meaning(replies: Mapping[str, Reply], verdict: Verdict, reason: str, suppress: bool) -> None:
    got, server = exchange(replies)
    assert [(one.verdict, one.reason, one.suppress) for one in got] == [(verdict, reason, suppress)]
    assert server.received == []


def test_leading_dots_and_bare_line_breaks_arrive_as_meant() -> None:
    content = b"Subject: dots\r\n\r\n.one\r\n..two\n.\nthree\r.\r\n"
    (outcome,), server = exchange({}, message(content=content))
    assert outcome.verdict is ACCEPTED
    assert server.received[0].content == b"Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nthree\r\n.\r\n"


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@example.com>\nDATA",
        "a b@example.com",
        "nobody",
        "<a@example.com>",
        "",
    ],
)
def test_an_address_that_is_none_never_reaches_the_server(address: str) -> None:
    bad = Message(key="bad", channel="email", address=address, sender="shop@shop.example", content=b"", headers={})
    got, server = exchange({}, bad, message(2))
    assert [(one.key, one.verdict, one.reason) for one in got] == [
        ("bad", REJECTED, "address_invalid"),
        ("key-2", ACCEPTED, ""),
    ]
    assert [one.recipient for one in server.received] == ["person2@example.com"]


def test_international_addresses() -> None:
    async def run(*extensions: str) -> tuple[Outcome, Outcome, list[str]]:
        async with SmtpServer(extensions=extensions) as server:
            local, domain = await deliver(server, message(1, "åsa@example.com"), message(2, "asa@blåbær.example"))
            return local, domain, [command for command in server.commands if command.startswith(("MAIL", "RCPT"))]

    local, domain, commands = asyncio.run(run("SMTPUTF8", "8BITMIME"))
    assert (local.verdict, domain.verdict) == (ACCEPTED, ACCEPTED)
    assert commands[0].endswith("SMTPUTF8 BODY=8BITMIME") and commands[1] == "RCPT TO:<åsa@example.com>"
    assert commands[3] == "RCPT TO:<asa@xn--blbr-roah.example>"
    local, domain, commands = asyncio.run(run())
    assert (local.verdict, local.reason, local.suppress) == (REJECTED, "address_needs_smtputf8", False)
    assert domain.verdict is ACCEPTED


def test_unreachable_hosts() -> None:
    async def run(url: str) -> Outcome:
        async with SmtpConnector(smtp_settings(url)) as connector:
            (outcome,) = [one async for one in connector.send([message()])]
            return outcome

    outcome = asyncio.run(run("smtp://nowhere.invalid:25"))
    assert (outcome.verdict, outcome.reason) == (DEFERRED, "host_unknown")
    assert "nowhere.invalid" in outcome.detail
    outcome = asyncio.run(run("smtp://localhost:1"))
    assert (outcome.verdict, outcome.reason) == (DEFERRED, "connection_refused")
    assert "localhost:1" in outcome.detail


def test_no_worker_outlives_a_cancelled_send() -> None:
    async def run() -> None:
        async with SmtpServer(replies={"BODY": HANG}) as server:
            connector = SmtpConnector(smtp_settings(f"smtp://127.0.0.1:{server.port}"))

            async def send() -> None:
                async for _ in connector.send([message(1), message(2)]):
                    pass

            task = asyncio.create_task(send())
            while len(server.received) < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            left = [one for one in asyncio.all_tasks() if "Session" in repr(one.get_coro())]
            assert left == []

    asyncio.run(run())
