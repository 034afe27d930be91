"""Reading the record's YAML so that every scalar stays the text that was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CBaseLoader as BaseLoader
except ImportError:  # PyYAML built without libyaml: the same, slower
    from yaml import BaseLoader  # type: ignore[assignment]


class BadRecord(ValueError):
    """The record cannot be taken; the message names the file, the entry, what is wrong and what is right."""


class _TextLoader(BaseLoader):
    """YAML without types: 0.10 keeps its zero and NO is a country. A key given twice is refused."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands here twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, place: str) -> object:
    """The content of a file as mappings, lists and text. Raises BadRecord, naming ``place``."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _TextLoader)  # noqa: S506 - a loader that makes only text
    except OSError as error:
        raise BadRecord(f"{place}: the file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadRecord(f"{place}: the file is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise BadRecord(f"{place}: the file is not YAML ({_one_line(error)})") from None


def files_of(folder: Path, kind: str) -> Iterator[tuple[str, str, object]]:
    """Each file of one kind, sorted: its place as people name it, the company's slug, its content.

    Raises BadRecord when the folder is missing, empty or holds something else.
    """
    if not (folder / kind).is_dir():
        raise BadRecord(f"{folder.name}/{kind}: no such folder, where one YAML file per company was expected")
    paths = sorted((folder / kind).iterdir())
    if not paths:
        raise BadRecord(f"{folder.name}/{kind}: the folder is empty, where one YAML file per company was expected")
    for path in paths:
        place = f"{folder.name}/{kind}/{path.name}"
        if path.suffix != ".yaml":
            raise BadRecord(f"{place}: a file of the record is called after its company and ends in .yaml")
        yield place, path.stem, read_yaml(path, place)


def _one_line(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())
