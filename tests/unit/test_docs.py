"""The documentation does not lie: links lead somewhere, commands exist, and nothing of this machine is told."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from poise.cli.main import app
from poise.server.config import KEYS

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_BY_MAKE = {
    "bench/report.md": "make bench",
    "docs/proof/silence-default-times.md": "make test-long",
    "docs/proof/mutants-bosh.md": "make test-long",
}
"""Pages that a long run writes: linked, and absent until it was made once."""
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")] if path.is_file()
)


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def fences(page: str, *languages: str) -> str:
    """The code blocks in those languages, one after the other."""
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```", text_of(page), re.MULTILINE | re.DOTALL)
    return "\n".join(block for language, block in found if language in languages)


def commands_shown(page: str, program: str) -> Iterator[list[str]]:
    """Command lines of a program in code blocks, and inline between backticks."""
    inline = [code for code in re.findall(r"`([^`\n]+)`", text_of(page)) if code.startswith(f"{program} ")]
    inline = [code for code in inline if "[" not in code and "CODE" not in code]  # a grammar, not to be typed
    for line in [*fences(page, "console", "bash").splitlines(), *inline]:
        words = shlex.split(line, comments=True) if f"{program} " in line and "curl" not in line else []
        if words and Path(words[0]).name == program:
            yield words[1:]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    local = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    for target in filter(None, local):
        path = (ROOT / page).parent.joinpath(target).resolve()
        assert path.is_relative_to(ROOT), f"{target} leaves the tree"
        assert path.exists() or path.relative_to(ROOT).as_posix() in WRITTEN_BY_MAKE, target


def test_pages_that_make_writes_are_named_where_they_are_made() -> None:
    for name, command in WRITTEN_BY_MAKE.items():
        assert f"{command.removeprefix('make ')}:" in text_of("Makefile"), name


def wrong(words: list[str]) -> str:
    """What is wrong with a command line of `poise`; empty when it could be typed."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if getattr(command, "commands", {}) and rest and not rest[0].startswith("-"):
        return f"{rest[0]} is no command"
    options = {name: p for p in command.params for name in p.opts if p.param_type_name == "option"}
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    while rest:
        word, equals, _ = rest.pop(0).partition("=")
        if not word.startswith("--"):
            if not arguments:
                return f"{word} is one argument too many"
            arguments.pop()
        elif word not in {*options, "--help"}:
            return f"{word} is no option"
        elif not equals and word != "--help" and not options[word].is_flag:
            value = rest.pop(0) if rest else ""
            if word == "--set" and value != "section.key=value" and value.partition("=")[0] not in KEYS:
                return f"{value} is no setting"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_shown_exist(page: str) -> None:
    for words in commands_shown(page, "poise"):
        assert wrong(words) == "", f"poise {' '.join(words)}"


@pytest.mark.parametrize("line", ["serv", "serve --dmo", "serve extra", "utils finesse logging", "serve --set a.b=1"])
def test_a_command_that_does_not_exist_would_be_found(line: str) -> None:
    assert wrong(line.split()) != ""


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_that_are_shown_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for words in commands_shown(page, "make"):
        assert words[0] in targets, f"make {words[0]}"


def test_readme_names_the_two_commands() -> None:
    shown = [words[0] for words in commands_shown("README.md", "make")]
    assert {"run", "test"} <= set(shown)


def test_licence_notice_and_the_word_on_cisco_are_there() -> None:
    assert "Apache License" in text_of("LICENSE")
    assert "not affiliated with" in text_of("NOTICE")
    assert "not affiliated with Cisco" in text_of("README.md")


def test_settings_named_in_pages_exist() -> None:
    sections = {key.partition(".")[0] for key in KEYS}
    for page in PAGES:
        for code in re.findall(r"`([a-z]+\.[a-z0-9_]+)(?:=\w+)?`", text_of(page)):
            if code.partition(".")[0] in sections and not code.endswith((".py", ".log", ".toml")):
                assert code in KEYS, f"{page}: {code}"


FOREIGN = [
    "/" + "work/",
    "/" + "home/",
    "/" + "root/",
    "/" + "Users/",
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js.",
    "crates" + ".io",
]
"""Places on somebody's machine, and hosts of package registries: a clean checkout must need neither."""


def test_no_file_names_a_machines_folders_or_a_package_registry() -> None:
    for name in tracked():
        data = (ROOT / name).read_bytes()
        assert [word for word in FOREIGN if word.encode() in data] == [], name
