"""Reads settings: defaults, the TOML file, POISE_SECTION_KEY, then --set section.key=value; the last one wins.

Every refusal names what is wrong, where it was read and how to mend it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

from poise.server.settings import SECTIONS, Settings

ENV_PREFIX = "POISE_"
MASK = "********"


class ConfigError(Exception):
    """A setting that cannot be used; the text is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting as it stands in the list."""

    section: str
    name: str
    kind: str
    default: Any
    doc: str
    secret: bool
    choices: tuple[str, ...]

    @property
    def dotted(self) -> str:
        """`section.key`, as in --set."""
        return f"{self.section}.{self.name}"

    @property
    def environment(self) -> str:
        """Name of its environment variable."""
        return f"{ENV_PREFIX}{self.section}_{self.name}".upper()


def keys() -> Iterator[Key]:
    """Every setting in the order of the list."""
    for section, cls in SECTIONS.items():
        for f in fields(cls):
            factory = f.default_factory
            default = f.default if factory is MISSING else factory()
            yield Key(
                section, f.name, str(f.type), default, f.metadata["doc"], f.metadata["secret"], f.metadata["choices"]
            )


KEYS: dict[str, Key] = {key.dotted: key for key in keys()}


def load(
    file: Path | None, environment: Mapping[str, str], assignments: Sequence[str], base: Settings | None = None
) -> Settings:
    """Settings from all four sources; `base` stands for the defaults.

    Raises ConfigError naming the source of the first value that cannot be used.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values |= _from_file(file)
    values |= _from_environment(environment)
    values |= _from_assignments(assignments)
    return with_values(base or Settings(), values)


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """A copy with checked values, keyed `section.key`."""
    for section in SECTIONS:
        mine = {dotted.partition(".")[2]: v for dotted, v in values.items() if dotted.partition(".")[0] == section}
        if mine:
            settings = replace(settings, **{section: replace(getattr(settings, section), **mine)})
    return settings


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}). Give an existing file with --config.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8 text. Save it as UTF-8.") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{file}: is not TOML: {error}. Values look like: [bosh] on one line, wait_max_s = 60 below."
        ) from None
    values: dict[str, Any] = {}
    for section, table in document.items():
        if section not in SECTIONS or not isinstance(table, dict):
            raise ConfigError(f"{file}: [{section}] is not a section.{_closest(section, SECTIONS)}")
        for name, value in table.items():
            key = _key(f"{section}.{name}", str(file))
            values[key.dotted] = _checked(key, value, f"{file}: {key.dotted}")
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    by_name = {key.environment: key for key in KEYS.values()}
    values: dict[str, Any] = {}
    for name, text in environment.items():
        if not name.startswith(ENV_PREFIX):
            continue
        if name not in by_name:
            raise ConfigError(f"environment {name} is not a setting.{_closest(name, by_name)}")
        key = by_name[name]
        values[key.dotted] = _parsed(key, text, f"environment {name}")
    return values


def _from_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(
                f"--set {assignment}: write it as --set section.key=value, e.g. --set contact.deployment=UCCX."
            )
        key = _key(dotted.strip(), f"--set {assignment}")
        values[key.dotted] = _parsed(key, text.strip(), f"--set {key.dotted}")
    return values


def _key(dotted: str, where: str) -> Key:
    if dotted not in KEYS:
        raise ConfigError(f"{where}: {dotted} is not a setting.{_closest(dotted, KEYS)}")
    return KEYS[dotted]


def _closest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else " `poise config show` lists them all."


def _parsed(key: Key, text: str, where: str) -> Any:
    """A value from text, by the type of its default."""
    default = key.default
    if isinstance(default, bool):
        words = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in words:
            raise ConfigError(f"{where}: {text!r} is neither true nor false.")
        return words[text.lower()]
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, int | float):
        try:
            return _checked(key, int(text) if isinstance(default, int) else float(text), where)
        except ValueError:
            raise ConfigError(f"{where}: {text!r} is not a number.") from None
    return _checked(key, text, where)


def _checked(key: Key, value: Any, where: str) -> Any:
    default = key.default
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        raise ConfigError(
            f"{where}: {value!r} is a {type(value).__name__}, a {type(default).__name__} is needed ({key.doc})."
        )
    if key.choices and str(value) not in key.choices:
        raise ConfigError(f"{where}: {value!r} is not one of {', '.join(key.choices)}.")
    if isinstance(value, int | float) and not isinstance(value, bool):
        port = key.section == "ports" or key.name.endswith("_port")
        lowest = -1 if port else 0
        if not lowest <= value < float("inf") or (port and value > 65535):
            raise ConfigError(f"{where}: {value!r} is out of range ({key.doc}).")
    return value


def as_dict(settings: Settings, *, mask: bool = True) -> dict[str, dict[str, Any]]:
    """Sections and values for display; secrets masked unless told otherwise."""
    shown: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for key in KEYS.values():
        value = getattr(getattr(settings, key.section), key.name)
        shown[key.section][key.name] = MASK if mask and key.secret and value else value
    return shown
