"""GET and POST User/Dialogs, GET and PUT Dialog: who may, documented refusals, failures that come as events."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from poise.contact.states import Deployment
from poise.protocols.cti.call_constants import CallType, SupervisoryAction
from poise.protocols.cti.constants import NULL16, NULL32, FailureCode, Status
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.messages import Message, NamedArrayElement, NamedVariable
from poise.protocols.cti.outputs import Outcome
from poise.server.agents.request_lines import WAITING_MAX
from tests.unit.contact.switch import CALLER, QUEUE, Switch, Truth
from tests.unit.server.webservices.stage import Rest, play

DIALOGS = "/finesse/api/User/1001/Dialogs"
CALL = "/finesse/api/Dialog/1000001"
NODE = DIALOGS
Story = Callable[[Rest], Awaitable[None]]


def signed_in(rest: Rest, *agents: str, state: Cti = Cti.NOT_READY) -> None:
    for agent in agents:
        rest.contact.event(Cti.NOT_READY, agent)
        rest.contact.event(state, agent)
    rest.contact.publisher.take()


def talking(rest: Rest, agent: str = "1001") -> tuple[Switch, Truth]:
    """The agent talks to a caller: dialog 1000001."""
    signed_in(rest, agent, state=Cti.AVAILABLE)
    switch = Switch(("1001", "1002", "1101"))
    call, ringing = switch.inbound(agent)
    rest.contact.hear([*ringing, *switch.answer(call, agent)])
    rest.contact.publisher.take()
    return switch, call


def put(action: str, inner: str = "", target: str = "1001") -> str:
    address = f"<targetMediaAddress>{target}</targetMediaAddress>" if target else ""
    return f"<Dialog>{address}<requestedAction>{action}</requestedAction>{inner}</Dialog>"


def post(action: str, to: str = "1002", sender: str = "1001", inner: str = "") -> str:
    return (
        f"<Dialog><requestedAction>{action}</requestedAction><fromAddress>{sender}</fromAddress>"
        f"<toAddress>{to}</toAddress>{inner}</Dialog>"
    )


async def ask(rest: Rest, method: str, path: str, user: str, body: str) -> tuple[int, str | None, str | None]:
    reply = await rest.ask(method, path, user, body, headers={"requestId": "r1"})
    assert rest.log.faults == []
    return reply.status, reply.value("ErrorType"), reply.value("ErrorData")


# ---- reading


def test_an_agent_without_calls_has_an_empty_list() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(DIALOGS)
        assert (reply.status, list(ET.fromstring(reply.body))) == (200, [])
        assert ET.fromstring(reply.body).tag == "Dialogs"

    play(story)


def test_a_dialog_is_read_with_its_elements_in_the_guides_order() -> None:
    async def story(rest: Rest) -> None:
        switch, call = talking(rest)
        rest.contact.hear(switch.data(call, "CALL_VAR_1", "Mr & Mrs <Smith>"))
        (dialog,) = ET.fromstring((await rest.get(DIALOGS)).body)
        single = ET.fromstring((await rest.get(f"{CALL}/?nocache=1")).body)
        assert ET.tostring(dialog).strip().split() == ET.tostring(single).strip().split()
        assert [child.tag for child in single] == [
            "associatedDialogUri", "id", "secondaryId", "mediaType", "fromAddress", "toAddress", "callbackNumber",
            "mediaProperties", "participants", "state", "uri",
        ]  # fmt: skip
        assert [child.tag for child in single.iterfind("mediaProperties/*")] == [
            "mediaId", "dialedNumber", "callType", "DNIS", "queueNumber", "queueName", "callKeyCallId",
            "callKeySequenceNum", "callKeyPrefix", "wrapUpReason", "outboundClassification", "callvariables",
        ]  # fmt: skip
        party = single.find("participants/Participant")
        assert party is not None
        assert [child.tag for child in party] == [
            "actions", "mediaAddress", "mediaAddressType", "startTime", "state", "stateCause", "stateChangeTime",
        ]  # fmt: skip
        assert single.findtext("mediaProperties/callvariables/CallVariable/value") == "Mr & Mrs <Smith>"
        assert (single.findtext("id"), single.findtext("uri"), single.findtext("state")) == ("1000001", CALL, "ACTIVE")
        assert (single.findtext("fromAddress"), single.findtext("toAddress")) == (CALLER, QUEUE)
        assert single.findtext("mediaProperties/queueName") == "Sales"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", party.findtext("startTime") or "")

    play(story)


def test_who_may_read_whose_calls() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        statuses = {who: ((await rest.get(DIALOGS, who)).status, (await rest.get(CALL, who)).status) for who in WHO}
        assert statuses == {"1001": (200, 200), "1002": (401, 401), "1101": (401, 200), "admin": (200, 200)}
        assert (await rest.get("/finesse/api/Dialog/77", "1001")).error[:2] == (404, "Dialog Not Found")

    play(story)


WHO = ("1001", "1002", "1101", "admin")


@pytest.mark.parametrize("name", ["7001", "1001", "agent1"])
def test_calls_are_found_by_extension_id_and_login_name(name: str) -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        rest.contact.hear([_at("7001")])
        for who in ("1001", "admin"):
            reply = await rest.get(f"/finesse/api/User/{name}/Dialogs", who)
            assert reply.status == 200

    play(story)


def _at(extension: str) -> Message:
    message = Switch().state("1001", Cti.NOT_READY)
    return replace(message, floats=(("AGENT_ID", "1001"), ("AGENT_EXTENSION", extension)))


def test_other_methods_are_refused() -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.ask("DELETE", CALL, "1001")).status == 405
        assert (await rest.ask("PUT", DIALOGS, "1001", post("MAKE_CALL"))).status == 405
        assert (await rest.ask("POST", CALL, "1001", put("DROP"))).status == 405

    play(story)


# ---- making calls


def test_a_call_is_made_with_its_variables_and_its_events_carry_the_request_id() -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        inner = (
            "<mediaProperties><callvariables>"
            "<CallVariable><name>callVariable3</name><value>gold</value></CallVariable>"
            "<CallVariable><name>user.account</name><value>77</value></CallVariable>"
            "<CallVariable><name>user.list[2]</name><value>x</value></CallVariable>"
            "</callvariables></mediaProperties>"
        )
        reply = await rest.ask("POST", DIALOGS, "1001", post("MAKE_CALL", inner=inner), headers={"requestId": "r1"})
        assert (reply.status, reply.body) == (202, "")
        (request,) = rest.contact.call_requests
        message = request.message
        assert message.name == "MAKE_CALL_REQ"
        assert (message.text("AGENT_INSTRUMENT"), message.text("DIALED_NUMBER")) == ("1001", "1002")
        assert (message.fields["CallMannerType"], message.fields["SkillGroupNumber"]) == (0, NULL32)
        assert message.text("CALL_VAR_3") == "gold"
        assert (message.fields["NumNamedVariables"], message.fields["NumNamedArrays"]) == (1, 1)
        assert list(message.all("NAMED_VARIABLE")) == [NamedVariable("user.account", "77")]
        assert list(message.all("NAMED_ARRAY")) == [NamedArrayElement(2, "user.list", "x")]
        _, placed = Switch().place("1001", "1002")
        rest.contact.hear(placed)
        told = [item for item in rest.contact.publisher.take() if item.node == NODE]
        assert [(item.value("event"), item.value("requestId"), item.value("source")) for item in told] == [
            ("POST", "r1", DIALOGS),
            ("PUT", "", CALL),
        ]

    play(story)


@pytest.mark.parametrize(("state", "manner"), [(Cti.AVAILABLE, 2), (Cti.NOT_READY, 0)])
def test_an_agent_who_is_ready_is_made_not_ready_first_on_ucce(state: Cti, manner: int) -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001", state=state)
        assert (await ask(rest, "POST", DIALOGS, "1001", post("MAKE_CALL")))[0] == 202
        assert rest.contact.call_requests[0].message.fields["CallMannerType"] == manner

    play(story)


def test_the_extension_may_stand_for_the_user_as_real_clients_write_it() -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        rest.contact.hear([_at("7001")])
        body = post("MAKE_CALL", sender="7001")
        assert (await ask(rest, "POST", "/finesse/api/User/7001/Dialogs", "1001", body))[0] == 202
        assert (await ask(rest, "POST", "/finesse/api/User/7001/Dialogs", "1002", body))[0] == 401

    play(story)


def test_the_own_extension_is_meant_also_where_somebody_elses_id_reads_the_same() -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        rest.contact.hear([_at("1002")])
        path = "/finesse/api/User/1002/Dialogs"
        assert (await ask(rest, "POST", path, "1001", post("MAKE_CALL", to="1101", sender="1002")))[0] == 202
        assert (await ask(rest, "GET", path, "1001", ""))[0] == 200
        assert (await ask(rest, "GET", "/finesse/api/User/1001/Dialogs", "1001", ""))[0] == 200

    play(story)


TOO_LONG = "1" * 40
REFUSED_POSTS = [
    (post("MAKE_CALL", to="1001"), (400, "Invalid Destination", "1001")),
    (post("MAKE_CALL", to=""), (400, "Parameter Missing", "toAddress")),
    (post("MAKE_CALL", to=TOO_LONG), (400, "Invalid Input", "toAddress")),
    (post("MAKE_CALL", to="zwölf"), (400, "Invalid Input", "toAddress")),
    (post("MAKE_CALL", sender=""), (400, "Parameter Missing", "fromAddress")),
    (post("MAKE_CALL", sender="1002"), (400, "Invalid Input", "1002")),
    (post(""), (400, "Parameter Missing", "requestedAction")),
    (post("DANCE"), (400, "Invalid Input", "requestedAction")),
    (post("HOLD"), (400, "Invalid Input", "requestedAction")),
    ("<User/>", (400, "Bad Request", "User instead of Dialog")),
    ("<Dialog>", (400, "Bad Request", None)),
    (
        post("MAKE_CALL", inner="<mediaProperties><wrapUpReason>x</wrapUpReason></mediaProperties>"),
        (400, "Invalid Input", "wrapUpReason"),
    ),
]


@pytest.mark.parametrize(("body", "error"), REFUSED_POSTS)
def test_a_bad_call_is_refused_at_once(body: str, error: tuple[int, str, str | None]) -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        status, kind, data = await ask(rest, "POST", DIALOGS, "1001", body)
        assert (status, kind) == error[:2]
        assert error[2] in (None, data)
        assert not rest.contact.call_requests

    play(story)


def test_nobody_calls_for_somebody_else_or_while_signed_out() -> None:
    async def story(rest: Rest) -> None:
        assert (await ask(rest, "POST", DIALOGS, "1001", post("MAKE_CALL")))[:2] == (400, "Invalid State")
        signed_in(rest, "1001")
        for who in ("1002", "1101", "admin"):
            assert (await ask(rest, "POST", DIALOGS, who, post("MAKE_CALL")))[0] == 401
        assert not rest.contact.call_requests

    play(story)


def test_uccx_takes_no_call_data_with_a_new_call() -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        body = post("MAKE_CALL", inner=variables(("callVariable1", "x")))
        assert await ask(rest, "POST", DIALOGS, "1001", body) == (400, "Invalid Input", "mediaProperties")

    play(story, Deployment.UCCX)


def test_a_call_that_the_cti_server_refuses_is_an_event_of_the_user() -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001")
        await ask(rest, "POST", DIALOGS, "1001", post("MAKE_CALL"))
        rest.contact.answer_call(Outcome.REFUSED, FailureCode.GENERIC_STATE_INCOMPATIBILITY, more=10106)
        (told,) = rest.contact.publisher.take()
        assert told.node == NODE
        assert {name: told.value(name) for name in ("event", "requestId", "source", "errorType", "errorData")} == {
            "event": "PUT",
            "requestId": "r1",
            "source": DIALOGS,
            "errorType": "Call Operation Failure",
            "errorData": "21",
        }
        assert told.value("errorMessage") == "CF_GENERIC_STATE_INCOMPATIBILITY"
        assert told.value("peripheralErrorCode") == "10106"

    play(story)


# ---- acting on calls

SIMPLE = [
    ("HOLD", "HOLD_CALL_REQ", "CONNECTION_DEVID", "ConnectionCallID"),
    ("ANSWER", "ANSWER_CALL_REQ", "CONNECTION_DEVID", "ConnectionCallID"),
    ("RETRIEVE", "RETRIEVE_CALL_REQ", "HELD_CONN_DEVID", "HeldConnectionCallID"),
    ("DROP", "CLEAR_CONNECTION_REQ", "CONNECTION_DEVID", "ConnectionCallID"),
]


@pytest.mark.parametrize(("action", "name", "tag", "field"), SIMPLE)
def test_simple_actions_are_one_message_each(action: str, name: str, tag: str, field: str) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        assert (await ask(rest, "PUT", CALL, "1001", put(action)))[0] == 202
        (request,) = rest.contact.call_requests
        assert request.message.name == name
        assert (request.message.text(tag), request.message.text("AGENT_INSTRUMENT")) == ("1001", "1001")
        assert request.message.fields[field] == 1_000_001

    play(story)


def test_consulting_and_blind_transfers_name_their_destination() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        to = "<toAddress>1002</toAddress>"
        for action in ("CONSULT_CALL", "TRANSFER_SST"):
            assert (await ask(rest, "PUT", CALL, "1001", put(action)))[:2] == (400, "Parameter Missing")
            own = put(action, "<toAddress>1001</toAddress>")
            assert (await ask(rest, "PUT", CALL, "1001", own))[:2] == (400, "Invalid Destination")
        await ask(rest, "PUT", CALL, "1001", put("CONSULT_CALL", to))
        consult = rest.contact.call_requests[0].message
        assert (consult.name, consult.text("DIALED_NUMBER")) == ("CONSULTATION_CALL_REQ", "1002")
        assert consult.fields["ActiveConnectionCallID"] == 1_000_001
        rest.contact.answer_call()
        await ask(rest, "PUT", CALL, "1001", put("TRANSFER_SST", to))
        blind = rest.contact.call_requests[0].message
        assert (blind.name, blind.text("DIALED_NUMBER")) == ("TRANSFER_CALL_REQ", "1002")
        assert (blind.fields["HeldConnectionCallID"], blind.fields["HeldConnectionDeviceIDType"]) == (NULL32, NULL16)

    play(story)


def test_a_transfer_without_a_second_call_fails_as_an_event() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        assert (await ask(rest, "PUT", CALL, "1001", put("TRANSFER")))[0] == 202
        assert not rest.contact.call_requests
        (told,) = rest.contact.publisher.take()
        assert (told.value("errorType"), told.value("source"), told.value("requestId")) == ("Generic Error", CALL, "r1")

    play(story)


def test_what_the_state_forbids_is_asked_and_fails_as_a_generic_error() -> None:
    async def story(rest: Rest) -> None:
        switch, call = talking(rest)
        rest.contact.hear(switch.hold(call, "1001"))
        rest.contact.publisher.take()
        assert (await ask(rest, "PUT", CALL, "1001", put("HOLD")))[0] == 202
        rest.contact.answer_call(Outcome.REFUSED, 21, more=13081)
        (told,) = rest.contact.publisher.take()
        assert (told.value("errorType"), told.value("errorData")) == ("Generic Error", "21")

    play(story)


def test_whose_leg_is_acted_on() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        assert (await ask(rest, "PUT", CALL, "1001", put("HOLD", target="")))[:2] == (400, "Parameter Missing")
        assert (await ask(rest, "PUT", CALL, "1001", put("HOLD", target="1002")))[:2] == (400, "Invalid Input")
        assert (await ask(rest, "PUT", "/finesse/api/Dialog/9", "1001", put("HOLD")))[:2] == (404, "Dialog Not Found")
        assert (await ask(rest, "PUT", CALL, "admin", put("HOLD")))[0] == 401
        signed_in(rest, "1002")
        answer = await ask(rest, "PUT", CALL, "1002", put("HOLD", target="1002"))
        assert answer[:2] == (401, "Invalid Authorization User Specified")
        assert not rest.contact.call_requests

    play(story)


def variables(*pairs: tuple[str, str], wrap_up: str = "") -> str:
    items = "".join(f"<CallVariable><name>{n}</name><value>{v}</value></CallVariable>" for n, v in pairs)
    reason = f"<wrapUpReason>{wrap_up}</wrapUpReason>" if wrap_up else ""
    return f"<mediaProperties>{reason}<callvariables>{items}</callvariables></mediaProperties>"


def test_call_data_are_set_without_a_target_address() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        body = put("UPDATE_CALL_DATA", variables(("callVariable1", "a"), wrap_up="Sold"), target="")
        assert (await ask(rest, "PUT", CALL, "1001", body))[0] == 202
        message = rest.contact.call_requests[0].message
        assert message.name == "SET_CALL_DATA_REQ"
        assert (message.text("CALL_VAR_1"), message.text("CALL_WRAPUP_DATA")) == ("a", "Sold")
        assert (message.fields["CallType"], message.fields["ConnectionCallID"]) == (NULL16, 1_000_001)

    play(story)


@pytest.mark.parametrize(
    "inner",
    [
        variables(("callVariable11", "x")),
        variables(("callVariable1", "x"), ("callVariable1", "y")),
        variables(("BAResponse", "Accept")),
        variables(("user name", "x")),
        variables(("user.list[300]", "x")),
        variables(("u" * 33, "x")),
        variables(("", "x")),
    ],
)
def test_names_that_cannot_be_set_are_refused_at_once(inner: str) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        assert (await ask(rest, "PUT", CALL, "1001", put("UPDATE_CALL_DATA", inner)))[:2] == (400, "Invalid Input")

    play(story)


@pytest.mark.parametrize("inner", ["", "<mediaProperties/>", "<mediaProperties><callvariables/></mediaProperties>"])
def test_setting_nothing_is_refused_at_once(inner: str) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        answer = await ask(rest, "PUT", CALL, "1001", put("UPDATE_CALL_DATA", inner))
        assert answer[:2] == (400, "Parameter Missing")

    play(story)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.PROTECTED_VARIABLE, "Call Variable is protected"),
        (Status.VALUE_TOO_LONG, "Invalid Input"),
        (Status.SCALAR_FUNCTION_ON_ARRAY, "Invalid Input"),
        (Status.UNSPECIFIED_FAILURE, "Call Operation Failure"),
    ],
)
def test_data_that_the_cti_server_refuses_are_events(status: Status, word: str) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        await ask(rest, "PUT", CALL, "1001", put("UPDATE_CALL_DATA", variables(("callVariable1", "a"))))
        rest.contact.answer_call(Outcome.REFUSED, status=status)
        (told,) = rest.contact.publisher.take()
        assert (told.value("errorType"), told.value("errorData")) == (word, str(int(status)))
        assert told.value("errorMessage") == f"E_CTI_{status.name}"

    play(story)


def test_an_update_that_changes_nothing_is_answered_all_the_same() -> None:
    async def story(rest: Rest) -> None:
        switch, call = talking(rest)
        update = switch.data(call, "CALL_VAR_1", "a")
        rest.contact.hear(update)
        rest.contact.publisher.take()
        await ask(rest, "PUT", CALL, "1001", put("UPDATE_CALL_DATA", variables(("callVariable1", "a"))))
        rest.contact.answer_call()
        rest.contact.hear(update)
        (told,) = rest.contact.publisher.take()
        assert (told.value("event"), told.value("requestId")) == ("PUT", "r1")

    play(story)


def digits(value: str) -> str:
    return f"<actionParams><ActionParam><name>dtmfString</name><value>{value}</value></ActionParam></actionParams>"


@pytest.mark.parametrize(
    ("deployment", "inner", "error"),
    [
        (Deployment.UCCE, digits("1*#A"), (202, None)),
        (Deployment.UCCX, digits("1*#A"), (400, "Invalid Input")),
        (Deployment.UCCE, digits("1x"), (400, "Invalid Input")),
        (Deployment.UCCE, digits(""), (400, "Parameter Missing")),
        (Deployment.UCCE, "", (400, "Parameter Missing")),
    ],
)
def test_digits(deployment: Deployment, inner: str, error: tuple[int, str | None]) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        assert (await ask(rest, "PUT", CALL, "1001", put("SEND_DTMF", inner)))[:2] == error

    play(story, deployment)


@pytest.mark.parametrize(("deployment", "status"), [(Deployment.UCCE, 501), (Deployment.UCCX, 202)])
def test_recording_is_uccxs(deployment: Deployment, status: int) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        assert (await ask(rest, "PUT", CALL, "1001", put("START_RECORDING")))[0] == status

    play(story, deployment)


# ---- outbound


def param(name: str, value: str) -> str:
    return f"<ActionParam><name>{name}</name><value>{value}</value></ActionParam>"


OUTBOUND = [
    ("ACCEPT", "", "Accept"),
    ("CLOSE", "", "Reject-Close"),
    ("REJECT", "", "Reject"),
    ("RECLASSIFY", param("outboundClassification", "ANS_MACHINE"), "Ans Machine"),
    ("UPDATE_SCHEDULED_CALLBACK", param("callbackTime", "2014-03-07T14:30"), "Callback 03072014 14:30"),
    ("CANCEL_SCHEDULED_CALLBACK", "", "Callback Cancel"),
]


@pytest.mark.parametrize(("action", "inner", "response"), OUTBOUND)
def test_outbound_calls_are_answered_by_an_ecc_variable(action: str, inner: str, response: str) -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001", state=Cti.AVAILABLE)
        rest.contact.hear(Switch(("1001",)).preview("1001")[1])
        body = put(action, f"<actionParams>{inner}</actionParams>")
        assert (await ask(rest, "PUT", CALL, "1001", body))[0] == 202
        message = rest.contact.call_requests[0].message
        assert (message.name, list(message.all("NAMED_VARIABLE"))) == (
            "SET_CALL_DATA_REQ",
            [NamedVariable("BAResponse", response)],
        )

    play(story)


def test_an_agreed_callback_is_shown_once_the_cti_server_has_taken_it() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        inner = param("callbackTime", "2014-03-07T14:30") + param("callbackNumber", "9785551212")
        body = put("UPDATE_SCHEDULED_CALLBACK", f"<actionParams>{inner}</actionParams>")
        await ask(rest, "PUT", CALL, "1001", body)
        rest.contact.answer_call()
        dialog = ET.fromstring((await rest.get(CALL)).body)
        assert dialog.findtext("scheduledCallbackInfo/callbackTime") == "2014-03-07T14:30"
        assert dialog.findtext("scheduledCallbackInfo/callbackNumber") == "9785551212"
        await ask(rest, "PUT", CALL, "1001", put("CANCEL_SCHEDULED_CALLBACK"))
        rest.contact.answer_call()
        assert ET.fromstring((await rest.get(CALL)).body).find("scheduledCallbackInfo") is None

    play(story)


@pytest.mark.parametrize(
    ("action", "inner", "error"),
    [
        ("RECLASSIFY", "", "Parameter Missing"),
        ("RECLASSIFY", param("outboundClassification", "MARTIAN"), "Invalid Input"),
        ("UPDATE_SCHEDULED_CALLBACK", "", "Parameter Missing"),
        ("UPDATE_SCHEDULED_CALLBACK", param("callbackTime", "tomorrow"), "Invalid Input"),
        ("UPDATE_SCHEDULED_CALLBACK", param("callbackTime", "2014-13-07T14:30"), "Invalid Input"),
        ("UPDATE_SCHEDULED_CALLBACK", param("callbackNumber", "call me"), "Invalid Input"),
    ],
)
def test_bad_outbound_parameters_are_refused(action: str, inner: str, error: str) -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        body = put(action, f"<actionParams>{inner}</actionParams>")
        assert (await ask(rest, "PUT", CALL, "1001", body))[:2] == (400, error)

    play(story)


@pytest.mark.parametrize(
    ("kind", "status"), [(CallType.RESERVATION_PREVIEW, 501), (CallType.RESERVATION_PREVIEW_DIRECT, 202)]
)
def test_uccx_knows_direct_previews_only(kind: CallType, status: int) -> None:
    async def story(rest: Rest) -> None:
        signed_in(rest, "1001", state=Cti.AVAILABLE)
        rest.contact.hear(Switch(("1001",)).preview("1001", kind)[1])
        assert (await ask(rest, "PUT", CALL, "1001", put("ACCEPT")))[0] == status

    play(story, Deployment.UCCX)


# ---- supervisors

SUPERVISOR = "/finesse/api/User/1101/Dialogs"


def monitor(to: str = "1001") -> str:
    return post("SILENT_MONITOR", to, "1101")


def barge() -> str:
    uri = "<associatedDialogUri>/finesse/api/Dialog/1000002</associatedDialogUri>"
    return post("BARGE_CALL", "1001", "1101", uri)


def test_listening_in_names_the_agents_call() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        signed_in(rest, "1101")
        assert (await ask(rest, "POST", SUPERVISOR, "1101", monitor()))[0] == 202
        message = rest.contact.call_requests[0].message
        assert message.name == "SUPERVISE_CALL_REQ"
        assert message.fields["SupervisoryAction"] == SupervisoryAction.MONITOR
        assert (message.fields["AgentConnectionCallID"], message.text("AGENT_CONNECTION_DEVID")) == (1_000_001, "1001")
        assert message.text("SUPERVISOR_INSTRUMENT") == "1101"
        rest.contact.answer_call(Outcome.REFUSED, 21, more=13095)
        told = rest.contact.publisher.take()[-1]
        assert (told.node, told.value("errorType")) == (SUPERVISOR, "Invalid State")
        assert told.value("errorData") == "13145"

    play(story)


def test_who_may_listen_to_whom() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        signed_in(rest, "1101", "1002")
        assert (await ask(rest, "POST", SUPERVISOR, "1101", monitor("1002")))[:2] == (400, "Invalid Destination")
        assert (await ask(rest, "POST", SUPERVISOR, "1101", monitor(CALLER)))[:2] == (400, "Invalid Destination")
        body = post("SILENT_MONITOR", "1001", "1002")
        assert (await ask(rest, "POST", "/finesse/api/User/1002/Dialogs", "1002", body))[0] == 401
        assert not rest.contact.call_requests

    play(story)


def test_a_supervisor_on_a_call_does_not_listen_in() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        signed_in(rest, "1101")
        switch = Switch(("1101",))
        switch._next = 1_000_009
        rest.contact.hear(switch.place("1101", "5550000")[1])
        assert (await ask(rest, "POST", SUPERVISOR, "1101", monitor()))[:2] == (400, "Invalid State")

    play(story)


def test_barging_in_needs_listening_first_and_an_agent_who_neither_holds_nor_consults() -> None:
    async def story(rest: Rest) -> None:
        switch, call = talking(rest)
        signed_in(rest, "1101")
        assert (await ask(rest, "POST", SUPERVISOR, "1101", barge()))[:2] == (400, "Invalid State")
        missing = post("BARGE_CALL", "1001", "1101")
        assert (await ask(rest, "POST", SUPERVISOR, "1101", missing))[:2] == (400, "Parameter Missing")
        rest.contact.hear(switch.monitor("1101", "1001")[1])
        rest.contact.hear(switch.hold(call, "1001"))
        assert (await ask(rest, "POST", SUPERVISOR, "1101", barge()))[:2] == (400, "Invalid Destination")
        rest.contact.hear(switch.place("1001", "1002", call)[1])
        assert (await ask(rest, "POST", SUPERVISOR, "1101", barge()))[:2] == (400, "20999")

    play(story)


def test_a_barge_names_both_calls() -> None:
    async def story(rest: Rest) -> None:
        switch, _ = talking(rest)
        signed_in(rest, "1101")
        rest.contact.hear(switch.monitor("1101", "1001")[1])
        assert (await ask(rest, "POST", SUPERVISOR, "1101", barge()))[0] == 202
        message = rest.contact.call_requests[0].message
        assert message.fields["SupervisoryAction"] == SupervisoryAction.BARGE_IN
        fields = message.fields
        assert (fields["AgentConnectionCallID"], fields["SupervisorConnectionCallID"]) == (1_000_001, 1_000_002)

    play(story)


# ---- lines


def test_requests_of_one_dialog_wait_for_each_other() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        for action in ("HOLD", "RETRIEVE", "DROP"):
            assert (await ask(rest, "PUT", CALL, "1001", put(action)))[0] == 202
        assert [r.message.name for r in rest.contact.call_requests] == ["HOLD_CALL_REQ"]
        rest.contact.answer_call()
        assert [r.message.name for r in rest.contact.call_requests] == ["RETRIEVE_CALL_REQ"]
        rest.contact.answer_call(Outcome.REFUSED, 21)
        assert [r.message.name for r in rest.contact.call_requests] == ["CLEAR_CONNECTION_REQ"]

    play(story)


def test_a_waiting_request_whose_call_ends_fails_as_an_event() -> None:
    async def story(rest: Rest) -> None:
        switch, call = talking(rest)
        for action in ("DROP", "HOLD"):
            await ask(rest, "PUT", CALL, "1001", put(action))
        rest.contact.hear(switch.over(call, "1001"))
        rest.contact.publisher.take()
        rest.contact.answer_call()
        (told,) = rest.contact.publisher.take()
        assert (told.value("errorType"), told.value("requestId")) == ("Generic Error", "r1")
        assert not rest.contact.call_requests

    play(story)


def test_nobody_can_fill_a_line_without_end() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        answers = [(await ask(rest, "PUT", CALL, "1001", put("HOLD")))[0] for _ in range(WAITING_MAX + 2)]
        assert answers == [202] * (WAITING_MAX + 1) + [400]

    play(story)


def test_out_of_service_nothing_is_read_or_asked() -> None:
    async def story(rest: Rest) -> None:
        talking(rest)
        rest.contact.link_down()
        assert (await rest.get(DIALOGS)).status == 503
        assert (await ask(rest, "PUT", CALL, "1001", put("HOLD")))[0] == 503

    play(story)
