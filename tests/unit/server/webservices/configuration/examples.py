"""A good body of every kind of object, and a change of it: what the tests send."""

from __future__ import annotations

from typing import NamedTuple

from poise.finesse.configuration.layout import DEFAULT_LAYOUT
from poise.protocols.xmpp.xml import escape


class Example(NamedTuple):
    """Bodies for one row of the table."""

    body: str
    change: str
    """A PUT that changes one thing."""
    shows: tuple[str, str]
    """Element and text that a GET shows after the change."""
    bad: str
    """A body that is refused as Invalid Input."""


LAYOUT = escape(DEFAULT_LAYOUT.replace("Poise", "Bank &amp; Sons"))

EXAMPLES = {
    "ReasonCode": Example(
        "<ReasonCode><category>NOT_READY</category><code>12</code><label>Lunch</label><forAll>true</forAll></ReasonCode>",
        "<ReasonCode><label>Dinner</label></ReasonCode>",
        ("label", "Dinner"),
        "<ReasonCode><category>LOST</category><code>12</code><label>Lunch</label><forAll>true</forAll></ReasonCode>",
    ),
    "WrapUpReason": Example(
        "<WrapUpReason><label>Sale</label><forAll>true</forAll></WrapUpReason>",
        "<WrapUpReason><label>Order</label></WrapUpReason>",
        ("label", "Order"),
        f"<WrapUpReason><label>{'ä' * 20}</label><forAll>true</forAll></WrapUpReason>",
    ),
    "PhoneBook": Example(
        "<PhoneBook><name>Offices</name><type>GLOBAL</type></PhoneBook>",
        "<PhoneBook><name>Branches</name></PhoneBook>",
        ("name", "Branches"),
        f"<PhoneBook><name>{'x' * 65}</name><type>GLOBAL</type></PhoneBook>",
    ),
    "Contact": Example(
        "<Contact><firstName>Front</firstName><lastName>Desk</lastName><phoneNumber>+4930123</phoneNumber></Contact>",
        "<Contact><description>Day and night</description></Contact>",
        ("description", "Day and night"),
        f"<Contact><phoneNumber>{'1' * 33}</phoneNumber></Contact>",
    ),
    "MediaPropertiesLayout": Example(
        "<MediaPropertiesLayout><name>Bank</name><header><entry><displayName>Name</displayName>"
        "<mediaProperty>callVariable1</mediaProperty></entry></header><column><entry><displayName/>"
        "<mediaProperty>dialedNumber</mediaProperty></entry></column><column/></MediaPropertiesLayout>",
        "<MediaPropertiesLayout><description>For the bank</description></MediaPropertiesLayout>",
        ("description", "For the bank"),
        "<MediaPropertiesLayout><name>Three columns</name><header><entry><mediaProperty>queueName</mediaProperty>"
        "</entry></header><column/><column/><column/></MediaPropertiesLayout>",
    ),
    "WorkflowAction": Example(
        "<WorkflowAction><name>Pop</name><type>BROWSER_POP</type><handledBy>FINESSE_DESKTOP</handledBy><params><Param>"
        "<name>path</name><value>https://crm.example.com/?a=${callVariable1}&amp;b=2</value></Param></params>"
        "</WorkflowAction>",
        "<WorkflowAction><name>Pop up</name></WorkflowAction>",
        ("name", "Pop up"),
        "<WorkflowAction><name>Pop</name><type>SHELL</type><handledBy>OTHER</handledBy></WorkflowAction>",
    ),
    "Workflow": Example(
        "<Workflow><name>On ring</name><TriggerSet><type>SYSTEM</type><name>CALL_ARRIVES</name></TriggerSet>"
        "<ConditionSet><applyMethod>ALL</applyMethod></ConditionSet></Workflow>",
        "<Workflow><name>On answer</name></Workflow>",
        ("name", "On answer"),
        f"<Workflow><name>{'x' * 41}</name><TriggerSet><type>SYSTEM</type><name>CALL_ARRIVES</name></TriggerSet>"
        "</Workflow>",
    ),
    "LayoutConfig": Example(
        f"<LayoutConfig><layoutxml>{LAYOUT}</layoutxml></LayoutConfig>",
        f"<LayoutConfig><layoutxml>{escape(DEFAULT_LAYOUT)}</layoutxml></LayoutConfig>",
        ("layoutxml", escape(DEFAULT_LAYOUT.strip())),
        "<LayoutConfig><layoutxml>&lt;html/&gt;</layoutxml></LayoutConfig>",
    ),
    "TeamLayoutConfig": Example(
        f"<TeamLayoutConfig><useDefault>false</useDefault><layoutxml>{LAYOUT}</layoutxml></TeamLayoutConfig>",
        "<TeamLayoutConfig><useDefault>true</useDefault></TeamLayoutConfig>",
        ("useDefault", "true"),
        "<TeamLayoutConfig><useDefault>false</useDefault><layoutxml/></TeamLayoutConfig>",
    ),
    "ECCVariableConfig": Example(
        "<ECCVariableConfig><eccVariables><ECCVariable><name>user.account</name></ECCVariable></eccVariables>"
        "</ECCVariableConfig>",
        "<ECCVariableConfig><eccVariables><ECCVariable><name>user.branch</name><array>true</array><size>3</size>"
        "</ECCVariable></eccVariables></ECCVariableConfig>",
        ("name", "user.branch"),
        "<ECCVariableConfig><eccVariables><ECCVariable><name>a</name><maxLength>211</maxLength></ECCVariable>"
        "</eccVariables></ECCVariableConfig>",
    ),
    "ChatConfig": Example(
        "<ChatConfig><primaryNode>https://chat1.example.com:5280/http-binding</primaryNode></ChatConfig>",
        "<ChatConfig><secondaryNode>https://chat2.example.com:5280/http-binding</secondaryNode></ChatConfig>",
        ("primaryNode", "https://chat1.example.com:5280/http-binding"),
        f"<ChatConfig><primaryNode>{'x' * 256}</primaryNode></ChatConfig>",
    ),
    "DesktopConfig": Example(
        "<DesktopConfig><notificationConnectionType>bosh</notificationConnectionType></DesktopConfig>",
        "<DesktopConfig><forceWrapUp>false</forceWrapUp></DesktopConfig>",
        ("forceWrapUp", "false"),
        "<DesktopConfig><forceWrapUp>perhaps</forceWrapUp></DesktopConfig>",
    ),
    "SystemConfig": Example(
        "<SystemConfig><cti><host>10.0.0.1</host><port>42027</port><peripheralId>5000</peripheralId></cti></SystemConfig>",
        "<SystemConfig><cti><host>10.0.0.2</host><port>42027</port><peripheralId>5000</peripheralId></cti></SystemConfig>",
        ("host", "10.0.0.2"),
        "<SystemConfig><cti><host>a</host><port>70000</port><peripheralId>5000</peripheralId></cti></SystemConfig>",
    ),
    "ClusterConfig": Example(
        "<ClusterConfig><secondaryNode><host>b.example.com</host></secondaryNode></ClusterConfig>",
        "<ClusterConfig><secondaryNode><host></host></secondaryNode></ClusterConfig>",
        ("host", ""),
        f"<ClusterConfig><secondaryNode><host>{'x' * 256}</host></secondaryNode></ClusterConfig>",
    ),
    "EnterpriseDatabaseConfig": Example(
        "<EnterpriseDatabaseConfig><host>awdb</host><password>secret</password></EnterpriseDatabaseConfig>",
        "<EnterpriseDatabaseConfig><port>1434</port></EnterpriseDatabaseConfig>",
        ("port", "1434"),
        "<EnterpriseDatabaseConfig><port>none</port></EnterpriseDatabaseConfig>",
    ),
}
