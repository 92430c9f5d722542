"""Faults of the simulated CTI server as the product's link meets them."""

from __future__ import annotations

from poise.lab import faults
from poise.lab.shell import LabShell
from poise.protocols.cti import timing
from tests.unit.server.ctilink.harness import lab, linked, run


def happens(shell: LabShell, name: str, *numbers: float) -> None:
    assert faults.happen(shell, name, numbers, shell.now()) == ""


def test_after_a_fail_over_the_link_is_up_on_the_other_side() -> None:
    async def story() -> None:
        async with lab() as (shell, port_a):
            port_b = await shell.start_side_b()
            async with linked(port_a, port_b) as world:
                assert (await world.heard.ups(1)).side.name == "A"
                happens(shell, "fail-over")
                await world.heard.downs(1)
                world.clock.advance(0)
                assert (await world.heard.ups(2)).side.name == "B"

    run(story)


def test_a_side_that_does_not_serve_is_passed_over() -> None:
    async def story() -> None:
        async with lab() as (shell, port_a):
            port_b = await shell.start_side_b()
            shell.server.fail_over()
            async with linked(port_a, port_b) as world:
                await world.heard.failures(1)
                world.clock.advance(0)
                assert (await world.heard.ups(1)).side.name == "B"

    run(story)


def test_a_frozen_server_is_given_up_after_three_heartbeats_and_taken_again_when_it_thaws() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            happens(shell, "freeze", 3600)
            for _ in range(timing.HEARTBEATS_MISSED + 1):
                world.clock.advance(timing.HEARTBEAT_S)
            await world.heard.downs(1)
            happens(shell, "thaw")
            world.clock.advance(timing.RETRY_FIRST_S)
            await world.heard.ups(2)

    run(story)


def test_garbage_ends_the_link_and_a_new_one_is_made() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            happens(shell, "garbage")
            await world.heard.downs(1)
            world.clock.advance(timing.RETRY_FIRST_S)
            await world.heard.ups(2)

    run(story)
