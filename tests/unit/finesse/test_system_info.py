"""SystemInfo: the seed's 166 bytes, and what fail-over logic reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from poise.contact.states import Deployment
from poise.finesse.system_info import (
    CtiServer,
    SystemStatus,
    system_info_update,
    system_info_xml,
    timestamp_only_xml,
    wants_timestamp_only,
)
from poise.protocols.xmpp.xml import parse

NOW = datetime(2017, 4, 14, 16, 4, 26, 851_000, UTC).timestamp()
STATUS = SystemStatus(Deployment.UCCE, "localhost", "localhost", timezone_offset_min=330, in_service=True)


def test_the_short_form_has_the_166_bytes_of_the_seed() -> None:
    xml = timestamp_only_xml(STATUS, NOW)
    assert len(xml.encode()) == 166
    assert "<currentTimestamp>2017-04-14T16:04:26.851Z</currentTimestamp>" in xml


def test_the_full_form_says_what_clients_decide_by() -> None:
    values = {child.name: child.text for child in parse(system_info_xml(STATUS, NOW).encode()).elements()}
    assert values["status"] == "IN_SERVICE"
    assert values["statusReason"] == ""
    assert values["xmppDomain"] == "localhost"
    assert values["xmppPubSubDomain"] == "pubsub.localhost"
    assert values["deploymentType"] == "UCCE"
    assert values["lastCTIHeartbeatStatus"] == "failure"
    assert values["lastSuccessCTIHeartbeatTime"] == ""
    assert "secondaryNode" not in values


def test_the_domain_is_the_host_of_the_node_that_answers() -> None:
    info = parse(system_info_xml(STATUS, NOW).encode())
    primary, domain = info.child("primaryNode"), info.child("xmppDomain")
    assert primary is not None
    assert domain is not None
    host = primary.child("host")
    assert host is not None
    assert host.text == domain.text


def test_out_of_service_gives_a_reason_and_a_second_node_is_named() -> None:
    status = SystemStatus(
        Deployment.UCCX,
        "a.example",
        "a.example",
        secondary_host="b.example",
        reason="CTI link down",
        heartbeat_ok=True,
        last_heartbeat_at=NOW,
        cti_version=20,
    )
    event = parse(system_info_update(status, NOW).encode())
    assert event.name == "systemInfo"
    values = {child.name: child.text for child in event.elements()}
    assert (values["status"], values["statusReason"]) == ("OUT_OF_SERVICE", "CTI link down")
    assert values["lastSuccessCTIHeartbeatTime"] == "1492185866851"
    assert event.child("secondaryNode") is not None


@pytest.mark.parametrize(
    ("query", "short"),
    [
        ({"timestamponly": "", "nocache": "1492185680998"}, True),
        ({"timestampOnly": "true"}, True),
        ({"timestampOnly": "false"}, False),
        ({"nocache": "1"}, False),
        ({}, False),
    ],
)
def test_the_short_form_is_asked_for_in_several_spellings(query: dict[str, str], short: bool) -> None:
    assert wants_timestamp_only(query) is short


def test_the_fields_of_12_6_are_there_nobody_having_been_in_maintenance_mode() -> None:
    servers = (CtiServer("cti-a.example.com", 61.7), CtiServer("cti-b.example.com", None))
    info = parse(system_info_xml(replace(STATUS, cti_servers=servers), NOW).encode())
    values = {child.name: child.text for child in info.elements()}
    assert [values[name] for name in ("ctiMMode", "ctiTimeInMMode", "finesseMMode", "finesseTimeInMMode")] == [
        "", "-1", "", "-1",
    ]  # fmt: skip
    shown = info.child("ctiServers")
    assert shown is not None
    assert [[child.text for child in server.elements()] for server in shown.elements()] == [
        ["cti-a.example.com", "61", "true"],
        ["cti-b.example.com", "0", "false"],
    ]
    primary = info.child("primaryNode")
    assert primary is not None
    assert [child.name for child in primary.elements()] == ["host", "httpsPort", "xmppPort", "xmppSecurePort"]
