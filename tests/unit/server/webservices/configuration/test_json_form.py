"""Answers as JSON: the same objects, with lists, numbers and truth values as the tables have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poise.server.webservices.json_form import wants_json
from tests.unit.server.agents.stage import USER
from tests.unit.server.webservices.configuration.examples import EXAMPLES
from tests.unit.server.webservices.configuration.stage import API, Centre, play

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, False),
        ("*/*", False),
        ("application/xml", False),
        ("application/json", True),
        ("Application/JSON;q=0.9", True),
        ("application/json, text/plain, */*", True),
        ("application/xml, application/json", False),
        ("application/json, application/xml;q=0.5", True),
        ("application/json-patch+json", False),
    ],
)
def test_json_is_given_to_those_who_ask_for_it_before_xml(accept: str | None, wanted: bool) -> None:
    assert wants_json(accept) is wanted


def test_objects_lists_numbers_and_truth_values(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", EXAMPLES["ReasonCode"].body)
        reply = await centre.as_admin("GET", "/ReasonCodes?category=ALL", headers=JSON)
        assert reply.header("content-type") == "application/json"
        reason = {
            "uri": API + made,
            "category": "NOT_READY",
            "code": 12,
            "label": "Lunch",
            "forAll": True,
            "systemCode": False,
            "id": "1",
        }
        assert json.loads(reply.body) == {"ReasonCodes": [reason], "category": "ALL"}
        layout = await centre.make("/MediaPropertiesLayout", EXAMPLES["MediaPropertiesLayout"].body)
        shown = json.loads((await centre.as_admin("GET", layout, headers=JSON)).body)["MediaPropertiesLayout"]
        assert shown["header"] == {"entry": {"displayName": "Name", "mediaProperty": "callVariable1"}}
        assert shown["column"] == [{"entry": [{"displayName": "", "mediaProperty": "dialedNumber"}]}, {"entry": []}]
        empty = await centre.as_admin("GET", "/PhoneBooks", headers=JSON)
        assert json.loads(empty.body) == {"PhoneBooks": []}

    play(tmp_path, story)


def test_users_and_refusals_too(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        user = json.loads((await centre.get(USER, "1101", headers=JSON)).body)["User"]
        assert (user["loginId"], user["roles"]) == ("1001", ["Agent"])
        refused = await centre.get(f"{API}/Nowhere", headers=JSON)
        (error,) = json.loads(refused.body)["ApiErrors"]
        assert (refused.status, error["ErrorType"]) == (404, "Not Found")
        assert refused.header("poise-code") == "not-found"

    play(tmp_path, story)


def test_every_refusal_names_the_code_that_explain_explains(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        assert (await centre.get(f"{API}/PhoneBooks", "1001")).header("poise-code") == "administrators-only-api"
        assert (await centre.as_admin("POST", "/PhoneBook", "<x")).header("poise-code") == "malformed-xml"

    play(tmp_path, story)
