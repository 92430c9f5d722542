"""Scenario files: read with every mistake told by its line, and played as written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.lab.acd.settings import AcdSettings, Number, Reaction
from poise.lab.data import DEMO
from poise.lab.player import Player
from poise.lab.robots import Habits, Robots
from poise.lab.scenario import AGENT_VERBS, FAULTS, ScenarioError, Step, load, outside_number, parse, seconds
from tests.unit.lab.acd.floor import FIRST, Floor

STORY = """
# A caller is passed on.
0      agent 1001 signs-in
0      agent 1002 signs-in
1      agent 1001 ready
2      number 5559999 busy
5      caller 5551234 dials 8010 patience 60 talks 300 var1=gold user.account="4711 A"
8      agent 1001 answers
0:10   agent 1001 sets var2=seen
20     agent 1001 consults 1002
24     agent 1002 answers
30     agent 1001 transfers
1:00   agent 1002 hangs-up
"""


class Stage:
    """A floor on which scenarios are played."""

    def __init__(self) -> None:
        self.floor = Floor(acd=AcdSettings(wrap_up_s=0))
        self.problems: list[tuple[int, str]] = []
        self.faults: list[tuple[str, tuple[float, ...]]] = []
        robots = Robots(self.floor.server, 1, Habits(misses=0, works=False))
        self.player = Player(self.floor.server, robots, self._fault, self._report)

    def _fault(self, name: str, numbers: tuple[float, ...], now: float) -> str:
        self.faults.append((name, numbers))
        return ""

    def _report(self, step: Step, problem: str) -> None:
        if problem:
            self.problems.append((step.line, problem))

    def play(self, text: str, passes: float) -> list[str]:
        self.player.play(parse(text, DEMO), self.floor.now)
        self.floor.pass_time(passes)
        return self.floor.ladder()


def test_a_scenario_is_played_as_it_is_written() -> None:
    stage = Stage()
    ladder = stage.play(STORY, 61)
    assert stage.problems == []
    assert "TRANSFERRED/1001 #1 3 cause 32" in ladder
    assert ladder[-2:] == ["state 1002 NOT_READY", "END/1002 #1"]
    assert stage.floor.centre.plan.numbers["5559999"].reaction is Reaction.BUSY
    assert stage.floor.centre.switch.calls == {}


def test_call_data_of_a_scenario_travel_with_the_call() -> None:
    stage = Stage()
    stage.player.play(parse(STORY, DEMO), stage.floor.now)
    stage.floor.pass_time(11)
    data = stage.floor.centre.switch.calls[FIRST + 1].data
    assert data.variables[:2] == ("gold", "seen")
    assert data.ecc == (("user.account", "4711 A"),)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x agent 1001 ready", '"x" is no time'),
        ("25:00:00 agent 1001 ready", "no time within a day"),
        ("1:2:3:4 agent 1001 ready", "no time within a day"),
        ("0", "who does it (agent, caller, customer, number, fault) is missing"),
        ("0 robot 1001", '"robot" is none of agent'),
        ("0 agent 9999 ready", "there is no agent 9999"),
        ("0 agent 1001 sings", 'agents cannot "sing'),
        ("0 agent 1001 answers 5", '"answers" is followed by nothing'),
        ("0 agent 1001 consults", '"consults" is followed by one word'),
        ("0 agent 1001 answers var1=x", "takes no call data"),
        ("0 agent 1001 sets", '"sets" needs call data'),
        ("0 agent 1001 sets var11=x", "there are var1 to var10"),
        ("0 agent 1001 sets var1=" + "x" * 41, 'the value of "var1" has over 40 bytes'),
        ("0 agent 1001 sets wrapup=" + "x" * 40, 'the value of "wrapup" has over 39 bytes'),
        ("0 agent 1001 sets " + "x" * 33 + "=1", "is no name of call data"),
        ("0 agent 1001 monitors 1002", "1001 is no supervisor"),
        ("0 agent 1101 monitors 9999", "there is no agent 9999"),
        ("0 agent 1001 presses 12x", "keys that no telephone has"),
        ("0 agent 1001 not-ready lunch", "is no reason code"),
        ("0 agent 1001 dials " + "1" * 32, "is no telephone number"),
        ("0 caller 5551234 calls 8010", '"dials" should stand where "calls" stands'),
        ("0 caller 5551234 dials 7777", "7777 is neither a queue (8010, 8011, 8012) nor an extension"),
        ("0 caller 5551234 dials 8010 patience", 'what follows "patience" is missing'),
        ("0 caller 5551234 dials 8010 patience 0", "patience must be over 0 seconds"),
        ("0 caller 5551234 dials 8010 haste 5", '"haste" means nothing here; possible: patience, talks'),
        ("0 caller 5551234 dials 8010 talks 5 talks 6", '"talks" stands twice'),
        ("0 customer 5551234 queue 10", '"campaign" is missing'),
        ("0 customer 5551234 campaign A queue 99", "there is no queue 99"),
        ("0 customer 5551234 campaign A queue 10 mode loud", 'the mode is "preview" or "progressive"'),
        ("0 number 1001 busy", "1001 is no number outside"),
        ("0 number 5551234 sleeps", 'a number cannot "sleeps"'),
        ("0 number 5551234 busy after 5", '"after" means nothing here'),
        ("0 fault earthquake", '"earthquake" is no fault'),
        ("0 fault clock-drift", '"clock-drift" is followed by one word'),
        ("0 fault freeze soon", '"soon" is no time'),
        ('0 agent 1001 dials "555', "a double quote is missing"),
        ("0 agent 1001 \x07", "there are control characters on it"),
        ("0 " + "x" * 3000, "a line has at most 2000 characters"),
    ],
)
def test_a_mistake_is_told_with_its_line(line: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(f"# good\n\n{line}\n", DEMO)
    ((number, text),) = caught.value.problems
    assert number == 3
    assert says in text


def test_all_mistakes_are_told_at_once_and_an_empty_file_is_one() -> None:
    with pytest.raises(ScenarioError, match=r"line 1: .*\nline 2: "):
        parse("a\nb", DEMO)
    with pytest.raises(ScenarioError, match="there are no steps in it"):
        parse("# nothing", DEMO)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "none", DEMO)
    (tmp_path / "bad").write_bytes(b"0 agent \xff")
    with pytest.raises(ScenarioError, match="no UTF-8 text"):
        load(tmp_path / "bad", DEMO)
    (tmp_path / "good").write_text("0 agent 1001 signs-in", "utf-8")
    assert load(tmp_path / "good", DEMO)[0].verb == "signs-in"


def test_times_numbers_and_faults_have_their_forms() -> None:
    assert [seconds(text) for text in ("7", "1.5", "2:05", "1:00:01")] == [7, 1.5, 125, 3601]
    (step,) = parse("0 number 5551234 answers after 4 talks 30", DEMO)
    assert outside_number(step) == Number(Reaction.ANSWERS, 4, 30)
    stage = Stage()
    stage.play("0 fault freeze 9\n1 fault clock-drift -90\n2 fault drop-link", 5)
    assert stage.faults == [("freeze", (9,)), ("clock-drift", (-90,)), ("drop-link", ())]


def test_what_could_not_be_done_is_reported_with_its_line() -> None:
    stage = Stage()
    stage.play("0 agent 1001 answers\n1 agent 1001 signs-in\n2 agent 1001 answers\n3 agent 1001 dials 1001", 5)
    assert stage.problems == [
        (1, "is not signed in"),
        (3, "no such call at the telephone"),
        (4, "refused: 14, 20011"),
    ]


def test_every_verb_can_be_played() -> None:
    words = {"presses": "1", "sets": "var1=x"}
    lines = []
    for at, (name, verb) in enumerate(AGENT_VERBS.items()):
        word = words.get(name, "1002" if verb.least else "")
        lines.append(f"{at} agent {'1101' if verb.least and name.endswith('s') else '1001'} {name} {word}")
    lines += [
        f"{at + 50} fault {name}" + (" 1" if least else "") for at, (name, (least, _)) in enumerate(FAULTS.items())
    ]
    stage = Stage()
    stage.play("\n".join(lines), 100)
    assert len(stage.faults) == len(FAULTS)


def test_robots_answer_and_campaigns_reach_customers() -> None:
    stage = Stage()
    stage.play(
        "0 agent 1001 robot\n1 customer 5557777 campaign Spring queue 10 mode preview talks 20 account A1 called Ms\n"
        "40 caller 5551234 dials 8010 talks 30\n",
        200,
    )
    assert stage.problems == []
    assert stage.floor.centre.queues.handled[10] == 1
    assert stage.floor.centre.dialler.reached + stage.floor.centre.dialler.open_records == 1


@given(st.text(max_size=200))
def test_any_text_is_a_scenario_or_told_why_not(text: str) -> None:
    try:
        parse(text, DEMO)
    except ScenarioError as error:
        told = error.problems
    else:
        told = [(0, "good")]
    assert told


_WORDS = ["0", "1:5", "agent", "1001", "caller", "dials", "8010", "talks", "x=1", "fault", "freeze", '"', "#", "sets"]


@given(st.lists(st.sampled_from(_WORDS), max_size=8).map(" ".join))
def test_any_words_are_a_scenario_or_told_why_not(text: str) -> None:
    test_any_text_is_a_scenario_or_told_why_not.hypothesis.inner_test(text)  # type: ignore[attr-defined]
