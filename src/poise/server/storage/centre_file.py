"""A whole centre in one YAML file: sections of rows, each with the line it begins on.

Only plain YAML: no aliases (a few lines could stand for billions), no tags, no second document. Values are text here;
what they must be is said by the tables that check them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

SIZE_MAX = 64 * 1024 * 1024
"""Bytes of a file: 50,000 contacts have about 8 MB."""


class CentreFileError(Exception):
    """The file cannot be read as sections of rows; the text says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a section."""

    line: int
    values: dict[str, Any]
    """Text, lists and objects below it."""


def read(data: bytes) -> dict[str, list[Entry]]:
    """Section -> its rows. Raises CentreFileError."""
    if len(data) > SIZE_MAX:
        raise CentreFileError(f"more than {SIZE_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken | yaml.TagToken):
                raise CentreFileError(f"line {token.start_mark.line + 1}: aliases and tags are not allowed")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise CentreFileError("not UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise CentreFileError(f"{where}not YAML ({getattr(error, 'problem', None) or error})") from None
    except RecursionError:
        raise CentreFileError("nested too deeply") from None
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise CentreFileError("line 1: the file must consist of sections such as `users:`")
    found: dict[str, list[Entry]] = {}
    for key, value in root.value:
        rows = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if isinstance(value, yaml.ScalarNode) and value.value == "":
            rows = []
        entries = found.setdefault(str(key.value), [])
        for row in rows:
            line = row.start_mark.line + 1
            plain = _plain(row)
            if not isinstance(plain, dict):
                raise CentreFileError(f"line {line}: a row of {key.value} consists of names and values")
            entries.append(Entry(line, plain))
    return found


def _plain(node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            if str(key.value) in found:
                raise CentreFileError(f"line {key.start_mark.line + 1}: {key.value} is given twice")
            found[str(key.value)] = _plain(value)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)
