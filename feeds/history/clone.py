"""Every version of a feed's document in a local clone: of one file, or of a tree that the adapter assembles.

A version counts as read at its committer's date: that is when it came to be on the branch, while its author's date may
lie weeks before anybody could read it there. The order is that of the first parents, which no clock can upset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from feeds.history.repository import Commit, Contents, Found, Repository
from feeds.history.versions import Version, rising
from feeds.refreshing import RefreshRefused
from feeds.registry import KnownFeed
from pricing.claims import UnreadableDocument

Say = Callable[[str], None]


@contextmanager
def clone_versions(
    known: KnownFeed, folder: Path, path: str | None, since: datetime | None, say: Say
) -> Iterator[list[Version]]:
    """The versions of a feed's document in a clone, oldest first, readable within the context.

    Commits that leave it as it was are left out. Raises RefreshRefused for what is no clone, a path that never existed
    in it, and a folder that the feed's adapter cannot assemble.
    """
    repository = Repository(folder)
    path = (path or "").strip("/") or known.git_path
    if not path:
        raise RefreshRefused(f"where {known.slug}'s document lies in a clone is not known; name it by --path")
    commits = repository.commits(path)
    if repository.is_shallow():
        say(
            f"{folder} is a shallow clone: its history begins {commits[0].committed_at:%Y-%m-%d}; "
            "git fetch --unshallow brings the rest"
        )
    with repository.contents() as contents:
        history = _History(known, repository, contents, path)
        moments = rising([commit.committed_at for commit in commits], timezone.now())
        versions = history.versions(commits, moments)
        yield [version for version in versions if since is None or version.observed_at >= since]


@dataclass(slots=True)
class _History:
    """One path's history in a clone."""

    known: KnownFeed
    repository: Repository
    contents: Contents
    path: str

    def versions(self, commits: list[Commit], moments: list[datetime]) -> list[Version]:
        """Each commit's version, without those that leave the document as it was."""
        found: list[Version] = []
        last: str | None = None
        for commit, moment in zip(commits, moments, strict=True):
            there = self.contents.find(commit, self.path)
            content = there.content if there is not None else None
            if content != last:
                found.append(Version(commit.name[:10], moment, self._reader(there), is_commit=True))
            last = content
        return found

    def _reader(self, there: Found | None) -> Callable[[], bytes]:
        if there is None:
            return self._nothing
        if not there.is_folder:
            return lambda: self.contents.read(there.content)
        if not self.known.can_assemble:
            raise RefreshRefused(
                f"{self.path} is a folder, and {self.known.slug} is read from one document; name a file by --path"
            )
        return lambda: self._assembled(there.content)

    def _nothing(self) -> bytes:
        raise UnreadableDocument(f"{self.path} is not there in this version")

    def _assembled(self, tree: str) -> bytes:
        files = self.repository.files(tree)
        wanted = {path: blob for path, blob in files.items() if path.endswith(".toml")}
        return self.known.assemble({path: self.contents.read(blob) for path, blob in wanted.items()})
