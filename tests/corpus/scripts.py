"""What goes wrong in each scene, by cause of the diagnosis' table.

A script is played on a scene that is open and empty; it writes down the truth when the fault begins. Numbers come from
the scene's seed.
"""

from __future__ import annotations

from collections.abc import Callable

from poise.lab.acd import StateRequest
from poise.protocols.cti.constants import AgentState, ForcedFlag
from tests.corpus.desktop import CHROME, Desktop
from tests.corpus.scene import AGENTS, Scene

Script = Callable[[Scene], None]
SILENT = ("C1",)
"""That the client stopped polling is true of whatever made it stop."""


CLOSED = ("C2",)
"""That the page was closed is true of a reload and of the end of a shift as well."""


def quiet(scene: Scene) -> None:
    """An ordinary quarter of an hour: people change state, reload nothing, and nobody is lost."""
    scene.crowd()
    for _ in range(4):
        scene.go_on(scene.rng.uniform(20, 60))
        scene.one().put(scene.rng.choice(("NOT_READY", "READY")))
    scene.go_on(60)


def warm_up(scene: Scene) -> None:
    """Everybody comes and works for a while."""
    scene.crowd()
    scene.go_on(scene.choose("warm_up_s", 50, 140))


def killed_browser(scene: Scene) -> None:
    """C1: the browser's process is killed."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one)
    one.kill()
    scene.go_on(scene.choose("after_s", 190, 260))


def closed_page(scene: Scene) -> None:
    """C2: the agent closes the page; in a third of the runs the browser does not let the goodbye out."""
    warm_up(scene)
    one = scene.one()
    goodbye = scene.rng.random() < 0.67
    scene.parameters["goodbye"] = goodbye
    scene.hit(one, also=() if goodbye else SILENT)
    one.unload(goodbye=goodbye)
    scene.go_on(200)


def asleep(scene: Scene) -> None:
    """C3: the lid is closed, and opened minutes later."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one, also=SILENT)
    one.freeze()
    scene.go_on(scene.choose("asleep_s", 150, 600))
    one.thaw()
    scene.go_on(60)


def clock_step(scene: Scene) -> None:
    """C4: the computer's clock is set while everything else goes on."""
    warm_up(scene)
    one = scene.one()
    seconds = scene.choose("seconds", 4, 300) * scene.rng.choice((-1, 1))
    scene.hit(one, contact=False)
    one.step_clock(seconds)
    scene.go_on(130)


def slow_way(scene: Scene) -> None:
    """C5: the agent's line gets worse: delays grow, and then more is lost than retransmission repairs."""
    warm_up(scene)
    one = scene.one()
    worst = scene.choose("delay_s", 0.6, 3.0)
    scene.hit(one, also=SILENT)
    for way in (one.polls, one.rest):
        way.round_trip_s = lambda: worst * one.rng.uniform(0.6, 2.0)
    scene.go_on(scene.choose("slow_s", 130, 240))
    one.polls.dropped = one.rest.dropped = True
    scene.go_on(scene.choose("lost_s", 160, 220))
    one.polls.dropped = one.rest.dropped = False
    scene.go_on(70)


def hidden_tab(scene: Scene) -> None:
    """C6: the desktop's tab is hidden, its timers run every second, then once a minute."""
    scene.crowd()
    user = scene.rng.choice(AGENTS[:5])
    index = next(i for i, d in enumerate(scene.desktops) if d.person.user == user)
    one = scene.desktops[index]
    one.person.browser = one.log.browser = CHROME.format(scene.rng.randint(96, 140))
    scene.go_on(scene.choose("warm_up_s", 50, 100))
    one.pause_s = lambda: one.rng.uniform(0.95, 1.05)
    scene.go_on(scene.choose("hidden_s", 40, 310))
    scene.hit(one, also=SILENT)
    one.pause_s = lambda: one.rng.uniform(58.5, 61.0)
    scene.go_on(scene.choose("throttled_s", 190, 290))
    one.pause_s = lambda: one.rng.uniform(118.0, 121.0)  # two timers in a chain cost two of the tab's minutes
    scene.go_on(260)


def twice(scene: Scene) -> None:
    """C12: the same agent signs in with the same resource somewhere else."""
    warm_up(scene)
    one = scene.one()
    one.comes_back = scene.rng.random() < 0.3
    other = scene.arrive(one.person.user, network=3, come=False)
    other.comes_back = False
    scene.hit(one)
    other.come()
    scene.go_on(120)


def too_active(scene: Scene) -> None:
    """C13: a client sends more polls at once than were agreed."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one)
    one.flood(int(scene.choose("polls", 3, 8)))
    scene.go_on(120)


def lost_answers(scene: Scene) -> None:
    """C14: answers are lost on the way; the same rid comes again and again, and at last one that is forgotten."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one)
    one.polls.answers_lost = True
    scene.go_on(scene.choose("lost_s", 76, 112))
    one.polls.answers_lost = False
    one.say_again(back=scene.rng.randint(4, 9))
    scene.go_on(90)


def firewall(scene: Scene) -> None:
    """N1: a firewall drops the flow to the notification port; REST goes on."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one)
    one.polls.dropped = True
    scene.go_on(scene.choose("dropped_s", 170, 260))
    one.polls.dropped = False
    scene.go_on(40)


def gateway(scene: Scene) -> None:
    """N2: a reverse proxy in between gives polls up before the server answers them."""
    warm_up(scene)
    one = scene.one()
    one.comes_back = False
    scene.hit(one)
    one.polls.gateway_s = scene.choose("proxy_timeout_s", 8, 29)
    scene.go_on(230)


def tunnel(scene: Scene) -> None:
    """N4: the explicit proxy begins to refuse CONNECT to the notification port."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one)
    one.polls.tunnel_status = scene.rng.choice((403, 407))
    scene.parameters["status"] = one.polls.tunnel_status
    one.comes_back = scene.rng.random() < 0.5
    one.forget_connections()
    scene.go_on(200)


def site_down(scene: Scene) -> None:
    """N5: the line of one site is down; the other site does not notice."""
    scene.crowd(6, networks=2)
    scene.go_on(scene.choose("warm_up_s", 50, 140))
    site = [d for d in scene.desktops if d.person.address.startswith("127.0.10.")]
    _cut(scene, site, also=SILENT)


def everybody(scene: Scene) -> None:
    """S15: nobody's packets arrive any more, and the server says nothing of itself."""
    scene.crowd(networks=scene.rng.randint(1, 3))
    scene.go_on(scene.choose("warm_up_s", 50, 140))
    _cut(scene, list(scene.desktops), also=SILENT)


def _cut(scene: Scene, desktops: list[Desktop], also: tuple[str, ...]) -> None:
    for desktop in desktops:
        if desktop.person.user in AGENTS:
            scene.hit(desktop, also=also)
        desktop.polls.dropped = desktop.rest.dropped = True
    scene.go_on(scene.choose("cut_s", 165, 240))
    for desktop in desktops:
        desktop.polls.dropped = desktop.rest.dropped = False
    scene.go_on(50)


def no_cors(scene: Scene) -> None:
    """N6: a page of another origin may not; the browser only ever asks."""
    scene.crowd(5)
    other = scene.arrive("1006", network=1, come=False)
    other.get("User/1006")
    scene.go_on(scene.choose("warm_up_s", 20, 60))
    scene.hit(other, contact=False)
    for _ in range(scene.rng.randint(3, 6)):
        other.ask_first("https://gadgets.example.com")
        scene.go_on(scene.rng.uniform(3, 10))
    scene.go_on(30)


def restart(scene: Scene) -> None:
    """S1: the server is restarted in good order."""
    warm_up(scene)
    for desktop in scene.desktops:
        if desktop.person.user in AGENTS:
            scene.hit(desktop)
    scene.stage.restart()
    scene.go_on(100)


def out_of_memory(scene: Scene) -> None:
    """S2: as S1, with the line that Openfire writes when its heap is full (Poise has no such heap)."""
    warm_up(scene)
    scene.rendered.append(("error.log", scene.now(), "java.lang.OutOfMemoryError: Java heap space"))
    scene.go_on(scene.choose("until_restart_s", 1, 20))
    for desktop in scene.desktops:
        if desktop.person.user in AGENTS:
            scene.hit(desktop, also=("S1",))
    scene.stage.restart()
    scene.go_on(100)


def invalid_characters(scene: Scene) -> None:
    """S3: as S1, with the lines of the known defect (Poise replaces such characters)."""
    warm_up(scene)
    line = "org.xmlpull.v1.XmlPullParserException: reference to invalid character number (position: START_TAG seen)"
    for _ in range(scene.rng.randint(1, 3)):
        scene.rendered.append(("error.log", scene.now(), line))
    scene.go_on(scene.choose("until_restart_s", 1, 10))
    for desktop in scene.desktops:
        if desktop.person.user in AGENTS:
            scene.hit(desktop, also=("S1",))
    scene.stage.restart()
    scene.go_on(100)


def cti_lost(scene: Scene) -> None:
    """S4: the CTI server goes away and comes back."""
    warm_up(scene)
    for desktop in scene.desktops:
        if desktop.person.user in AGENTS:
            scene.hit(desktop, contact=False)
    scene.cti_server_stops()
    scene.go_on(scene.choose("away_s", 20, 150))
    scene.cti_server_returns()
    scene.go_on(40)


def stalled(scene: Scene) -> None:
    """S14: the server's process stands still for longer than clients wait."""
    warm_up(scene)
    for desktop in scene.desktops:
        if desktop.person.user in AGENTS:
            scene.hit(desktop)
    scene.server_stands_still(scene.choose("stalled_s", 155, 260))
    scene.go_on(150)


def administrator(scene: Scene) -> None:
    """K1: an administrator ends the session."""
    warm_up(scene)
    one = scene.one()
    one.comes_back = scene.rng.random() < 0.5
    scene.hit(one)
    path = f"/poise/api/sessions/{one.person.user}@localhost/desktop"
    reply = scene.stage.rest("admin").call("DELETE", path)
    assert reply.status == 200, reply
    scene.go_on(100)


def reloaded(scene: Scene) -> None:
    """A6: the agent reloads the page, which is back within the grace."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one, also=CLOSED)
    one.unload()
    scene.go_on(scene.choose("away_s", 3, 45))
    one.reload()
    scene.go_on(120)


def signed_out(scene: Scene) -> None:
    """A7: the agent signs out, and then closes the page: the end of a shift."""
    warm_up(scene)
    one = scene.one()
    one.put("NOT_READY")
    scene.go_on(scene.rng.uniform(2, 20))
    one.put("LOGOUT")
    scene.go_on(scene.choose("until_closed_s", 2, 25))
    scene.hit(one, also=CLOSED)
    one.unload()
    scene.go_on(100)


def signed_out_by_rule(scene: Scene) -> None:
    """A0: the telephone system or a supervisor signs the agent out; the session lives on."""
    warm_up(scene)
    one = scene.one()
    scene.hit(one, contact=False)
    uccx = scene.stage.values.get("contact.deployment") == "UCCX"
    if scene.rng.random() < 0.5:
        scene.parameters["who"] = "supervisor"
        team = "1101" if one.person.user <= "1003" else "1102"
        one.put("NOT_READY")
        scene.go_on(5)
        assert scene.stage.rest(team).put("LOGOUT", user=one.person.user).status == 202
    else:
        code = scene.rng.choice((32742, 32748) if uccx else (50004, 50003, 50030))
        scene.parameters["code"] = code
        agent = one.person.user
        scene.in_the_acd(StateRequest(agent, AgentState.LOGOUT, reason=code, forced=ForcedFlag.FORCED))
    scene.go_on(60)


def two_agents(scene: Scene) -> None:
    """Two agents are lost for different causes within the same two minutes."""
    warm_up(scene)
    first, second = scene.some(2)
    faults = scene.rng.sample(sorted(SMALL), 2)
    scene.parameters["faults"] = "+".join(faults)
    SMALL[faults[0]](scene, first)
    scene.go_on(scene.choose("apart_s", 0, 90))
    SMALL[faults[1]](scene, second)
    scene.go_on(250)


def _kill(scene: Scene, one: Desktop) -> None:
    scene.hit(one, "C1")
    one.kill()


def _close(scene: Scene, one: Desktop) -> None:
    scene.hit(one, "C2")
    one.unload()


def _drop(scene: Scene, one: Desktop) -> None:
    scene.hit(one, "N1")
    one.polls.dropped = True


def _gateway(scene: Scene, one: Desktop) -> None:
    one.comes_back = False
    scene.hit(one, "N2")
    one.polls.gateway_s = scene.choose("proxy_timeout_s", 8, 29)


def _replace(scene: Scene, one: Desktop) -> None:
    one.comes_back = False
    other = scene.arrive(one.person.user, network=3, come=False)
    scene.hit(one, "C12")
    other.come()


def _flood(scene: Scene, one: Desktop) -> None:
    scene.hit(one, "C13")
    one.flood(4)


SMALL: dict[str, Callable[[Scene, Desktop], None]] = {
    "C1": _kill,
    "C2": _close,
    "N1": _drop,
    "N2": _gateway,
    "C12": _replace,
    "C13": _flood,
}
"""Faults of one agent that can be had at any moment."""


SCRIPTS: dict[str, Script] = {
    "none": quiet,
    "C1": killed_browser,
    "C2": closed_page,
    "C3": asleep,
    "C4": clock_step,
    "C5": slow_way,
    "C6": hidden_tab,
    "C12": twice,
    "C13": too_active,
    "C14": lost_answers,
    "N1": firewall,
    "N2": gateway,
    "N4": tunnel,
    "N5": site_down,
    "N6": no_cors,
    "S1": restart,
    "S2": out_of_memory,
    "S3": invalid_characters,
    "S4": cti_lost,
    "S14": stalled,
    "S15": everybody,
    "K1": administrator,
    "A6": reloaded,
    "A7": signed_out,
    "A0": signed_out_by_rule,
    "two": two_agents,
}
"""By cause; `none` is a quiet day, `two` has two causes."""
