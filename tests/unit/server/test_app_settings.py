"""What the settings become for the rooms that obey them."""

from __future__ import annotations

from math import inf

import pytest

from poise.protocols.xmpp.host import HostPolicy
from poise.server.config import with_values
from poise.server.notification.websocket import WebSocketPolicy
from poise.server.settings import Settings
from poise.server.translation import notification_settings


def host_policy(**values: object) -> HostPolicy:
    settings = with_values(Settings(), {f"messages.{name}": value for name, value in values.items()})
    return notification_settings(settings, "localhost", ()).host


def test_without_settings_the_host_has_its_own_bounds() -> None:
    assert host_policy() == HostPolicy()


def test_the_bounds_of_messages_and_the_replay_of_notifications_are_settings() -> None:
    policy = host_policy(offline_per_user=7, offline_bytes_per_user=700, offline_keep_s=70.0, replay_notifications=True)
    assert policy == HostPolicy(
        offline_messages_per_user=7, offline_bytes_per_user=700, offline_keep_s=70.0, replay_notifications=True
    )


def websocket_policy(**values: object) -> WebSocketPolicy:
    settings = with_values(Settings(), {f"websocket.{name}": value for name, value in values.items()})
    return notification_settings(settings, "localhost", ()).websocket


def test_without_settings_websocket_has_its_own_bounds() -> None:
    assert websocket_policy() == WebSocketPolicy()


def test_the_bounds_of_websocket_are_settings_and_no_idle_limit_is_none() -> None:
    policy = websocket_policy(
        idle_limit_s=0,
        message_max_bytes=70_000,
        compression=False,
        deflate_from_bytes=0,
        redirect_uri="wss://desk.example:7443/ws/",
    )
    assert policy == WebSocketPolicy(
        message_max_bytes=70_000,
        idle_s=inf,
        compression=False,
        deflate_from_bytes=0,
        redirect_uri="wss://desk.example:7443/ws/",
    )


def test_nobody_can_be_sent_to_an_address_without_tls() -> None:
    with pytest.raises(ValueError, match="wss://"):
        websocket_policy(redirect_uri="ws://desk.example:7071/ws/")
