"""Reading a local git clone through the ``git`` command: nothing in it is run, fetched or written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from feeds.reading import LARGEST_DOCUMENT
from feeds.refreshing import RefreshRefused
from pricing.claims import UnreadableDocument

# A clone's own configuration may name programs; these settings go before it. No transport: a partial clone must not
# fetch what it lacks.
_SAFELY = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
_REGULAR, _EXECUTABLE, _LINK = "100644", "100755", "120000"
_LINKS_FOLLOWED = 5
KEPT_BLOBS = 8192
KEPT_BLOB_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit on the first parents of the checked-out branch, and its committer's date."""

    name: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a path is in a commit: the name of its content, and whether that is a folder."""

    content: str
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree: its mode, the name of its content, and its path within the tree."""

    mode: str
    blob: str
    path: str


class Repository:
    """A clone in a folder. Raises RefreshRefused where there is none, or no ``git`` to read it with."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise RefreshRefused(f"{folder} is not a folder; give a local clone, made by git clone")
        self.folder = folder.resolve()
        self._ask("rev-parse", "--git-dir", refusal=f"{folder} is not a git repository; give a local clone of one")

    def is_shallow(self) -> bool:
        """Whether the clone lacks the older part of its history."""
        return self._ask("rev-parse", "--is-shallow-repository").strip() == b"true"

    def commits(self, path: str) -> list[Commit]:
        """The commits that changed a path, oldest first, along first parents.

        What was merged from a side branch counts when it was merged: before that nobody who read the branch saw it.
        Raises RefreshRefused when the path never existed.
        """
        if "\n" in path:
            raise RefreshRefused(f"{path!r} is not a path in a clone: it has more than one line")
        refusal = f"{self.folder} has no commit yet; there is no history to read"
        told = self._ask(
            "rev-list", "--first-parent", "--timestamp", "HEAD", "--", f":(literal){path}", refusal=refusal
        )
        rows = [line.split() for line in told.decode("ascii").splitlines()]
        if not rows:
            raise RefreshRefused(f"{path} never existed on the checked-out branch of {self.folder}; name it by --path")
        return [Commit(name, datetime.fromtimestamp(int(second), UTC)) for second, name in reversed(rows)]

    def files(self, tree: str) -> dict[str, str]:
        """The files under a tree, by path within it, and the names of their contents; links within it are followed."""
        entries = {entry.path: entry for entry in _entries(self._ask("ls-tree", "-r", "-z", "--full-tree", tree, "--"))}
        plain = {path: entry.blob for path, entry in entries.items() if entry.mode in (_REGULAR, _EXECUTABLE)}
        links = {path: entry.blob for path, entry in entries.items() if entry.mode == _LINK}
        if not links:
            return plain
        with self.contents() as contents:
            targets = {path: contents.read(blob).decode("utf-8", "replace") for path, blob in links.items()}
        return plain | _through_links(plain, targets)

    @contextmanager
    def contents(self) -> Iterator[Contents]:
        """What the clone holds, through two ``git cat-file`` that live as long as the context."""
        with self._running("--batch-check") as finder, self._running("--batch") as reader:
            try:
                yield Contents(finder, reader)
            finally:
                finder.kill()
                reader.kill()

    def _running(self, kind: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command("cat-file", kind),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment(),
        )

    def _command(self, *arguments: str) -> list[str]:
        return [_git(), *_SAFELY, "-C", str(self.folder), *arguments]

    def _environment(self) -> dict[str, str]:
        """One of its own: no ``GIT_…`` of ours points elsewhere, and a folder inside another clone is not that clone.

        The operator's own configuration counts: it says whose clones may be read (``safe.directory``).
        """
        return {
            "HOME": str(Path.home()),
            "PATH": os.defpath,
            "LC_ALL": "C",
            "GIT_CEILING_DIRECTORIES": str(self.folder.parent),
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def _ask(self, *arguments: str, refusal: str = "") -> bytes:
        try:
            answer = subprocess.run(
                self._command(*arguments), capture_output=True, env=self._environment(), check=False
            )
        except FileNotFoundError:
            raise RefreshRefused("the git command is not installed; install git, or backfill from --dir") from None
        if answer.returncode:
            said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = refusal or f"git {arguments[0]} failed in {self.folder}"
            raise RefreshRefused(f"{reason} ({said[0]})" if said else reason)
        return answer.stdout


@dataclass(slots=True)
class Contents:
    """Contents of a clone by name; small ones are remembered, since versions of a tree share most of theirs."""

    finder: subprocess.Popen[bytes]
    reader: subprocess.Popen[bytes]
    _kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    def find(self, commit: Commit, path: str) -> Found | None:
        """What a path is in a commit; None where it is not there."""
        kind = _ask_running(self.finder, f"{commit.name}:{path}")
        return Found(kind[0].decode("ascii"), kind[1] == b"tree") if len(kind) == 3 else None

    def read(self, name: str) -> bytes:
        """One content. Raises UnreadableDocument when it is not there, or larger than any document may be."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        header = _ask_running(self.reader, name)
        if len(header) != 3:
            raise UnreadableDocument(f"the clone does not hold the content {name[:12]}; was it cloned in part?")
        body = self._body(name, int(header[2]))
        if len(body) <= KEPT_BLOB_SIZE:
            self._keep(name, body)
        return body

    def _body(self, name: str, size: int) -> bytes:
        answered = self.reader.stdout
        assert answered is not None
        if size <= LARGEST_DOCUMENT:
            return answered.read(size + 1)[:-1]
        left = size + 1
        while left:
            left -= len(answered.read(min(left, 1024 * 1024)))
        raise UnreadableDocument(f"the content {name[:12]} has {size:,} bytes, more than a feed may have")

    def _keep(self, name: str, body: bytes) -> None:
        self._kept[name] = body
        if len(self._kept) > KEPT_BLOBS:
            self._kept.popitem(last=False)


def _git() -> str:
    found = shutil.which("git")
    if found is None:
        raise RefreshRefused("the git command is not installed; install git, or backfill from --dir")
    return found


def _ask_running(process: subprocess.Popen[bytes], question: str) -> list[bytes]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(question.encode("utf-8", "surrogateescape") + b"\n")
    process.stdin.flush()
    # What is missing is answered with the question, which may hold spaces, and the word.
    answer = process.stdout.readline().rstrip(b"\n")
    return [] if answer.endswith(b" missing") else answer.split()


def _entries(told: bytes) -> Iterator[Entry]:
    for row in told.split(b"\0"):
        if row:
            meaning, path = row.split(b"\t", 1)
            mode, _, blob = meaning.decode("ascii").split()
            yield Entry(mode, blob, path.decode("utf-8", "surrogateescape"))


def _through_links(plain: dict[str, str], targets: dict[str, str]) -> dict[str, str]:
    """The files that are reached through symbolic links to files or folders of the same tree."""
    found: dict[str, str] = {}
    for link, target in targets.items():
        aim: str | None = _joined(link, target)
        for _ in range(_LINKS_FOLLOWED):
            if aim is None or aim not in targets:
                break
            aim = _joined(aim, targets[aim])
        if aim is not None:
            found |= {link + path[len(aim) :]: blob for path, blob in plain.items() if _is_at(path, aim)}
    return found


def _is_at(path: str, aim: str) -> bool:
    return path == aim or path.startswith(f"{aim}/")


def _joined(link: str, target: str) -> str | None:
    """Where a link leads, as a path within the tree; None where that lies outside."""
    parts: list[str] = [] if target.startswith("/") else list(PurePosixPath(link).parent.parts)
    for part in PurePosixPath(target).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return None if target.startswith("/") else "/".join(parts)
