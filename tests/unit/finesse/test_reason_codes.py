"""Lists of reason codes."""

from __future__ import annotations

import pytest

from poise.contact.reasons import Category
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.reason_codes import category_of_query, reason_code_xml, reason_codes_xml
from poise.protocols.xmpp.xml import parse
from tests.unit.finesse.people import LUNCH


def test_a_list_names_its_category_and_may_be_empty() -> None:
    document = parse(reason_codes_xml([LUNCH], Category.NOT_READY).encode())
    assert document.attrs == {"category": "NOT_READY"}
    reason = document.child("ReasonCode")
    assert reason is not None
    assert {child.name: child.text for child in reason.elements()} == {
        "category": "NOT_READY",
        "uri": "/finesse/api/ReasonCode/16",
        "code": "10",
        "label": "Lunch & Tea",
        "forAll": "true",
        "systemCode": "false",
        "id": "16",
    }
    assert reason_codes_xml([], None) == '<ReasonCodes category="ALL">\n</ReasonCodes>'
    assert reason_code_xml(LUNCH).startswith("<ReasonCode>\n")


def test_the_category_must_be_asked_for() -> None:
    assert category_of_query("NOT_READY") is Category.NOT_READY
    assert category_of_query("ALL") is None
    for value, code in ((None, Code.PARAMETER_MISSING), ("", Code.PARAMETER_MISSING), ("LUNCH", Code.INVALID_INPUT)):
        with pytest.raises(ApiException) as refused:
            category_of_query(value)
        assert refused.value.code is code
