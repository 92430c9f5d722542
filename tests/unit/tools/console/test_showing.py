"""Stanzas as people read them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from poise.protocols.xmpp.client.stream import parse_element
from poise.protocols.xmpp.xml import Element
from poise.tools.console.showing import embedded, masked, pretty, raw_text

UPDATE = (
    b'<message xmlns="jabber:client" from="pubsub.localhost" to="1001@localhost">'
    b'<event xmlns="http://jabber.org/protocol/pubsub#event"><items node="/finesse/api/User/1001"><item id="i1">'
    b'<notification xmlns="http://jabber.org/protocol/pubsub">&lt;Update&gt;&lt;data&gt;&lt;user&gt;&lt;state&gt;READY'
    b"&lt;/state&gt;&lt;pendingState&gt;&lt;/pendingState&gt;&lt;/user&gt;&lt;/data&gt;&lt;event&gt;PUT&lt;/event&gt;"
    b"&lt;/Update&gt;</notification></item></items></event></message>"
)
SHOWN = """\
<message from="pubsub.localhost" to="1001@localhost">
  <event xmlns="pubsub#event">
    <items node="/finesse/api/User/1001">
      <item id="i1">
        <notification xmlns="pubsub">
          <Update>
            <data>
              <user>
                <state>READY</state>
                <pendingState/>
              </user>
            </data>
            <event>PUT</event>
          </Update>
        </notification>
      </item>
    </items>
  </event>
</message>"""
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


def test_the_update_inside_a_notification_is_unfolded() -> None:
    assert pretty(parse_element(UPDATE)) == SHOWN


def test_text_that_only_looks_like_xml_stays_text() -> None:
    assert embedded("<3 you>") is None
    assert embedded("no <b>markup</b>") is None
    assert embedded(" <a/> ") is not None
    assert pretty(parse_element(b"<body>&lt;a&gt;&lt;b&gt;</body>")) == "<body>&lt;a&gt;&lt;b&gt;</body>"


def test_long_and_broken_lines_get_lines_of_their_own() -> None:
    assert pretty(parse_element(b"<body>one\ntwo</body>")) == "<body>\n  one\n  two\n</body>"
    long = "x" * 200
    assert pretty(parse_element(f"<body>{long}</body>".encode())) == f"<body>\n  {long}\n</body>"


def test_secrets_are_masked_unless_asked_for() -> None:
    auth = f'<auth xmlns="{SASL}" mechanism="PLAIN">AHNlY3JldA==</auth>'.encode()
    element = parse_element(auth)
    assert pretty(element) == '<auth xmlns="sasl" mechanism="PLAIN">***</auth>'
    assert "AHNlY3JldA==" in pretty(element, show_secrets=True)
    assert raw_text(auth, element, show_secrets=False) == auth.decode().replace("AHNlY3JldA==", "***")
    assert raw_text(auth, element, show_secrets=True) == auth.decode()
    legacy = parse_element(
        b"<iq><query xmlns='jabber:iq:auth'><password>secret</password><username>1001</username></query></iq>"
    )
    assert "secret" not in pretty(legacy)
    assert "1001" in pretty(legacy)


def test_what_holds_no_secret_is_shown_as_it_stood() -> None:
    raw = b"<message  from='a'><body>x</body></message>"
    element = parse_element(raw)
    assert masked(element) is element
    assert raw_text(raw, element, show_secrets=False) == raw.decode()
    assert raw_text(b"<stream:stream \xff>", None, show_secrets=False) == "<stream:stream \\xff>"


@given(st.text(max_size=50), st.text(max_size=20))
def test_any_text_can_be_shown(text: str, value: str) -> None:
    shown = pretty(Element("body", "jabber:client", {"id": value}, (text,)))
    assert shown.startswith("<body id=")
