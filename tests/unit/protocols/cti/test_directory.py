"""How configuration messages become one picture."""

from __future__ import annotations

from poise.protocols.cti.config import AgentConfig, SkillGroupConfig
from poise.protocols.cti.directory import Directory
from poise.protocols.cti.messages import Message
from tests.unit.protocols.cti.peer import KEYS, Floats, agent_record


def download(directory: Directory, *messages: Message, solicited: bool = True, status: int = 0) -> None:
    directory.begin(Message("CONFIG_BEGIN_EVENT", {"ConfigType": int(solicited)}))
    for message in messages:
        directory.records(message)
    directory.end(Message("CONFIG_END_EVENT", {"ConfigEndStatus": status}))


def agents(*ids: str, kind: int = 0) -> Message:
    return Message("CONFIG_AGENT_EVENT", {}, tuple(entry for agent in ids for entry in agent_record(agent, kind)))


def team(operation: int, *members: tuple[str, int], name: str = "Sales") -> Message:
    floats: Floats = tuple(
        entry for agent, flags in members for entry in (("ATC_AGENT_ID", agent), ("AGENT_FLAGS", flags))
    )
    return Message(
        "AGENT_TEAM_CONFIG_EVENT", {"TeamID": 1, "ConfigOperation": operation}, (("AGENT_TEAM_NAME", name), *floats)
    )


def test_a_record_holds_all_that_users_need() -> None:
    directory = Directory()
    download(
        directory,
        Message(
            "CONFIG_AGENT_EVENT",
            {},
            (
                ("RECORD_TYPE", 0),
                ("AGENT_TYPE", 2),
                ("LOGIN_ID", "1101"),
                ("LOGIN_NAME", "supervisor1"),
                ("LAST_NAME", "One"),
                ("FIRST_NAME", "Supervisor"),
                ("AGENT_SKILL_TARGET_ID", 6067),
                ("SKILL_GROUP_NUMBER", 10),
                ("SKILL_GROUP_PRIORITY", 1),
                ("SKILL_GROUP_NUMBER", 12),
                ("SKILL_GROUP_PRIORITY", 1),
            ),
        ),
    )
    assert directory.snapshot().agents == (
        AgentConfig("1101", "supervisor1", "Supervisor", "One", None, True, (10, 12), 6067),
    )


def test_a_solicited_download_replaces_and_an_unsolicited_one_changes() -> None:
    directory = Directory()
    download(directory, agents("1001", "1002"))
    download(directory, agents("1003"), solicited=False)
    download(directory, agents("1001", kind=2), solicited=False)
    assert [agent.agent_id for agent in directory.snapshot().agents] == ["1002", "1003"]
    download(directory, agents("1009"))
    assert [agent.agent_id for agent in directory.snapshot().agents] == ["1009"]


def test_skill_groups_come_and_go() -> None:
    directory = Directory()
    group: Floats = (("RECORD_TYPE", 0), ("PERIPHERAL_NUMBER", 10), ("PERIPHERAL_NAME", "Sales"))
    nameless: Floats = (("RECORD_TYPE", 0), ("PERIPHERAL_NUMBER", 11))
    download(directory, Message("CONFIG_SKILL_GROUP_EVENT", {}, group + nameless))
    assert directory.snapshot().skill_groups == (SkillGroupConfig(10, "Sales"), SkillGroupConfig(11, "11"))
    gone: Floats = (("RECORD_TYPE", 2), ("PERIPHERAL_NUMBER", 10))
    download(directory, Message("CONFIG_SKILL_GROUP_EVENT", {}, gone), solicited=False)
    assert [group.number for group in directory.snapshot().skill_groups] == [11]


def test_half_a_download_and_a_failed_one_are_invisible() -> None:
    directory = Directory()
    download(directory, agents("1001"))
    directory.snapshot()
    directory.begin(Message("CONFIG_BEGIN_EVENT", {"ConfigType": 1}))
    directory.records(agents("1002"))
    directory.new_session()
    directory.records(agents("1003"))
    directory.end(Message("CONFIG_END_EVENT"))
    download(directory, agents("1004"), status=1)
    assert directory.agent_ids == ("1001",)
    assert not directory.changed


def test_a_download_that_says_the_same_is_no_change() -> None:
    directory = Directory()
    download(directory, agents("1001"))
    directory.snapshot()
    download(directory, agents("1001"))
    assert not directory.changed


def test_records_without_an_id_and_floats_before_the_first_record_are_skipped() -> None:
    directory = Directory()
    download(
        directory,
        Message("CONFIG_AGENT_EVENT", {}, (("LOGIN_ID", "9"), ("RECORD_TYPE", 0), ("LAST_NAME", "Nobody"))),
        Message("CONFIG_SKILL_GROUP_EVENT", {}, (("RECORD_TYPE", 0), ("PERIPHERAL_NAME", "None"))),
    )
    assert directory.agent_ids == ()
    assert directory.snapshot().skill_groups == ()


def test_keys_are_trusted_only_after_a_complete_download_that_offered_them() -> None:
    directory = Directory()
    keys = Message("CONFIG_KEY_EVENT", {}, KEYS)
    other = Message("CONFIG_KEY_EVENT", {}, (("SKILL_GROUP_CONFIG_KEY", b"x" * 8), ("AGENT_CONFIG_KEY", b"y" * 8)))
    empty = Message("CONFIG_KEY_EVENT", {}, (("SKILL_GROUP_CONFIG_KEY", b"\0" * 8), ("AGENT_CONFIG_KEY", b"\0" * 8)))
    assert not directory.is_current(keys)
    download(directory, agents("1001"))
    assert not directory.is_current(other)
    assert directory.is_current(keys)
    download(directory, agents("1002"), solicited=False)
    assert not directory.is_current(keys)
    assert not directory.is_current(empty)
    download(directory, agents("1001"))
    assert not directory.is_current(empty)


def test_a_team_is_named_anew_in_each_session_and_forgotten_when_it_is_not() -> None:
    directory = Directory()
    directory.new_session()
    directory.team(team(1, ("1001", 0), ("1101", 1)))
    directory.team(team(1, ("1002", 0)))
    assert directory.snapshot().teams[0].members == ("1001", "1002")
    directory.new_session()
    directory.team(team(1, ("1003", 0), name="Sales 2"))
    directory.prune_teams()
    (sales,) = directory.snapshot().teams
    assert (sales.name, sales.members, sales.supervisors) == ("Sales 2", ("1003",), ())
    directory.new_session()
    directory.prune_teams()
    assert directory.changed
    assert directory.snapshot().teams == ()


def test_agents_known_only_from_a_team_are_asked_for_too() -> None:
    directory = Directory()
    download(directory, agents("1001"))
    directory.team(team(1, ("1001", 0), ("1002", 0)))
    assert directory.agent_ids == ("1001", "1002")


def test_restore_replaces_a_teams_members() -> None:
    directory = Directory()
    directory.team(team(1, ("1001", 0)))
    directory.team(team(0, ("1002", 4)))
    (sales,) = directory.snapshot().teams
    assert (sales.members, sales.supervisors) == ((), ("1002",))
