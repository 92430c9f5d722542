"""What a supervisor sees of her team's connections and what she tells the team, over real sessions."""

from __future__ import annotations

import json

from tests.e2e.stage import Stage

ABSENCES = "/poise/api/absences/Team/1"
MESSAGES = "/finesse/api/Team/1/TeamMessages"


def test_a_desktop_that_dies_counts_down_in_front_of_its_supervisor_who_learns_why(stage: Stage) -> None:
    watcher = stage.watcher()
    assert watcher.subscribe(ABSENCES).get("type") == "result"
    desk = stage.agent("1001")
    assert desk.subscribe(ABSENCES).get("type") == "error"
    supervisor = stage.rest("1101")

    desk.die()
    stage.pass_time(130)
    gone = watcher.update(ABSENCES, loginId="1001")
    assert (gone.value("event"), gone.value("state")) == ("POST", "GRACE")
    told = json.loads(supervisor.call("GET", "/poise/api/absences?team=1").body)
    (absence,) = told["absences"]
    assert absence["agent"] == "1001"
    assert 0 < absence["left_s"] < 60
    assert gone.value("signsOutAt") == absence["signs_out_at"]

    told = json.loads(supervisor.call("GET", "/poise/api/disconnects?team=1").body)
    (ended,) = told["disconnects"]
    assert (ended["code"], ended["client"], ended["binding"], ended["timer_s"]) == ("idle", "desktop", "bosh", 60)
    assert ended["last_contact"]["since"] <= ended["last_contact"]["until"] < ended["at"]
    assert "navegador" in ended["sentence"]["pt-BR"]

    stage.pass_time(60)
    assert [watcher.update(ABSENCES).value("event") for _ in range(2)] == ["PUT", "DELETE"]
    assert json.loads(supervisor.call("GET", "/poise/api/absences").body)["absences"] == []


def test_a_message_to_the_team_is_on_the_members_screens_and_goes_when_its_time_is_over(stage: Stage) -> None:
    desk = stage.agent("1001")
    assert desk.subscribe(MESSAGES).get("type") == "result"
    body = "<TeamMessage><duration>90</duration><content>Olá</content><teams><team>1</team></teams></TeamMessage>"
    reply = stage.rest("1101").call("POST", "/finesse/api/TeamMessages", body.encode(), [("requestId", "m1")])
    assert (reply.status, reply.body) == (200, b"")
    shown = desk.update(MESSAGES)
    assert (shown.value("event"), shown.value("content"), shown.value("requestId")) == ("POST", "Olá", "m1")
    stage.pass_time(92)
    assert desk.update(MESSAGES).value("event") == "DELETE"
    assert stage.rest("1001").get("Team/1/TeamMessages").root.find("TeamMessage") is None


def test_the_error_report_of_a_desktop_is_a_file_and_an_event(stage: Stage) -> None:
    desk = stage.agent("1001")
    node = "/finesse/api/User/1001/ClientLog"
    assert desk.subscribe(node).get("type") == "result"
    log = b"<ClientLog><logData>Mozilla/5.0&#10;a line</logData></ClientLog>"
    assert stage.rest("1001").call("POST", node, log, [("requestId", "c1")]).status == 202
    told = desk.update(node)
    assert (told.value("event"), told.value("requestId")) == ("POST", "c1")
    (file,) = (stage.data / "logs" / "desktop" / "clientlogs").iterdir()
    assert file.read_text() == "Mozilla/5.0\na line"
