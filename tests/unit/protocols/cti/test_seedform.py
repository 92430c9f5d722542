"""The log texts of CTI messages against the lines real servers wrote."""

from __future__ import annotations

from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.layout import layout
from poise.protocols.cti.messages import Message, NamedVariable
from poise.protocols.cti.seedform import decoded_text, event_name, request_text

RESERVED = Message(
    "AGENT_STATE_EVENT",
    {
        "MonitorID": 1,
        "PeripheralID": 5000,
        "SkillGroupState": 7,
        "StateDuration": 0,
        "SkillGroupNumber": 29808,
        "SkillGroupPriority": 0,
        "AgentState": 8,
        "EventReasonCode": 0,
        "MRDID": 1,
        "AgentMode": 1,
        "NumFltSkillGroups": 0,
    },
    (("CLIENT_SIGNATURE", "Finesse"), ("AGENT_ID", "1234"), ("AGENT_EXTENSION", "1234"), ("AGENT_INSTRUMENT", "1234")),
)


def test_an_agent_state_event_reads_as_in_the_published_log() -> None:
    text = decoded_text(RESERVED, sequence_id=865941, received_ms=1497638824642, dispatch_ms=1497638824643)
    assert text == (
        "CTIAgentStateEvent [skillGroupState=7 (BUSY_OTHER), stateDuration=0, skillGroupNumber=29808, "
        "skillGroupPriority=0, agentState=8 (RESERVED), eventReasonCode=0, numFltSkillGroups=0, "
        "CTIClientSignature=Finesse, agentID=1234, agentExtension=1234, agentInstrument=1234, agentID_Long=null, "
        "duration=null, nextAgentState=null, fltSkillGroupNumberList=[], fltSkillGroupIDList=[], "
        "fltSkillGroupPriorityList=[], fltSkillGroupStateList=[], MRDId=1, agentMode=1]"
        "CTIMessageBean [invokeID=null, cti_sequence_id=865941, msgID=30, "
        'timeTracker={"id":"AgentStateEvent","CTI_MSG_RECEIVED":1497638824642,"CTI_MSG_DISPATCH":1497638824643}, '
        "msgName=AgentStateEvent, deploymentType=CCE]"
    )


def test_null_numbers_read_minus_one_and_lists_are_bracketed() -> None:
    message = Message(
        "AGENT_STATE_EVENT",
        {"SkillGroupNumber": NULL32, "AgentState": 1, "EventReasonCode": 255},
        (("SKILL_GROUP_NUMBER", 10), ("SKILL_GROUP_NUMBER", 12), ("NEXT_AGENT_STATE", 2)),
    )
    text = decoded_text(message, sequence_id=1, received_ms=0, dispatch_ms=0)
    assert "skillGroupNumber=-1, skillGroupPriority=0, agentState=1 (LOGOUT), eventReasonCode=255," in text
    assert "nextAgentState=2 (NOT_READY), fltSkillGroupNumberList=[10, 12], fltSkillGroupIDList=[]," in text


def test_other_messages_are_told_from_the_table() -> None:
    message = Message(
        "SYSTEM_EVENT",
        {"PGStatus": 0, "SystemEventID": 3, "SystemEventArg1": 5000},
        (("TEXT", "up"), ("NAMED_VARIABLE", NamedVariable("user.a", "b")), ("TAG_9999", b"\1\2")),
    )
    assert decoded_text(message, sequence_id=2, received_ms=5, dispatch_ms=6, deployment="CCX") == (
        "CTISystemEvent [PGStatus=0, systemEventID=3 (PERIPHERAL_ONLINE), systemEventArg1=5000, text=up, "
        "eventDeviceID=null, namedVariable=user.a:****, tag9999=0102]CTIMessageBean [invokeID=null, cti_sequence_id=2, "
        "msgID=31, "
        'timeTracker={"id":"SystemEvent","CTI_MSG_RECEIVED":5,"CTI_MSG_DISPATCH":6}, msgName=SystemEvent, '
        "deploymentType=CCX]"
    )


def test_what_a_message_may_carry_and_does_not_reads_null_or_as_an_empty_list() -> None:
    message = Message(
        "CALL_TRANSFERRED_EVENT",
        {"PrimaryCallID": 16777217, "EventCause": 32, "LocalConnectionState": 0xFFFF, "TransferredDeviceType": 76},
        (("PRIMARY_DEVID", "1001"), ("PARTY_CALLID", 16777217), ("PARTY_DEVID_TYPE", 75), ("PARTY_DEVID", "0551234")),
    )
    text = decoded_text(message, sequence_id=7, received_ms=0, dispatch_ms=0)
    assert text.startswith(
        "CTICallTransferredEvent [primaryCallID=16777217, eventCause=32 (TRANSFER), localConnectionState=-1, "
        "transferredDeviceType=76 (AGENT_DEVICE), primaryDeviceID=1001, "
    )
    assert "secondaryDeviceID=null, transferringDeviceID=null" in text
    assert "partyCallIDList=[16777217]" in text
    delivered = decoded_text(Message("CALL_QUEUED_EVENT", {}), sequence_id=8, received_ms=0, dispatch_ms=0)
    assert "skillGroupNumberList=[]" in delivered


def test_queue_statistics_read_as_in_published_logs() -> None:
    message = Message(
        "QUERY_SKILL_GROUP_STATISTICS_CONF",
        {"InvokeID": 4, "PeripheralID": 5000, "SkillGroupNumber": 10, "AgentsReady": 3, "RouterCallsQNow": 2},
    )
    assert decoded_text(message, sequence_id=9, received_ms=5, dispatch_ms=6) == (
        "CTIQuerySkillGroupStatisticsConf[peripheralID=5000, skillGroupNumber=10, routerCallsQNow=2, "
        "longestRouterCallQNow=0, agentsNotReady=0, agentsReady=3, agentsTalkingIn=0, agentsTalkingOut=0, "
        "agentsTalkingOther=0, agentsWorkNotReady=0, agentsWorkReady=0]CTIMessageBean [invokeID=4, msgID=115, "
        'timeTracker={"id":"QuerySkillGroupStatisticsConf","CTI_MSG_NOTIFIED":6,"CTI_MSG_RECEIVED":5}, '
        "msgName=QuerySkillGroupStatisticsConf, deploymentType=CCE]"
    )


def test_every_message_of_the_table_can_be_told_with_its_time_tracker() -> None:
    for known in layout().messages.values():
        raw = b"\1\2" if known.opaque else b""
        fields = {field.name: 0 for field in known.fixed}
        text = decoded_text(Message(known.name, fields, raw=raw), sequence_id=1, received_ms=5, dispatch_ms=6)
        assert text.startswith(f"CTI{event_name(known.name)}")
        assert f"msgID={known.number}, " in text
        assert f'timeTracker={{"id":"{event_name(known.name)}",' in text
        assert '"CTI_MSG_RECEIVED":5' in text


def test_a_confirmation_names_its_invoke_id_once() -> None:
    text = decoded_text(Message("SET_AGENT_STATE_CONF", {"InvokeID": 7}), sequence_id=3, received_ms=0, dispatch_ms=0)
    assert text.startswith("CTISetAgentStateConf []CTIMessageBean [invokeID=7, cti_sequence_id=3, msgID=39,")


def test_unknown_messages_and_enumeration_values_are_still_told() -> None:
    text = decoded_text(Message("MESSAGE_999", raw=b"\xff"), sequence_id=4, received_ms=0, dispatch_ms=0)
    assert text.startswith("CTIMessage999 [raw=ff]")
    assert "msgID=999" in text
    odd = decoded_text(Message("AGENT_STATE_EVENT", {"AgentState": 77}), sequence_id=5, received_ms=0, dispatch_ms=0)
    assert "agentState=77, " in odd


def test_a_state_request_keeps_the_odd_spacing_of_the_seed() -> None:
    message = Message(
        "SET_AGENT_STATE_REQ",
        {"InvokeID": 7, "AgentState": 1, "EventReasonCode": 255, "ForcedFlag": 1, "AgentServiceReq": 1},
        (("AGENT_INSTRUMENT", "1001003"), ("AGENT_ID", "1001003")),
    )
    assert request_text(message).endswith(
        " : 1, workmode : 0, reason code: 255, forceflag :1, agentcapacity: 1, agenttext: 1001003, agentid: 1001003,"
    )


def test_passwords_never_appear() -> None:
    sign_in = Message("SET_AGENT_STATE_REQ", {"AgentState": 0}, (("AGENT_ID", "1001"), ("AGENT_PASSWORD", "hunter2")))
    opening = Message("OPEN_REQ", {}, (("CLIENT_ID", "Finesse"), ("CLIENT_PASSWORD", b"hunter2")))
    for text in (
        request_text(sign_in),
        request_text(opening),
        decoded_text(sign_in, sequence_id=1, received_ms=0, dispatch_ms=0),
    ):
        assert "hunter2" not in text
        assert b"hunter2".hex() not in text
    assert "clientPassword=****" in request_text(opening)


def test_call_variables_are_named_and_their_values_hidden() -> None:
    floats = (("CALL_VAR_1", "4711-A"), ("CALL_VAR_2", ""))
    text = decoded_text(Message("CALL_DATA_UPDATE_EVENT", {}, floats), sequence_id=1, received_ms=5, dispatch_ms=6)
    assert "callVar1=****" in text
    assert "4711-A" not in text
