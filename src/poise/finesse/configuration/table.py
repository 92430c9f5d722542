"""The configuration resources, a row each (finesse-api.md 4.7; clients.md 4).

Theory. A row says what an object holds, what must be unique, how many there may be, who reads it and on which product
it exists. The handler, the store, the OpenAPI document and the reference page read the rows and have no rules of their
own. Configuration is synchronous and publishes no event: those whom it concerns read it when they sign in or reload.

Where the guide is silent: bodies of ECCVariableConfig, ChatConfig and DesktopConfig are ours; bounds marked `ours`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from poise.contact.reasons import CODE_MAX
from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration import layout
from poise.finesse.configuration.fields import (
    Document,
    Field,
    boolean,
    choice,
    complete,
    group,
    integer,
    items,
    repeated,
    text,
)

NUMBER_MAX = 2**31 - 1
"""Largest id."""
PORT = (1, 65_535)
URI = Field("uri", computed="{uri}")
ID = Field("id", computed="{id}")


class Readers(Enum):
    """Who may read; only administrators ever write."""

    ADMINISTRATORS = "administrator"
    EVERYONE = "anyone signed in"


class Products(Enum):
    """Where a resource exists."""

    BOTH = "UCCE and UCCX"
    UCCE = "UCCE only"


def _nothing(_: Document) -> None:
    """No rule over several fields."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of object."""

    name: str
    """Its element, and its path segment."""
    fields: tuple[Field, ...]
    doc: str
    """What it is, in a sentence."""
    plural: str = ""
    """Element and path segment of the list; empty: there is one object only."""
    parent: str = ""
    """Kind of the object it belongs to."""
    path: str = ""
    """Path of a single object where it is not the name."""
    keys: tuple[tuple[str, ...], ...] = ()
    """Fields whose values together may stand in one object only."""
    bucket: tuple[str, ...] = ()
    """Fields by whose values objects are counted."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Bucket (see `bucket_of`) -> most objects; `ALL` counts them all, `WITHIN` those of one parent."""
    readers: Readers = Readers.ADMINISTRATORS
    products: Products = Products.BOTH
    fixed: tuple[str, ...] = ()
    """Fields that keep the value they were made with."""
    keeps_previous: bool = False
    """The version before the last change can be read."""
    pointed_at: tuple[str, str] | None = None
    """Kind and field that name objects of this kind by their uri: they cannot be deleted meanwhile."""
    check: Callable[[Document], None] = _nothing
    """Rules over several fields. Raises ApiException."""

    @property
    def only_one(self) -> bool:
        """There is one object, which nobody makes and nobody deletes."""
        return not self.plural

    def uri(self, number: int, parent: int = 0) -> str:
        """Address of one object."""
        if self.parent:
            return f"{nodes.ROOT}/{self.parent}/{parent}/{self.name}/{number}"
        return f"{nodes.ROOT}/{self.path or self.name}" if self.only_one else f"{nodes.ROOT}/{self.name}/{number}"

    def bucket_of(self, document: Mapping[str, Any]) -> str:
        """Where an object is counted, such as NOT_READY/true."""
        return "/".join(_word(document.get(name, "")) for name in self.bucket)

    def keys_of(self, document: Mapping[str, Any], parent: int = 0) -> list[str]:
        """What no other object may have, such as `category=not_ready,code=12`."""
        within = f"{parent}:" if self.parent else ""
        return [
            within + ",".join(f"{name}={_word(document.get(name, '')).casefold()}" for name in names)
            for names in self.keys
        ]

    def initial(self) -> Document:
        """The only object while nobody has changed it."""
        return complete({}, self.fields)


ALL, WITHIN = "*", "parent"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---- rules over several fields


def _good_layout(document: Document) -> None:
    if document.get("useDefault") is True:
        return
    found = layout.faults(document.get("layoutxml", ""))
    if found:
        raise ApiException(Code.INVALID_INPUT, "layoutxml: " + "; ".join(str(fault) for fault in found))


def _action_is_whole(document: Document) -> None:
    """Both types name what to open or to ask."""
    given = {param["name"] for param in document.get("params", [])}
    if not given:
        return
    needed = {"BROWSER_POP": ("path",), "HTTP_REQUEST": ("method", "path")}[document["type"]]
    for name in needed:
        if name not in given:
            raise ApiException(Code.PARAMETER_MISSING, f"params/{name}")


# ---- the rows

_VARIABLE = group("Variable", text("name", 32), text("node", 500), choice("type", "SYSTEM", "CUSTOM"))
_ENTRY = (
    text("displayName", 50),
    text("mediaProperty", 64, required=True, least=1),
    boolean("uiEditable"),
    boolean("showInPopOver"),
)
_REASON_BUCKETS = {f"{category}/{shared}": 100 for category in ("NOT_READY", "LOGOUT") for shared in ("true", "false")}

REASON_CODE = Row(
    "ReasonCode",
    (
        URI,
        choice("category", "NOT_READY", "LOGOUT", required=True),
        integer("code", 1, CODE_MAX, required=True),
        text("label", 40, required=True, least=1),
        boolean("forAll", required=True),
        Field("systemCode", computed="false"),
        ID,
    ),
    "A reason that agents give for NOT_READY or at sign-out; the code is what the CTI server knows.",
    plural="ReasonCodes",
    keys=(("category", "code"), ("category", "label")),
    bucket=("category", "forAll"),
    limits=_REASON_BUCKETS,
    readers=Readers.EVERYONE,
)
WRAP_UP_REASON = Row(
    "WrapUpReason",
    (URI, text("label", 39, octets=True, required=True, least=1), boolean("forAll", required=True)),
    "What a call was about, chosen during wrap-up.",
    plural="WrapUpReasons",
    keys=(("label",),),
    bucket=("forAll",),
    limits={"true": 100, "false": 1500},
)
PHONE_BOOK = Row(
    "PhoneBook",
    (
        URI,
        text("name", 64, required=True, least=1),
        choice("type", "GLOBAL", "TEAM", required=True),
        Field("contacts", computed="{uri}/Contacts"),
    ),
    "A list of contacts, for everyone or for the teams it is assigned to.",
    plural="PhoneBooks",
    keys=(("name",),),
    bucket=("type",),
    limits={"GLOBAL": 10, "TEAM": 300},
)
CONTACT = Row(
    "Contact",
    (
        URI,
        text("firstName", 128),
        text("lastName", 128),
        text("phoneNumber", 32, required=True, least=1),
        text("description", 128),
    ),
    "Somebody to call.",
    plural="Contacts",
    parent="PhoneBook",
    limits={WITHIN: 6000, ALL: 50_000},
)
MEDIA_PROPERTIES_LAYOUT = Row(
    "MediaPropertiesLayout",
    (
        URI,
        ID,
        text("name", 40, required=True, least=1),
        text("description", 128),
        choice("type", "DEFAULT", "CUSTOM", default="CUSTOM"),
        group("header", group("entry", *_ENTRY, required=True), required=True),
        repeated("column", 2, repeated("entry", 10, *_ENTRY)),
    ),
    "Which call variables agents see, and where.",
    plural="MediaPropertiesLayouts",
    keys=(("name",),),
    limits={ALL: 200},  # ours
    fixed=("type",),
)
WORKFLOW_ACTION = Row(
    "WorkflowAction",
    (
        URI,
        text("name", 64, required=True, least=1),
        choice("type", "BROWSER_POP", "HTTP_REQUEST", required=True),
        choice("handledBy", "FINESSE_DESKTOP", "OTHER", required=True),
        items("params", "Param", 16, text("name", 64, required=True, least=1), text("value", 8192)),
        items(
            "actionVariables",
            "ActionVariable",
            5,
            text("name", 32, required=True, least=1),
            text("node", 500),
            choice("type", "SYSTEM", "CUSTOM"),
            text("testValue", 128),
        ),
    ),
    "What a workflow does: opens a page or sends a request.",
    plural="WorkflowActions",
    keys=(("name",),),
    limits={ALL: 500},  # ours
    pointed_at=("Workflow", "workflowActions"),
    check=_action_is_whole,
)
WORKFLOW = Row(
    "Workflow",
    (
        URI,
        text("name", 40, required=True, least=1),
        text("description", 128),
        text("media", 64),
        group(
            "TriggerSet",
            choice("type", "SYSTEM", "CUSTOM", required=True),
            text("name", 64, required=True, least=1),
            boolean("allowOverlappingCallWorkflow"),
            items("triggers", "Trigger", 5, _VARIABLE, text("comparator", 32), text("value", 128)),
            required=True,
        ),
        group(
            "ConditionSet",
            choice("applyMethod", "ALL", "ANY", required=True),
            items("conditions", "Condition", 5, _VARIABLE, text("comparator", 32), text("value", 128)),
        ),
        items("workflowActions", "WorkflowAction", 5, text("name", 64), text("uri", 256, required=True, least=1)),
    ),
    "Which actions follow when something happens to a call.",
    plural="Workflows",
    keys=(("name",),),
    limits={ALL: 100},
)
LAYOUT_CONFIG = Row(
    "LayoutConfig",
    (URI, text("layoutxml", layout.SIZE_MAX, required=True, least=1, default=layout.DEFAULT_LAYOUT)),
    "The desktop layout of all teams that have none of their own.",
    path="LayoutConfig/default",
    keeps_previous=True,
    check=_good_layout,
)
TEAM_LAYOUT_CONFIG = Row(
    "TeamLayoutConfig",
    (boolean("useDefault", default=True), text("layoutxml", layout.SIZE_MAX)),
    "The desktop layout of one team.",
    keeps_previous=True,
    check=_good_layout,
)
ECC_VARIABLE_CONFIG = Row(
    "ECCVariableConfig",
    (
        URI,
        items(
            "eccVariables",
            "ECCVariable",
            200,
            text("name", 32, required=True, least=1),
            integer("maxLength", 1, 210, default=210),
            boolean("array", default=False),
            integer("size", 1, 255, default=1),
        ),
    ),
    "The expanded call variables that calls may carry.",
    readers=Readers.EVERYONE,
    products=Products.UCCE,
)
CHAT_CONFIG = Row(
    "ChatConfig",
    (URI, text("primaryNode", 255), text("secondaryNode", 255)),
    "Where the desktop chat is.",
    readers=Readers.EVERYONE,
)
DESKTOP_CONFIG = Row(
    "DesktopConfig",
    (
        URI,
        choice("notificationConnectionType", "websocket", "bosh", default="websocket"),
        boolean("showActiveCallDetails", default=True),
        boolean("showAgentHistoryGadgets", default=True),
        boolean("forceWrapUp", default=True),
        boolean("showWrapUpTimer", default=True),
        boolean("wrapUpCountDown", default=True),
        boolean("enableWrapupButtonForAllCallTypes", default=False),
        boolean("desktopChatAttachmentEnabled", default=True),
        integer("desktopChatMaxAttachmentSize", 5_242_880, 10_485_760, default=5_242_880),
        text("desktopChatUnsupportedFileTypes", 1024, default="exe,msi,sh,bat"),
        boolean("enableRetryLoginFeature", default=False),
        integer("loginFailureRetryAttempts", 1, 10, default=3),
        integer("loginFailureRetryInterval", 10, 600, default=60),
        boolean("enableMobileAgentLogin", default=True),
        boolean("enableShortCutKeys", default=True),
        boolean("enableDragDropAndResizeGadget", default=False),
        text("securityBannerMessage", 220),
        integer("pendingDTMFThresholdCount", 1, 100, default=20),
        integer("dtmfRequestTimeoutInMs", 100, 60_000, default=5000),
        integer("maxTabsOnTabbedGadgetHeader", 1, 20, default=7),
        boolean("enableToasterNotificationForRONA", default=True),
        boolean("enableToasterNotificationForFailover", default=True),
    ),
    "What the desktop shows and allows: the appliance's desktop properties.",
    readers=Readers.EVERYONE,
)
SYSTEM_CONFIG = Row(
    "SystemConfig",
    (
        URI,
        group(
            "cti",
            text("host", 255, required=True, least=1),
            integer("port", *PORT, required=True),
            text("backupHost", 255),
            integer("backupPort", *PORT),
            integer("peripheralId", 1, 32_767, required=True),
            boolean("secure", default=False),
            default={"host": "", "port": 42_027, "backupHost": "", "peripheralId": 5000, "secure": False},
        ),
    ),
    "Where the CTI servers are. In force after a restart, unless the setting cti.side_a names one.",
    products=Products.UCCE,
)
CLUSTER_CONFIG = Row(
    "ClusterConfig",
    (URI, group("secondaryNode", text("host", 255, required=True), default={"host": ""})),
    "The other node.",
    products=Products.UCCE,
)
ENTERPRISE_DATABASE_CONFIG = Row(
    "EnterpriseDatabaseConfig",
    (
        URI,
        text("host", 255),
        text("backupHost", 255),
        integer("port", *PORT, default=1433),
        text("databaseName", 128),
        text("domain", 128),
        text("username", 128),
        text("password", 128, secret=True),
    ),
    "The administration database of UCCE. Kept for clients that configure it; nothing here connects to it.",
    products=Products.UCCE,
)

ROWS: tuple[Row, ...] = (
    REASON_CODE,
    WRAP_UP_REASON,
    PHONE_BOOK,
    CONTACT,
    MEDIA_PROPERTIES_LAYOUT,
    WORKFLOW,
    WORKFLOW_ACTION,
    LAYOUT_CONFIG,
    TEAM_LAYOUT_CONFIG,
    ECC_VARIABLE_CONFIG,
    CHAT_CONFIG,
    DESKTOP_CONFIG,
    SYSTEM_CONFIG,
    CLUSTER_CONFIG,
    ENTERPRISE_DATABASE_CONFIG,
)
BY_NAME: Mapping[str, Row] = {row.name: row for row in ROWS}

ASSIGNED: Mapping[str, Row] = {
    "ReasonCodes": REASON_CODE,
    "WrapUpReasons": WRAP_UP_REASON,
    "PhoneBooks": PHONE_BOOK,
    "Workflows": WORKFLOW,
    "MediaPropertiesLayout": MEDIA_PROPERTIES_LAYOUT,
}
"""Path segment below Team -> what is assigned there."""


def for_everyone(row: Row, document: Mapping[str, Any]) -> bool:
    """Whether an object reaches every team without being assigned."""
    return document.get("forAll") is True or document.get("type") == "GLOBAL"


def number_of(text_: str) -> int | None:
    """An id of a path or uri; None when it is none."""
    digits = text_.rpartition("/")[2]
    ok = digits.isascii() and digits.isdigit() and len(digits) <= 10
    return int(digits) if ok and int(digits) <= NUMBER_MAX else None
