"""Reason codes as XML (finesse-api.md 2.1, 2.5, 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from poise.contact.reasons import Category, ReasonCode
from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.markup import Node, branch, leaf, render

ALL = "ALL"
"""Value of the query parameter `category` that stands for both."""


def reason_children(reason: ReasonCode) -> Iterator[Node]:
    """The children of a ReasonCode. System codes are no resources: their uri is empty, their id -1."""
    yield leaf("category", reason.category.value)
    yield leaf("uri", "" if reason.system else f"{nodes.ROOT}/ReasonCode/{reason.id}")
    yield leaf("code", reason.code)
    yield leaf("label", reason.label)
    yield leaf("forAll", reason.for_all)
    yield leaf("systemCode", reason.system)
    yield leaf("id", reason.id)


def reason_code_xml(reason: ReasonCode) -> str:
    """One ReasonCode."""
    return render(branch("ReasonCode", reason_children(reason)))


def reason_codes_xml(reasons: Iterable[ReasonCode], category: Category | None) -> str:
    """A list; None stands for both categories."""
    shown = category.value if category is not None else ALL
    children = tuple(branch("ReasonCode", reason_children(reason)) for reason in reasons)
    return render(Node("ReasonCodes", children, f' category="{shown}"'))


def category_of_query(value: str | None) -> Category | None:
    """The query parameter `category`: NOT_READY, LOGOUT, or ALL as None. Raises ApiException when absent or wrong."""
    if not value:
        raise ApiException(Code.PARAMETER_MISSING, "category")
    if value == ALL:
        return None
    try:
        return Category(value)
    except ValueError:
        raise ApiException(Code.INVALID_INPUT, "category") from None
