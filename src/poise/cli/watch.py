"""`poise watch`: why agents are disconnected, while it happens."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from poise.diagnosis.wording import Words
    from poise.tools.watching import News


def watch(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Growing logs: the logs folder of a running server's data folder, or any folder or file.", exists=True
        ),
    ] = Path("data/logs"),
    every: Annotated[float, typer.Option("--every", min=0.05, help="Seconds between two looks.")] = 2.0,
    everything: Annotated[bool, typer.Option("--all", help="Tell also what the logs hold already.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Look once and end; with --all.")] = False,
    language: Annotated[str, typer.Option("--language", help="en, pt-BR or es.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Watch a running server's logs and name the cause of each disconnect as it happens; again when it gets surer.

    Reads what `poise analyze` reads of logs, with the same rules. Ctrl-C ends it.
    """
    from poise.diagnosis.wording import Words  # here: no other command should load it
    from poise.tools.watching import Watch

    try:
        words = Words(language)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    watching, over = Watch(folder.resolve()), threading.Event()
    if not as_json and not once:
        typer.echo(f"Watching {folder}. Ctrl-C ends.", err=True)
    try:
        while True:
            for news in watching.look(datetime.now(UTC), tell_first=everything):
                _tell(news, words, as_json)
            if once or over.wait(every):
                return
            if not folder.exists():
                typer.echo(f"{folder} is gone.", err=True)
                raise typer.Exit(1)
    except KeyboardInterrupt:
        return


def _tell(news: News, words: Words, as_json: bool) -> None:
    told = values(news, words)
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        mark = "  now: " if told["again"] else ""
        who = told["agent"] or words.label("nobody")
        line = f"{told['at']}  {who}: {mark}{told['title']} ({told['side']}; {told['confidence']})"
        sys.stdout.write(line + f"\n    {told['sentence']}\n    {', '.join(told['proof'])}\n")
    sys.stdout.flush()


def values(news: News, words: Words) -> dict[str, Any]:
    """What is told of one disconnect."""
    from poise.diagnosis.jsonform import stamp

    evidence, incident, best = news.analysis.evidence, news.verdict.incident, news.verdict.best
    return {
        "at": stamp(incident.at, evidence.people_zone_s),
        "agent": incident.agent,
        "again": news.again,
        "cause": best.cause.id,
        "title": words.title(best),
        "side": words.side(best),
        "confidence": words.confidence(best),
        "sentence": words.sentence(best),
        "proof": [evidence.where(event.place) for event in best.hit.proof[:3]],
    }
