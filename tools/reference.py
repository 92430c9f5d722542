"""Writes docs/reference from the tables the program itself uses. `python tools/reference.py [--check]`.

With --check nothing is written; the exit code is 1 when a page is not what the program says.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import typer

from poise.cli.main import app as command_line
from poise.finesse import team_messages
from poise.finesse import timing as presence_timing
from poise.finesse.api_errors import CATALOGUE
from poise.finesse.configuration.fields import Field, Kind
from poise.finesse.configuration.table import ROWS, Row
from poise.protocols.cti import timing as cti_timing
from poise.protocols.cti.messages import Message
from poise.protocols.xmpp import host_limits, rates
from poise.protocols.xmpp.bosh import timing as bosh_timing
from poise.registry import ENDINGS, Closed
from poise.server import accounts, config, hashing, lockout, watching
from poise.server.app import Application
from poise.server.clock import ManualClock
from poise.server.notification import admission, disconnects
from poise.server.notification import timing as notification_timing
from poise.server.serviceability import client_logs, openfire, webservices_log, writer
from poise.server.serviceability import trace as trace_file
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.metrics import Counter, Gauge, Metrics
from poise.server.serviceability.openfire import OpenfireLog
from poise.server.serviceability.trace import Trace
from poise.server.serviceability.webservices_log import WebservicesLog
from poise.server.serviceability.writer import Numbered
from poise.server.settings import SECTIONS, Ports, Server, Settings
from poise.server.storage import presences
from poise.server.webservices.configuration.routes import ENDPOINTS
from poise.server.webservices.problems import PROBLEMS
from poise.server.webservices.routes import RESOURCES

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
TIMERS: Mapping[str, ModuleType] = {
    "BOSH sessions": bosh_timing,
    "Presence-driven logout": presence_timing,
    "CTI link": cti_timing,
    "Sockets of the notification service": notification_timing,
    "New sessions": admission,
    "XMPP host": host_limits,
    "Rates of the XMPP host": rates,
    "Sign-in": accounts,
    "Password hashes": hashing,
    "Lockout": lockout,
    "Last presences": presences,
    "Endings that supervisors see": disconnects,
    "Team messages": team_messages,
    "Clients' logs": client_logs,
    "Changes beside the running server": watching,
    "Log writer": writer,
    "Logs of the notification service": openfire,
    "Logs of the web services": webservices_log,
    "Trace": trace_file,
}
"""Heading -> module whose numbers are listed."""
HEADINGS = {OpenfireLog: "Notification service", WebservicesLog: "Web services"}

WALL = 1_497_638_764.63
"""The moment of the examples."""
REQUEST = Message(
    "SET_AGENT_STATE_REQ",
    {"InvokeID": 12, "PeripheralID": 5000, "AgentState": 1, "EventReasonCode": 255, "ForcedFlag": 1},
    (("AGENT_ID", "1001"),),
)
EVENT = Message(
    "AGENT_STATE_EVENT", {"PeripheralID": 5000, "AgentState": 1, "EventReasonCode": 255}, (("AGENT_ID", "1001"),)
)
EXAMPLES: Mapping[str, Any] = {
    "address": "192.0.2.17",
    "alive": False,
    "available": False,
    "body": b"<body xmlns='http://jabber.org/protocol/httpbind' rid='164053266' sid='f382a015'/>",
    "closed": Closed(ENDINGS["idle"], 936.8, 936.8, 1000.0, 60.0, "no request held for 63 s"),
    "condition": "item-not-found",
    "consume_response.status": 3,
    "count": 4,
    "cti_link_down.reason": "no answer to 3 heartbeats",
    "decoded_message_from_cti_server.message": EVENT,
    "demo_telephony.text": "The demo's telephone system (process 4711) ended with exit code 1.",
    "dispatch_ms": 1_497_638_824_643,
    "doing": "publishing of AgentChanged",
    "elapsed_ms": 1.4,
    "enabled": True,
    "epoch_ms": 1_497_638_764_630,
    "error": ValueError("an example"),
    "evidence": "3 requests at once, 2 allowed",
    "grace_s": 60.0,
    "idle_ms": 63_231,
    "in_service": True,
    "jid": "1001@finesse1.example.com/desktop",
    "message": REQUEST,
    "method": "PUT",
    "msgs_received": 4,
    "msgs_sent": 9,
    "name": "1001",
    "node": "/finesse/api/User/1001",
    "path": "/finesse/api/User/1001",
    "payload": "<Update>...</Update>",
    "presence_logout_waiting.why": "the CTI link is down",
    "presence": b'<presence xmlns="jabber:client" from="1001@finesse1.example.com/desktop"/>',
    "publish_failed.reason": "there is no such node",
    "reason": "",
    "received_ms": 1_497_638_824_642,
    "request_id": "07f14a42",
    "resource": "desktop",
    "rid": 164_053_266,
    "seconds": 7.5,
    "sid": "f382a015",
    "side": "A",
    "stanza": b'<message xmlns="jabber:client" from="pubsub.finesse1.example.com">...</message>',
    "status": 202,
    "temporary": False,
    "text": "a message of an unknown type",
    "threshold_s": 60,
    "transport": "bosh",
    "trouble": "the database refused: OperationalError",
    "user": "1001",
    "why": "the agent is back",
}
"""What the logs are told, by the name of the parameter, or of event and parameter."""


# ---- pages


def settings_page() -> list[str]:
    """Every setting, section by section."""
    lines = []
    for section, cls in SECTIONS.items():
        keys = [key for key in config.KEYS.values() if key.section == section]
        rows = [(f"`{k.dotted}`", shown(k.default), meaning(k), f"`{k.environment}`") for k in keys]
        lines += [f"## {section}", "", first_line(cls), ""]
        lines += [*table(("setting", "default", "meaning", "environment"), rows), ""]
    return lines


def command_page() -> list[str]:
    """Every command with its options."""
    lines = []
    for path, command in commands(typer.main.get_command(command_line), "poise"):
        parameters = [p for p in command.params if p.name not in ("help", "install_completion", "show_completion")]
        lines += [f"## {path}", "", *inspect.cleandoc(command.help or "").splitlines(), ""]
        rows = [(f"`{written(p)}`", default(p), p.help or "") for p in parameters]
        lines += [*table(("option", "default", "meaning"), rows), ""] if rows else []
    return lines


def endings_page() -> list[str]:
    """The registry of endings."""
    heading = ("code", "ended by", "severity", "BOSH condition", "stream error", "what happened", "the agent is told")
    rows = [
        (f"`{e.code}`", e.who.value, e.severity.value, e.bosh or "-", e.stream or "-", e.operator, e.agent)
        for e in ENDINGS.values()
    ]
    return [*table(heading, rows), ""]


def timers_page() -> list[str]:
    """Every number with its biography."""
    lines = []
    for heading, module in TIMERS.items():
        rows = [(f"`{name}`", shown(value), doc) for name, value, doc in constants(module)]
        lines += [f"## {heading}", "", f"`{module.__name__}`", "", *table(("name", "value", "biography"), rows), ""]
    return lines


def errors_page() -> list[str]:
    """REST refusals."""
    rows = [(f"`{code.value}`", str(e.status), e.type, e.message) for code, e in CATALOGUE.items()]
    refused = [(f"`{problem.code}`", str(problem.status), problem.title) for problem in PROBLEMS.values()]
    return [
        *table(("code", "status", "ErrorType", "ErrorMessage"), rows),
        "",
        "## The administrator's API",
        "",
        "What is refused below `/poise/api` is told as `application/problem+json` (RFC 9457): `code`, `status`, `title`"
        " and in `detail` what belongs to the single case.",
        "",
        *table(("code", "status", "title"), refused),
        "",
    ]


def rest_page() -> list[str]:
    """Every path of the API with its methods."""
    told = {(endpoint.path, endpoint.method): endpoint for endpoint in ENDPOINTS}
    run_time, configured = [], []
    for resource in RESOURCES:
        for method, handler in resource.handlers.items():
            endpoint = told.get((resource.path, method))
            if endpoint is None:
                doc = " ".join((handler.__doc__ or "").split())
                run_time.append((f"`{resource.path}`", method, doc))
            else:
                who = endpoint.readers.value if endpoint.readers is not None else "whom it concerns"
                statuses = ", ".join(str(status) for status in sorted(endpoint.statuses))
                configured.append(
                    (f"`{resource.path}`", method, who, statuses, "none", endpoint.row.products.value, endpoint.doc)
                )
    heading = ("path", "method", "who may", "statuses", "event", "product", "what it does")
    return [
        "## Configuration",
        "",
        "Each row is one test (`test_every_cell`), which provokes every status of the row on SQLite and compares them"
        " with the table. *whom it concerns*: the user, members and supervisors of the team, administrators.",
        "",
        *table(heading, configured),
        "",
        "## Users and calls",
        "",
        *table(("path", "method", "what it does"), run_time),
        "",
        "## Objects",
        "",
        *(line for row in ROWS for line in rest_object(row)),
    ]


def rest_object(row: Row) -> Iterator[str]:
    """What one kind of object holds."""
    yield from (f"### {row.name}", "", row.doc, "")
    yield from table(("element", "kind", "bounds"), rest_fields(row.fields))
    if row.keys:
        yield from (
            "",
            "Unique: " + "; ".join(" with ".join(f"`{name}`" for name in names) for names in row.keys) + ".",
        )
    if row.limits:
        names = {"*": "in all", "parent": f"in one {row.parent}"}
        yield from ("", "At most " + ", ".join(f"{n} {names.get(b, f'of {b}')}" for b, n in row.limits.items()) + ".")
    yield ""


def rest_fields(fields: Iterable[Field], within: str = "") -> Iterator[tuple[str, ...]]:
    """Fields, those of groups and items below them."""
    for one in fields:
        bounds = []
        if one.computed:
            bounds.append("read only")
        elif one.kind is Kind.TEXT:
            words = f"{one.longest} {'bytes' if one.octets else 'characters'}"
            bounds.append(", ".join(one.choices) if one.choices else words)
        elif one.kind is Kind.INTEGER:
            bounds.append(f"{one.least} to {one.most}")
        elif one.kind in (Kind.LIST, Kind.REPEATED):
            bounds.append(f"up to {one.most}")
        bounds += ["required"] if one.required else []
        bounds += ["never shown"] if one.secret else []
        name = f"{within}{one.name}" + (f"/{one.item}" if one.item else "")
        yield f"`{name}`", one.kind.value, "; ".join(bounds)
        yield from rest_fields(one.fields, f"{name}/")


def metrics_page() -> list[str]:
    """What /metrics shows."""
    rows = [
        (f"`{m.name}`", m.kind if isinstance(m, Gauge) else "counter", ", ".join(m.labels), m.help) for m in metrics()
    ]
    return [*table(("metric", "kind", "labels", "meaning"), rows), ""]


def logs_page() -> list[str]:
    """What each event writes, recorded from the logs themselves."""
    lines = []
    for log, heading in HEADINGS.items():
        lines += [f"## {heading}", ""]
        for event, doc, told in recorded(log):
            lines += [f"**{event}**: {doc}", "", "```text", *told, "```", ""] if told else []
    return lines


Page = tuple[str, str, Callable[[], list[str]]]
PAGES: Mapping[str, Page] = {
    "settings.md": (
        "Settings",
        "Later sources win: defaults, the TOML file of `--config`, the environment, `--set section.key=value`. "
        "`poise config show` prints the values in force, as a file to start from; `poise config check` says whether "
        "they can be used.",
        settings_page,
    ),
    "command-line.md": (
        "Command line",
        "Exit codes of every command: 0 good, 1 findings or failure, 2 wrong use. `--json` prints facts for programs. "
        "`--help` after any command says the same as this page.",
        command_page,
    ),
    "endings.md": (
        "Endings of sessions",
        "Every way in which a session can end. The code stands in the trace (`session_ended`) and in the metric "
        "`poise_sessions_ended_total`; `poise explain CODE` tells it at the prompt. `-` under BOSH means `terminate` "
        "without a condition.",
        endings_page,
    ),
    "timers.md": (
        "Timers and bounds",
        "Times, sizes and bounds, each with its source and what breaks when it is changed. Those that can be set stand "
        "in [settings](settings.md) too. *The seed* is the published troubleshooting guide for BOSH in Finesse that "
        "this project grew from; names like C25 are rows of the [conformance report](conformance-bosh.md).",
        timers_page,
    ),
    "rest-errors.md": (
        "REST errors",
        "The body of a refusal is an `ApiErrors` document; its `ErrorData` belongs to the single case. `poise explain` "
        "finds each by code, status, type or message.",
        errors_page,
    ),
    "rest-api.md": (
        "REST API",
        "All paths begin with `/finesse/api`. The same, for programs, is `/openapi.json` of a running server; `/docs` "
        "shows it. Whatever is refused has a code in the header `poise-code`: see [REST errors](rest-errors.md). 500 "
        "and 503 are possible everywhere. `Accept: application/json` gives every answer as JSON.",
        rest_page,
    ),
    "metrics.md": (
        "Metrics",
        "`/metrics` on the HTTPS port, in the text format of Prometheus. Beside it, `/healthz` says whether the "
        "process answers and `/readyz` whether it can work, with reasons.",
        metrics_page,
    ),
    "logs.md": (
        "Logs",
        "Three kinds of logs lie in `DATA/logs`. `desktop/openfire` and `desktop/webservices` have the form that "
        "runbooks and log tools know; `poise/trace.jsonl` is for programs, one JSON object a line. An event writes to "
        "several of them in the same moment. `debug.log` is written only while it is "
        "[switched on](../how-to/switch-debug-logs.md).",
        logs_page,
    ),
}


def page(file: str) -> str:
    """The text of one page."""
    title, introduction, write = PAGES[file]
    return "\n".join(
        [f"# {title}", "", "Generated by `tools/reference.py`; do not edit.", "", introduction, "", *write()]
    )


# ---- what the pages are made of


def table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    cells = [heading, tuple("---" for _ in heading), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def first_line(thing: object) -> str:
    """The first line of its documentation."""
    return inspect.cleandoc(thing.__doc__ or "").splitlines()[0]


def shown(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, float):
        value = f"{value:g}"
    return f"`{value}`" if value not in ("", ()) else "(empty)"


def meaning(key: config.Key) -> str:
    """A setting's meaning, with its choices."""
    return key.doc + (f" ({', '.join(key.choices)})" if key.choices else "") + (" (secret)" if key.secret else "")


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that can be run, depth first."""
    if not getattr(command, "no_args_is_help", False) or not hasattr(command, "commands"):
        yield path, command
    for word, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {word}")


def written(parameter: Any) -> str:
    """How an option or argument is written."""
    return ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()


def default(parameter: Any) -> str:
    """Its default, where there is one to tell."""
    value = getattr(parameter.default, "value", parameter.default)
    return "" if value in (None, False, "") or parameter.multiple else shown(value)


def constants(module: ModuleType) -> Iterator[tuple[str, int | float, str]]:
    """Numbers of a module that have a documentation, in the order of the file."""
    for node, following in pairwise(ast.parse(inspect.getsource(module)).body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not isinstance(target, ast.Name) or not isinstance(following, ast.Expr):
            continue
        value = getattr(module, target.id)
        if target.id.isupper() and isinstance(value, int | float):
            yield target.id, value, " ".join(ast.literal_eval(following.value).split())


class Recorder:
    """Stands where the log writer stands and keeps what is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def file(self, folder: Path, naming: Any, **_: object) -> Any:
        """A file that keeps its lines with its name before them."""
        file = f"{folder.name}/{naming.name if isinstance(naming, Numbered) else naming.prefix + '.TIME.log'}"
        return SimpleNamespace(write=lambda text: self.lines.append(f"{file}: {text.rstrip()}"))


def recorded(log: type[Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Every event of a log: its name, its meaning, and the lines it writes when told the examples."""
    clock, recorder = ManualClock(wall=WALL), Recorder()
    activelog = Activelog(Path())
    trace, metrics = Trace(recorder, activelog, clock), Metrics()  # type: ignore[arg-type]
    more: dict[str, Any] = {"debug": True} if log is OpenfireLog else {"host": "finesse1.example.com"}
    told = log(recorder, activelog, clock, trace, metrics, zone=UTC, **more)
    for method, function in vars(log).items():
        if method.startswith("_") or method == "line":
            continue
        recorder.lines.clear()
        parameters = [word for word in inspect.signature(function).parameters if word != "self"]
        getattr(told, method)(**{word: EXAMPLES.get(f"{method}.{word}", EXAMPLES[word]) for word in parameters})
        yield method, first_line(function), list(recorder.lines)


def metrics() -> list[Counter | Gauge]:
    """The metrics of an application that was started and stopped again."""

    async def start(data: str) -> list[Counter | Gauge]:
        free = Ports(https=0, notification=0, xmpp=0, xmpp_tls=0)
        settings = Settings(server=Server(host="127.0.0.1", domain="localhost", data=data), ports=free)
        application = Application(settings)
        await application.start()
        try:
            return list(application.metrics)
        finally:
            await application.stop()

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(start(folder))


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them."""
    stale = []
    for file in PAGES:
        written = page(file)
        if (REFERENCE / file).exists() and (REFERENCE / file).read_text(encoding="utf-8") == written:
            continue
        stale.append(file)
        if "--check" not in arguments:
            REFERENCE.mkdir(parents=True, exist_ok=True)
            (REFERENCE / file).write_text(written, encoding="utf-8")
    if stale:
        sys.stdout.write(("stale: " if "--check" in arguments else "written: ") + ", ".join(stale) + "\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
