"""The Dialog resource as text, and which nodes hear of its changes."""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from poise.contact.dialog_states import Action, DialogState, PartyState
from poise.contact.dialogs import (
    AGENT_DEVICE,
    CallVariable,
    Dialog,
    DialogChanged,
    DialogFailed,
    MediaProperties,
    Participant,
    Shown,
)
from poise.contact.states import Deployment
from poise.finesse.dialog_publications import dialog_publications
from poise.finesse.dialogs import dialog_xml, dialogs_xml

GOLDEN = Path(__file__).parent / "golden"
NOON = 1_392_134_400.0
AGENT = Participant("2002", AGENT_DEVICE, PartyState.ACTIVE, "", NOON, NOON + 1.5, (Action.HOLD, Action.DROP))
OTHER = Participant("2000", "", PartyState.ACTIVE, "", NOON, NOON + 1.5)
DIALOG = Dialog(
    "12345678",
    "2002",
    "2000",
    DialogState.ACTIVE,
    (AGENT, OTHER),
    MediaProperties(
        "AGENT_INSIDE",
        "2000",
        "2000",
        5022,
        "UCM_PIM.Func.Agents.SG",
        (152018, 217, 1),
        "Sales Call",
        variables=(CallVariable("callVariable1", "Chuck & Smith"), CallVariable("user.list[1]", "\x01ü")),
    ),
    "321654",
    "12345679",
)


def test_a_dialog_is_written_as_the_guide_prints_it() -> None:
    assert dialog_xml(DIALOG) == (GOLDEN / "dialog.xml").read_text("utf-8").rstrip("\n")


def test_a_scheduled_callback_and_uccxs_wrap_up_items_are_shown_when_there_are_some() -> None:
    properties = replace(DIALOG.properties, wrap_up_items=("Sold", "Call back"))
    dialog = replace(DIALOG, callback_time="2014-03-07T14:30", callback_number="9785551212", properties=properties)
    xml = ET.fromstring(dialog_xml(dialog))
    assert xml.findtext("scheduledCallbackInfo/callbackTime") == "2014-03-07T14:30"
    assert [item.text for item in xml.iterfind("mediaProperties/wrapUpItems/wrapUpItem")] == ["Sold", "Call back"]


def test_a_list_of_dialogs() -> None:
    assert [child.tag for child in ET.fromstring(dialogs_xml([DIALOG, DIALOG]))] == ["Dialog", "Dialog"]
    assert list(ET.fromstring(dialogs_xml([]))) == []


def published(*changes: DialogChanged | DialogFailed) -> list[tuple[str, str | None, str | None, str | None]]:
    """Node, event, source and first tag of the data of each publication."""
    out: list[tuple[str, str | None, str | None, str | None]] = []
    for node, payload in dialog_publications(changes, Deployment.UCCE):
        update = ET.fromstring(html.unescape(payload.decode().partition(">")[2].rpartition("</")[0]))
        data = update.find("data")
        assert data is not None
        out.append((node, update.findtext("event"), update.findtext("source"), data[0].tag))
    return out


def node(agent: str) -> str:
    return f"/finesse/api/User/{agent}/Dialogs"


def test_new_changed_and_ended_dialogs_are_told_on_the_node_of_each_who_sees_them() -> None:
    held = replace(DIALOG, participants=(AGENT._replace(state=PartyState.HELD), OTHER))
    source = "/finesse/api/Dialog/12345678"
    both = ("1001", "1002")
    assert published(DialogChanged(None, Shown(DIALOG, both))) == [
        (node("1001"), "POST", node("1001"), "dialogs"),
        (node("1002"), "POST", node("1002"), "dialogs"),
    ]
    assert published(DialogChanged(Shown(DIALOG, both), Shown(held, both))) == [
        (node("1001"), "PUT", source, "dialog"),
        (node("1002"), "PUT", source, "dialog"),
    ]
    assert published(DialogChanged(Shown(DIALOG, both), Shown(held, ("1002", "1003")))) == [
        (node("1001"), "DELETE", node("1001"), "dialogs"),
        (node("1003"), "POST", node("1003"), "dialogs"),
        (node("1002"), "PUT", source, "dialog"),
    ]
    assert published(DialogChanged(Shown(DIALOG, ("1001",)), None)) == [
        (node("1001"), "DELETE", node("1001"), "dialogs")
    ]


def test_who_only_joins_an_unchanged_dialog_disturbs_nobody() -> None:
    change = DialogChanged(Shown(DIALOG, ("1001",)), Shown(DIALOG, ("1001", "1002")))
    assert published(change) == [(node("1002"), "POST", node("1002"), "dialogs")]


def test_an_answer_without_a_change_is_told_as_a_change() -> None:
    shown = Shown(DIALOG, ("1001",))
    assert published(DialogChanged(shown, shown, "r1"))[0][1] == "PUT"


def test_what_is_over_is_told_before_what_is_new() -> None:
    new = replace(DIALOG, dialog_id="2")
    changes = (DialogChanged(None, Shown(new, ("1001",))), DialogChanged(Shown(DIALOG, ("1001",)), None))
    assert [event for _, event, _, _ in published(*changes)] == ["DELETE", "POST"]


def test_an_ended_dialog_is_dropped_for_everyone_and_offers_nothing() -> None:
    (publication,) = dialog_publications([DialogChanged(Shown(DIALOG, ("1001",)), None)], Deployment.UCCE)
    text = html.unescape(publication.payload.decode())
    assert "<state>ACTIVE" not in text
    assert text.count("<state>DROPPED</state>") == 3
    assert "<action>" not in text


@pytest.mark.parametrize(
    ("failure", "source"),
    [
        (DialogFailed("1001", "7", Action.HOLD, 21), "/finesse/api/Dialog/7"),
        (DialogFailed("1001", "", Action.MAKE_CALL, 21), node("1001")),
        (DialogFailed("1001", "", Action.BARGE_CALL, 21), node("1001")),
    ],
)
def test_failures_are_told_to_who_asked(failure: DialogFailed, source: str) -> None:
    assert published(failure) == [(node("1001"), "PUT", source, "apiErrors")]
