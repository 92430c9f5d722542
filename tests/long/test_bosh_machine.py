"""The state machine of the BOSH session (tests/property), for longer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.test_bosh_machine import Network


@pytest.mark.long
def test_every_stanza_is_seen_once_and_in_order_in_four_thousand_long_stories() -> None:
    longer = settings(max_examples=4000, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Network, settings=longer)
