"""`poise explain`: every code of the server's tables has its meaning at the prompt."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from poise.cli.explain import REMARKS, meanings
from poise.cli.main import app
from poise.contact.reasons import SYSTEM_CODES
from poise.finesse.api_errors import CATALOGUE
from poise.registry import ENDINGS


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *words])
    return result.exit_code, result.stdout, result.stderr


def kinds(*words: str) -> list[str]:
    return [meaning["kind"] for meaning in json.loads(run("--json", *words)[1])]


def test_an_ending_is_told_with_who_ended_it_and_what_to_do() -> None:
    code, output, _ = run("idle")
    assert code == 0
    assert output.startswith("idle (ending of a session)\n  means:")
    assert ENDINGS["idle"].operator in output
    assert "ended by:      network" in output


def test_the_code_everybody_asks_for_is_told_for_both_products() -> None:
    code, output, _ = run("255")
    assert code == 0
    assert kinds("255") == ["reason code, UCCE", "reason code, UCCX"]
    assert "a connection problem" in output


def test_a_code_with_two_meanings_is_told_with_both() -> None:
    assert kinds("50002") == ["reason code, UCCE", "reason code, UCCE"]
    assert kinds("bad-request").count("ending of a session") == 1
    assert kinds("bad-request").count("REST error") >= 1
    assert kinds("33") == ["reason code, UCCX", "refusal of the CTI server"]


def test_an_unknown_session_is_told_to_look_back() -> None:
    assert "Look back" in run("item-not-found")[1]
    assert "ending of a session" in kinds("item-not-found")


@pytest.mark.parametrize("word", ["503", "SERVER_OUT_OF_SERVICE", "Service Unavailable", "service unavailable"])
def test_a_rest_error_is_found_by_status_type_and_message(word: str) -> None:
    assert kinds(word) == ["REST error"]


@pytest.mark.parametrize("word", ["CF_INVALID_PASSWORD_SPECIFIED", "257", "cf_invalid_password_specified"])
def test_a_refusal_of_the_cti_server_is_found_by_name_and_number(word: str) -> None:
    assert kinds(word) == ["refusal of the CTI server"]


def test_a_negative_code_is_told_too() -> None:
    assert kinds("--", "-1") == ["reason code, UCCE"]


def test_a_slip_is_answered_with_the_nearest_code_and_exit_code_1() -> None:
    code, output, error = run("idel")
    assert (code, output) == (1, "")
    assert "Did you mean idle?" in error


def test_an_unknown_code_is_an_empty_list_in_json_and_exit_code_1() -> None:
    code, output, _ = run("no such code at all", "--json")
    assert (code, json.loads(output)) == (1, [])


def test_without_a_code_all_are_listed() -> None:
    code, output, _ = run()
    assert code == 0
    assert len(output.splitlines()) == len(list(meanings()))


def test_every_code_of_the_servers_tables_is_known() -> None:
    known = {(meaning.kind, meaning.code) for meaning in meanings()}
    assert {("ending of a session", code) for code in ENDINGS} <= known
    assert {("REST error", code.value) for code in CATALOGUE} <= known
    for deployment, reasons in SYSTEM_CODES.items():
        assert {(f"reason code, {deployment.value}", str(number)) for _, number in reasons} <= known


def test_every_remark_belongs_to_a_code() -> None:
    numbers = {number for reasons in SYSTEM_CODES.values() for _, number in reasons}
    assert set(REMARKS) <= numbers


@settings(max_examples=40)
@given(st.text(string.printable + "äß\u2028\x00", min_size=1).filter(lambda word: not word.startswith("-")))
def test_whatever_is_asked_the_answer_is_a_sentence_and_no_traceback(word: str) -> None:
    code, output, error = run(word)
    assert code == (0 if output else 1)
    assert "Traceback" not in error
