"""Section F: broken connections, and requests that are sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.conformance.dialogue import (
    CLIENT,
    PING,
    QUIET,
    Contact,
    Session,
    check_empty,
    check_session_lives,
    check_terminated,
    login,
    message,
    texts,
)
from tests.conformance.targets import BOSH, Profile, Server
from tests.conformance.wire import Reply


def ping(name: str) -> str:
    """A ping with an id of its own."""
    return PING.replace("ping1", name)


def check_replaced(reply: Reply) -> None:
    """What the old connection of a held rid is told: recoverable error, or empty as most servers do."""
    assert reply.status == 200
    assert not reply.stanzas
    assert reply.root.get("type") in ("error", None), reply.body


def test_F01_a_repeated_rid_gets_the_identical_answer_and_is_not_processed_again(
    server: Server, contact: Contact
) -> None:
    session = login(server)
    body = session.B(1, message(contact.jid, "once"), PING)
    first = session.post(body)
    again = session.post(body)
    assert again.body == first.body
    assert contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") == "once"
    assert contact.overheard(server) == []


def test_F02_each_of_the_last_answers_can_be_had_again(server: Server) -> None:
    session = login(server)
    bodies = [session.B(n, ping(f"p{n}")) for n in (1, 2, 3)]
    answers = [session.post(body).body for body in bodies]
    assert session.post(bodies[2]).body == answers[2]
    assert session.post(bodies[1]).body == answers[1]
    check_session_lives(session, 4)


def test_F03_a_rid_older_than_the_replay_buffer_ends_the_session(server: Server) -> None:
    session = login(server)
    for _ in range(6):
        session.next(PING)
    check_terminated(session.ask(-4).reply(), "item-not-found")
    check_terminated(session.ask(1).reply(), "item-not-found")


def test_F04_M06_a_duplicate_of_a_held_rid_takes_over(server: Server, contact: Contact) -> None:
    session = login(server)
    old = session.ask(1)
    assert old.held()
    new = session.ask(1)
    check_replaced(old.reply(0.5))
    assert new.held()
    contact.say(message(session.jid, "to the new one"))
    assert texts(new.reply(0.5)) == ["to the new one"]
    check_session_lives(session, 2)


def test_F04_the_old_connection_is_told_a_recoverable_error(server: Server) -> None:
    session = login(server)
    old = session.ask(1)
    assert old.held()
    session.ask(1)
    assert old.reply(0.5).root.get("type") == "error"


def test_F05_resending_the_oldest_of_two_open_requests_attaches_to_it(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, hold_max=3))
    session = login(server, hold=2)
    oldest, second = session.ask(1, QUIET), session.ask(2, QUIET)
    assert oldest.held()
    assert second.held()
    reloaded = session.ask(1, QUIET)
    check_replaced(oldest.reply(0.5))
    assert reloaded.held()
    Contact(server).say(message(session.jid, "after the reload"))
    assert texts(reloaded.reply(0.5)) == ["after the reload"]
    assert second.held()


def test_F05_a_reload_is_no_overactivity(server: Server) -> None:
    session = login(server)
    held = [session.ask(1)]
    for _ in range(3):
        assert held[-1].held()
        held.append(session.ask(1))
        check_replaced(held[-2].reply(0.5))
    check_session_lives(session, 2)


def test_F06_endless_repeats_are_answered_or_refused_but_never_ignored(server: Server) -> None:
    session = login(server)
    body = session.B(1, PING)
    first = session.post(body)
    for _ in range(50):
        reply = session.post(body)
        if reply.root.get("type") == "terminate":
            check_terminated(reply, "policy-violation")
            check_terminated(session.ask(2).reply(), "item-not-found")
            return
        assert reply.body == first.body
    check_session_lives(session, 2)


def test_F07_a_repeated_pause_gets_no_data(server: Server, contact: Contact) -> None:
    session = login(server)
    pause = session.B(1, pause=5)
    check_empty(session.post(pause))
    contact.say(message(session.jid, "later"))
    server.settle()
    reply = session.post(pause)
    if reply.root.get("type") is None:
        check_empty(reply)
    else:
        check_terminated(reply, "item-not-found")


def test_F08_a_repeated_creation_makes_a_new_session_and_the_orphan_ends(server: Server) -> None:
    orphan, kept = Session(server), Session(server)
    kept.base = orphan.base
    assert orphan.create().sid != kept.create().sid
    server.pass_time(1)
    held = kept.ask(1)
    server.pass_time(2.5)
    check_terminated(orphan.ask(1).reply(), "item-not-found")
    assert held.held()


def test_F09_another_payload_under_an_answered_rid_is_ignored(server: Server, contact: Contact) -> None:
    session = login(server)
    first = session.ask(1, PING).reply()
    again = session.ask(1, message(contact.jid, "smuggled")).reply()
    assert again.body == first.body
    assert contact.overheard(server) == []


def test_F09_another_payload_under_a_held_rid_is_ignored(server: Server, contact: Contact) -> None:
    session = login(server)
    assert session.ask(1).held()
    assert session.ask(1, message(contact.jid, "smuggled")).held()
    assert contact.overheard(server) == []


def test_F02_empty_answers_can_be_had_again_too(server: Server) -> None:
    session = login(server)
    requests = [session.ask(1), session.ask(2, QUIET), session.ask(3, QUIET)]
    first, second = requests[0].reply(), requests[1].reply()
    assert requests[2].held()
    assert session.ask(1).reply().body == first.body
    assert session.ask(2, QUIET).reply().body == second.body
    check_session_lives(session, 4)


def test_F02_empty_answers_to_polls_can_be_had_again_too(server: Server) -> None:
    session = login(server)
    polls = []
    for n in (1, 2, 3, 4):
        polls.append(session.ask(n))
        server.pass_time(2.3)
    answers = [poll.reply().body for poll in polls[:3]]
    assert session.ask(2).reply().body == answers[1]
    assert session.ask(3).reply().body == answers[2]
    check_session_lives(session, 5)


def test_F02_answers_with_data_can_be_had_again_after_polls(server: Server, contact: Contact) -> None:
    session = login(server)
    answers: list[Reply] = []
    for text in ("a", "b"):
        held = session.ask(len(answers) + 1)
        assert held.held()
        contact.say(message(session.jid, text))
        answers.append(held.reply())
    assert [texts(answer) for answer in answers] == [["a"], ["b"]]
    assert session.ask(1).reply().body == answers[0].body
    assert session.ask(2).reply().body == answers[1].body


def test_F05_a_repetition_has_a_wait_of_its_own(server: Server) -> None:
    session = login(server)
    session.ask(1)
    server.pass_time(3)
    again = session.ask(1)
    server.pass_time(2)
    assert again.held()
    server.pass_time(2.2)
    check_empty(again.reply(0.5))


def test_F06_endless_repeats_are_refused(server: Server) -> None:
    session = login(server)
    body = session.B(1, PING)
    replies = [session.post(body) for _ in range(50)]
    refused = [reply for reply in replies if reply.root.get("type") == "terminate"]
    assert refused
    check_terminated(refused[0], "policy-violation")


def test_F06_repeats_spread_over_a_long_time_are_a_bad_network_and_no_loop(
    serve: Callable[[Profile], Server],
) -> None:
    server = serve(replace(BOSH, inactivity=90))
    session = login(server)
    body = session.B(1, PING)
    assert len({session.post(body).body for _ in range(9)}) == 1
    server.pass_time(61)
    assert len({session.post(body).body for _ in range(9)}) == 1
    check_session_lives(session, 2)


def test_F07_a_pause_pushes_no_answer_out_of_the_buffer(server: Server) -> None:
    session = login(server)
    bodies = [session.B(n, ping(f"p{n}")) for n in (1, 2)]
    answers = [session.post(body).body for body in bodies]
    check_empty(session.ask(3, pause=5).reply())
    assert session.post(bodies[0]).body == answers[0]
    assert session.post(bodies[1]).body == answers[1]


def test_F09_another_payload_under_a_rid_that_waits_for_a_gap_is_ignored(server: Server, contact: Contact) -> None:
    session = login(server)
    session.ask(2, message(contact.jid, "meant"))
    server.settle()
    session.ask(2, message(contact.jid, "smuggled"))
    server.settle()
    session.ask(1)
    heard = [m.findtext(f"{{{CLIENT}}}body") for m in contact.overheard(server)]
    assert heard == ["meant"]
