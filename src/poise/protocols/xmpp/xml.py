"""XML in and out: small immutable elements, a strict bounded parser, a serialiser that never emits a non-XML character."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Element:
    """An element that nobody changes after it was built.

    `attrs` keys: plain local name for unqualified attributes, "xml:lang" and the like for the xml namespace,
    "{uri}local" for any other namespace. `children` holds Elements and text in document order.
    """

    __slots__ = ("attrs", "children", "name", "ns")

    def __init__(
        self, name: str, ns: str, attrs: Mapping[str, str] | None = None, children: tuple[Element | str, ...] = ()
    ) -> None:
        self.name = name
        self.ns = ns
        self.attrs: Mapping[str, str] = attrs if attrs is not None else {}
        self.children = children

    def elements(self) -> Iterator[Element]:
        """Child elements in document order."""
        return (child for child in self.children if isinstance(child, Element))

    def child(self, name: str, ns: str | None = None) -> Element | None:
        """First child element of that name (and namespace, when given)."""
        for child in self.children:
            if isinstance(child, Element) and child.name == name and (ns is None or child.ns == ns):
                return child
        return None

    @property
    def text(self) -> str:
        """The element's own character data, children's excluded."""
        return "".join(child for child in self.children if isinstance(child, str))
