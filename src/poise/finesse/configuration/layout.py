"""The desktop layout document: checked against its schema, each fault with its line (clients.md 4).

Theory. The schema is two tables: what may stand in an element, and which attributes it has. Rules that look at two
places (ids are unique, a manager exists, one layout a role) are checked while reading, at the line of the second.
Comments are welcome: administrators keep what they switch off in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

NAMESPACE = "http://www.cisco.com/vtg/finesse"
ROOT = "finesseLayout"
SIZE_MAX = 1024 * 1024
"""Bytes of a layout; the largest in the field have about 100,000."""
FAULTS_MAX = 20
"""Faults that are told of one document."""
COLUMNS_MAX = 4
DEPTH_MAX = 16
ROLES = ("Agent", "Supervisor", "Admin")
COMPONENTS = "/desktop/scripts/js/"
"""Where components come from; others are refused, custom gadgets are not."""
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

TEXT: tuple[str, ...] = ("#text",)
CHILDREN: Mapping[str, tuple[str, ...]] = {
    ROOT: ("version", "configs", "header", "layout"),
    "version": TEXT,
    "configs": ("config",),
    "config": (),
    "header": ("leftAlignedColumns", "rightAlignedColumns"),
    "leftAlignedColumns": ("headercolumn",),
    "rightAlignedColumns": ("headercolumn",),
    "headercolumn": ("component", "gadget"),
    "component": ("url",),
    "url": TEXT,
    "layout": ("role", "page", "tabs"),
    "role": TEXT,
    "page": ("gadget",),
    "tabs": ("tab",),
    "tab": ("id", "icon", "label", "columns", "gadgets"),
    "id": TEXT,
    "icon": TEXT,
    "label": TEXT,
    "columns": ("column",),
    "column": ("gadgets",),
    "gadgets": ("gadget",),
    "gadget": TEXT,
}
"""Element -> what may stand in it."""
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "config": ("key", "value"),
    "headercolumn": ("width",),
    "component": ("id",),
    "gadget": ("id", "managedBy", "hidden", "default", "maxRows"),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    ROOT: ("layout",),
    "layout": ("role", "tabs"),
    "tabs": ("tab",),
    "tab": ("id", "label"),
    "component": ("url",),
}
"""Element -> elements that must stand in it."""
NEEDED_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {"config": ("key", "value"), "component": ("id",)}


class Fault(NamedTuple):
    """What is wrong, and where."""

    line: int
    """From 1."""
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(slots=True)
class _Open:
    name: str
    line: int
    children: list[str] = field(default_factory=list)
    text: str = ""
    ids: set[str] = field(default_factory=set)


class _Stopped(Exception):  # noqa: N818 - ends the parser, no fault of ours
    """Nothing more is read."""


class _Check:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.open: list[_Open] = []
        self.ids: dict[str, int] = {}
        self.managers: list[tuple[str, int]] = []
        self.roles: dict[str, int] = {}
        self.parser = parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.restricted
        parser.EntityDeclHandler = self.restricted
        parser.SkippedEntityHandler = self.restricted

    def fault(self, text: str, line: int | None = None) -> None:
        """Note one; after the last that is told nothing more is read."""
        self.faults.append(Fault(line or self.parser.CurrentLineNumber, text))
        if len(self.faults) >= FAULTS_MAX:
            raise _Stopped

    def restricted(self, *_: object) -> None:
        """A DTD or an entity of one's own."""
        self.fault("document types and entities are not allowed")
        raise _Stopped

    def start(self, raw: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        namespace, _, name = raw.rpartition("}")
        line = self.parser.CurrentLineNumber
        if len(self.open) >= DEPTH_MAX:
            self.fault("elements are nested too deeply")
            raise _Stopped
        parent = self.open[-1] if self.open else None
        if parent is None and (name != ROOT or namespace != NAMESPACE):
            self.fault(f"the document must be a {ROOT} in the namespace {NAMESPACE}")
            raise _Stopped
        if name not in CHILDREN:
            self.fault(f"there is no element {name[:64]}")
        elif parent is not None:
            if parent.name in CHILDREN and name not in CHILDREN[parent.name]:
                self.fault(f"{name} is not allowed in {parent.name}")
            parent.children.append(name)
        self.attributes(name, attributes, line)
        self.open.append(_Open(name, line))

    def attributes(self, name: str, given: Mapping[str, str], line: int) -> None:
        """Attributes of one element."""
        for key in given:
            if key not in ATTRIBUTES.get(name, ()):
                self.fault(f"{name[:64]} has no attribute {key[:64]}")
        for key in NEEDED_ATTRIBUTES.get(name, ()):
            if key not in given:
                self.fault(f"{name} needs the attribute {key}")
        own = given.get("id")
        if own is not None:
            if not _ID.fullmatch(own):
                self.fault(f"the id {own[:64]!r} must start with a letter and go on with letters, digits, - and _")
            if own in self.ids:
                self.fault(f"the id {own[:64]} is used on line {self.ids[own]} already")
            self.ids.setdefault(own, line)
        if "managedBy" in given:
            self.managers.append((given["managedBy"], line))
        for key in ("hidden", "default"):
            if given.get(key, "true") not in ("true", "false"):
                self.fault(f"{key} is true or false")
        if not given.get("maxRows", "1").isdigit():
            self.fault("maxRows is a number")

    def characters(self, data: str) -> None:
        """Text."""
        if not self.open:
            return
        here = self.open[-1]
        if data.strip() and CHILDREN.get(here.name, TEXT) != TEXT:
            self.fault(f"{here.name} holds no text of its own")
        here.text += data

    def end(self, _raw: str) -> None:
        """An element ends: what it must hold is there by now."""
        here = self.open.pop()
        for name in REQUIRED.get(here.name, ()):
            if name not in here.children:
                self.fault(f"{here.name} needs {name}", here.line)
        value = here.text.strip()
        match here.name:
            case "role":
                if value not in ROLES:
                    self.fault("role is one of " + ", ".join(ROLES), here.line)
                elif value in self.roles:
                    self.fault(f"there is a layout for {value} on line {self.roles[value]} already", here.line)
                self.roles.setdefault(value, here.line)
            case "gadget" | "id" | "label" | "url" if not value:
                self.fault(f"{here.name} is empty", here.line)
            case "gadget" | "url" if not value.startswith(("/", "http://", "https://")):
                self.fault(f"{value[:64]} is neither an absolute URL nor a path on this server", here.line)
            case "url" if not value.startswith(COMPONENTS):
                self.fault("only components of the desktop itself are allowed in the header", here.line)
            case "columns" if here.children.count("column") > COLUMNS_MAX:
                self.fault(f"there may be {COLUMNS_MAX} columns at most", here.line)
            case "tab" if "columns" in here.children and "gadgets" in here.children:
                self.fault("a tab has either columns or gadgets", here.line)
            case _:
                pass

    def managed(self) -> None:
        """Who is said to manage a gadget must be there."""
        for manager, line in self.managers:
            if manager not in self.ids:
                self.fault(f"managedBy names {manager[:64]}, which no gadget has as its id", line)


def faults(layout: str) -> list[Fault]:
    """What is wrong with a layout, in the order of its lines; empty when it is good."""
    data = layout.strip().encode("utf-8", "replace")
    if len(data) > SIZE_MAX:
        return [Fault(1, f"more than {SIZE_MAX} bytes")]
    skipped = len(layout) - len(layout.lstrip())
    before = layout[:skipped].count("\n")
    check = _Check()
    try:
        check.parser.Parse(data, True)
        check.managed()
    except expat.ExpatError as error:
        check.faults.append(Fault(error.lineno, f"not well-formed: {expat.ErrorString(error.code)}"))
    except _Stopped:
        pass
    return sorted(Fault(fault.line + before, fault.text) for fault in check.faults)


DEFAULT_LAYOUT = """\
<finesseLayout xmlns="http://www.cisco.com/vtg/finesse">
  <configs>
    <config key="title" value="Poise"/>
  </configs>
  <header>
    <leftAlignedColumns>
      <headercolumn width="300px">
        <component id="cd-logo"><url>/desktop/scripts/js/logo.js</url></component>
      </headercolumn>
      <headercolumn width="230px">
        <component id="agent-voice-state"><url>/desktop/scripts/js/agentvoicestate.component.js</url></component>
      </headercolumn>
    </leftAlignedColumns>
    <rightAlignedColumns>
      <headercolumn width="50px">
        <component id="make-new-call-component"><url>/desktop/scripts/js/makenewcall.component.js</url></component>
      </headercolumn>
      <headercolumn width="72px">
        <component id="identity-component"><url>/desktop/scripts/js/identity-component.js</url></component>
      </headercolumn>
    </rightAlignedColumns>
  </header>
  <layout>
    <role>Agent</role>
    <page>
      <gadget>/desktop/scripts/js/callcontrol.js</gadget>
    </page>
    <tabs>
      <tab>
        <id>home</id>
        <icon>home</icon>
        <label>finesse.container.tabs.agent.homeLabel</label>
        <columns>
          <column>
            <gadgets>
              <gadget>/desktop/scripts/js/queueStatistics.js</gadget>
            </gadgets>
          </column>
        </columns>
      </tab>
    </tabs>
  </layout>
  <layout>
    <role>Supervisor</role>
    <page>
      <gadget>/desktop/scripts/js/callcontrol.js</gadget>
    </page>
    <tabs>
      <tab>
        <id>home</id>
        <icon>home</icon>
        <label>finesse.container.tabs.supervisor.homeLabel</label>
        <columns>
          <column>
            <gadgets>
              <gadget id="team-performance">/desktop/scripts/js/teamPerformance.js</gadget>
              <gadget>/desktop/scripts/js/queueStatistics.js</gadget>
            </gadgets>
          </column>
        </columns>
      </tab>
    </tabs>
  </layout>
</finesseLayout>
"""
"""The layout of a new server."""
