"""The catalogues: the same keys in every language, a text for every cause, and no figure lost in translation."""

from __future__ import annotations

import re
from typing import Any

import pytest

from poise.diagnosis import analysis
from poise.diagnosis.causes import CAUSES, Side
from poise.diagnosis.codes import OTHER
from poise.diagnosis.wording import LANGUAGES, Words, catalogue


def leaves(tree: Any, path: str = "") -> dict[str, str]:
    if isinstance(tree, dict):
        return {k: v for name, value in tree.items() for k, v in leaves(value, f"{path}/{name}").items()}
    if isinstance(tree, list):
        return {k: v for number, value in enumerate(tree) for k, v in leaves(value, f"{path}/{number}").items()}
    return {path: tree}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_with_the_same_figures(language: str) -> None:
    english, other = leaves(catalogue("en")), leaves(catalogue(language))
    assert english.keys() == other.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", other[key])), key
        assert other[key].strip(), key


@pytest.mark.parametrize("language", ["pt-BR", "es"])
def test_no_sentence_is_left_in_english(language: str) -> None:
    english, other = leaves(catalogue("en")), leaves(catalogue(language))
    same = [key for key, text in english.items() if len(text) > 25 and other[key] == text and "utils" not in text]
    assert same == []


def test_every_cause_side_and_code_has_a_text() -> None:
    texts = catalogue("en")
    assert texts["causes"].keys() == CAUSES.keys()
    assert texts["side"].keys() == {side.value for side in Side}
    assert texts["codes"].keys() == set(OTHER.values()) | {"own"}


def test_a_language_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="pt-BR"):
        Words("xx")


def test_rules_name_only_causes_of_the_table() -> None:
    assert len(analysis.RULES) == len(set(analysis.RULES))
