"""The history of a document in a local clone becomes the history of its prices."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from feeds.adapters import models_dev
from feeds.history.versions import rising
from feeds.progress import Progress
from pricing.claims import UnreadableDocument
from pricing.models import Observation, Price, PricingChange, Statement
from tests.feeds.small_feeds import day, price_map, read

FILE = "model_prices_and_context_window.json"


class Clone:
    """A repository that a test commits to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: datetime | None = None) -> str:
        moment = (at or day(1)).isoformat()
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
        environment = os.environ | who | {"GIT_COMMITTER_DATE": moment, "GIT_AUTHOR_DATE": day(1).isoformat()}
        command = ["git", "-c", "commit.gpgsign=false", "-C", str(self.folder), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def commit(self, at: datetime, files: dict[str, bytes | None]) -> None:
        """Write files, or remove those that are None, and commit."""
        for path, body in files.items():
            target = self.folder / path
            if body is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "prices", at=at)


_PERSON = {"NAME": "someone", "EMAIL": "someone@example.org"}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def prices(input_price: float) -> bytes:
    row = {"litellm_provider": "deepseek", "input_cost_per_token": input_price / 1_000_000}
    return price_map(deepseek__deepseek_chat=row)


def backfill(clone: Clone, *arguments: str, feed: str = "litellm") -> None:
    call_command("backfill", feed, "--git", str(clone.folder), *arguments)


def observed(feed: str = "litellm") -> list[datetime]:
    rows = Observation.objects.filter(source__slug=feed).order_by("observed_at")
    return list(rows.values_list("observed_at", flat=True))


def amounts() -> list[str]:
    rows = Price.objects.filter(known_until__isnull=True, line__meter="input_tokens").order_by("effective_from")
    return [str(amount.normalize()) for amount in rows.values_list("amount", flat=True)]


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        call_command("backfill", *arguments)
    assert error.value.returncode == 2
    return str(error.value)


@pytest.mark.django_db
class TestOneFile:
    def test_every_version_is_observed_when_it_was_committed_and_none_is_news(self, clone: Clone, capsys) -> None:
        for number, price in ((3, 1), (7, 2), (20, 3)):
            clone.commit(day(number), {FILE: prices(price)})
        backfill(clone)
        assert observed() == [day(3), day(7), day(20)]
        assert amounts() == ["1", "2", "3"]
        assert set(PricingChange.objects.filter(initial=False).values_list("kind", "backfilled")) == {
            ("increase", True)
        }
        assert "3 documents" in capsys.readouterr().out

    def test_again_it_changes_nothing_and_says_so(self, clone: Clone, capsys) -> None:
        for number, price in ((3, 1), (7, 2)):
            clone.commit(day(number), {FILE: prices(price)})
        backfill(clone)
        before = everything()
        capsys.readouterr()
        backfill(clone)
        assert everything() == before
        assert "2 taken before, 0 left out; nothing new" in capsys.readouterr().out

    def test_what_was_committed_since_is_taken_next_time(self, clone: Clone) -> None:
        clone.commit(day(3), {FILE: prices(1)})
        backfill(clone)
        clone.commit(day(7), {FILE: prices(2)})
        backfill(clone)
        assert observed() == [day(3), day(7)]

    def test_commits_that_leave_the_document_as_it_was_are_no_versions(self, clone: Clone) -> None:
        clone.commit(day(3), {FILE: prices(1)})
        clone.commit(day(4), {"README.md": b"more"})
        clone.commit(day(5), {FILE: prices(2), "README.md": b"less"})
        backfill(clone)
        assert observed() == [day(3), day(5)]

    def test_a_version_that_cannot_be_read_is_left_out_with_its_reason_and_the_rest_goes_on(
        self, clone: Clone, capsys
    ) -> None:
        clone.commit(day(3), {FILE: prices(1)})
        clone.commit(day(4), {FILE: prices(2)[:-9]})
        clone.commit(day(5), {FILE: None})
        clone.commit(day(6), {FILE: prices(3)})
        backfill(clone)
        assert observed() == [day(3), day(6)]
        said = capsys.readouterr().out
        assert "left out: litellm: the document is not complete JSON" in said
        assert f"left out: {FILE} is not there in this version" in said
        assert "2 taken, 0 unchanged, 0 taken before, 2 left out" in said

    def test_a_side_branch_counts_when_it_is_merged(self, clone: Clone) -> None:
        clone.commit(day(3), {FILE: prices(1)})
        clone.git("checkout", "--quiet", "-b", "side")
        clone.commit(day(4), {FILE: prices(2)})
        clone.commit(day(5), {FILE: prices(3)})
        clone.git("checkout", "--quiet", "main")
        clone.git("merge", "--quiet", "--no-ff", "side", "-m", "merge", at=day(9))
        backfill(clone)
        assert observed() == [day(3), day(9)]
        assert amounts() == ["1", "3"]

    def test_clocks_that_go_back_or_stand_still_do_not_upset_the_order_of_commits(self, clone: Clone) -> None:
        for number, price in ((3, 1), (20, 2), (7, 3), (7, 4), (9, 5)):
            clone.commit(day(number), {FILE: prices(price)})
        backfill(clone)
        instant = timedelta(microseconds=1)
        assert observed() == [day(3), day(3) + instant, day(7), day(7) + instant, day(9)]
        assert amounts() == ["1", "2", "3", "4", "5"]

    def test_older_versions_go_before_what_was_read_already(self, clone: Clone) -> None:
        read(prices(9), day(15), "litellm")
        for number, price in ((3, 1), (20, 2)):
            clone.commit(day(number), {FILE: prices(price)})
        backfill(clone)
        assert amounts() == ["1", "9", "2"]

    def test_since_leaves_out_what_is_older(self, clone: Clone) -> None:
        for number, price in ((3, 1), (7, 2), (20, 3)):
            clone.commit(day(number), {FILE: prices(price)})
        backfill(clone, "--since", "2026-01-07T00:00:00Z")
        assert observed() == [day(7), day(20)]

    def test_another_path_may_be_named(self, clone: Clone) -> None:
        clone.commit(day(3), {"old name.json": prices(1)})
        backfill(clone, "--path", "old name.json")
        assert observed() == [day(3)]

    def test_a_backfill_that_was_killed_goes_on_where_it_stopped(self, clone: Clone, monkeypatch) -> None:
        from feeds.management.commands import backfill as command

        for number, price in ((3, 1), (7, 2), (20, 3)):
            clone.commit(day(number), {FILE: prices(price)})
        right, taken = command.refresh, []

        def dying(*arguments: object, **named: object) -> object:
            if len(taken) == 1:
                raise KeyboardInterrupt
            taken.append(named["document"])
            return right(*arguments, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(command, "refresh", dying)
        with pytest.raises(KeyboardInterrupt):
            backfill(clone)
        assert observed() == [day(3)]
        monkeypatch.setattr(command, "refresh", right)
        backfill(clone)
        assert observed() == [day(3), day(7), day(20)]
        assert amounts() == ["1", "2", "3"]


@pytest.mark.django_db
class TestWhatIsNoHistory:
    def test_a_folder_that_is_no_clone_is_refused(self, tmp_path: Path, clone: Clone) -> None:
        assert "is not a folder" in refused("litellm", "--git", str(tmp_path / "nowhere"))
        assert "is not a git repository" in refused("litellm", "--git", str(tmp_path))
        inside = clone.folder / "inside"
        inside.mkdir()
        assert "is not a git repository" in refused("litellm", "--git", str(inside))

    def test_a_clone_without_commits_is_refused(self, clone: Clone) -> None:
        assert "has no commit yet" in refused("litellm", "--git", str(clone.folder))

    def test_a_path_that_never_existed_is_refused(self, clone: Clone) -> None:
        clone.commit(day(3), {FILE: prices(1)})
        assert "prices.json never existed" in refused("litellm", "--git", str(clone.folder), "--path", "prices.json")
        assert "--path" in refused("curated", "--git", str(clone.folder))

    def test_a_folder_of_a_feed_that_is_one_document_is_refused(self, clone: Clone) -> None:
        clone.commit(day(3), {"prices/a.json": prices(1)})
        assert "is a folder" in refused("litellm", "--git", str(clone.folder), "--path", "prices")

    def test_a_path_belongs_to_a_clone(self, tmp_path: Path) -> None:
        assert "belongs to --git" in refused("litellm", "--dir", str(tmp_path), "--path", "x")

    def test_a_shallow_clone_is_taken_with_a_word_of_what_is_missing(
        self, clone: Clone, tmp_path: Path, capsys
    ) -> None:
        for number, price in ((3, 1), (7, 2)):
            clone.commit(day(number), {FILE: prices(price)})
        shallow = tmp_path / "shallow"
        clone.git("clone", "--quiet", "--depth=1", f"file://{clone.folder}", str(shallow))
        call_command("backfill", "litellm", "--git", str(shallow))
        assert observed() == [day(7)]
        assert "is a shallow clone: its history begins 2026-01-07" in capsys.readouterr().out

    def test_the_environment_points_git_nowhere_else(self, clone: Clone, tmp_path: Path, monkeypatch) -> None:
        other = Clone(tmp_path / "other")
        other.commit(day(9), {FILE: prices(9)})
        clone.commit(day(3), {FILE: prices(1)})
        monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
        backfill(clone)
        assert observed() == [day(3)]

    def test_a_path_that_looks_like_an_option_or_a_pattern_is_only_a_path(self, clone: Clone) -> None:
        clone.commit(day(3), {FILE: prices(1)})
        for path in ("--output=x", "*.json", ":/", "a\nb"):
            assert refused("litellm", "--git", str(clone.folder), f"--path={path}")


DEEPSEEK = b'name = "DeepSeek"\nenv = ["KEY"]\n'
CHAT = b'name = "Chat"\nrelease_date = 2025-01-02\n[cost]\ninput = 0.27\noutput = 1.1\n[limit]\ncontext = 64_000\n'


class TestTree:
    @pytest.mark.django_db
    def test_each_version_of_the_tree_is_assembled_and_read(self, clone: Clone) -> None:
        clone.commit(
            day(3), {"providers/deepseek/provider.toml": DEEPSEEK, "providers/deepseek/models/chat.toml": CHAT}
        )
        clone.commit(day(5), {"providers/deepseek/models/chat.toml": b"# a word\n" + CHAT})
        clone.commit(day(7), {"providers/deepseek/models/chat.toml": CHAT.replace(b"0.27", b"0.56")})
        backfill(clone, feed="models-dev")
        assert observed("models-dev") == [day(3), day(7)]
        assert amounts() == ["0.27", "0.56"]

    @pytest.mark.django_db
    def test_links_within_the_tree_are_followed(self, clone: Clone) -> None:
        files = {"providers/deepseek/provider.toml": DEEPSEEK, "providers/deepseek/models/chat.toml": CHAT}
        clone.commit(day(1), files)
        (clone.folder / "providers/deepseek/models/twin.toml").symlink_to("chat.toml")
        (clone.folder / "providers/deepseek/models/all").symlink_to("../models/nested")
        (clone.folder / "providers/deepseek/models/out.toml").symlink_to("../../../../../etc/passwd")
        clone.commit(day(3), {"providers/deepseek/models/nested/deep.toml": CHAT})
        backfill(clone, feed="models-dev")
        found = Price.objects.filter(line__meter="input_tokens").values_list("line__offering__external_id", flat=True)
        assert set(found) == {"chat", "twin", "nested/deep", "all/deep"}

    def test_a_tree_is_the_document_that_the_site_makes_of_it(self) -> None:
        made = json.loads(
            models_dev.assemble(
                {
                    "deepseek/provider.toml": DEEPSEEK,
                    "deepseek/models/v/chat.toml": CHAT,
                    "deepseek/logo.svg": b"<svg/>",
                }
            )
        )
        assert made == {
            "deepseek": {
                "name": "DeepSeek",
                "env": ["KEY"],
                "id": "deepseek",
                "models": {
                    "v/chat": {
                        "id": "v/chat",
                        "name": "Chat",
                        "release_date": "2025-01-02",
                        "cost": {"input": 0.27, "output": 1.1},
                        "limit": {"context": 64000},
                    }
                },
            }
        }

    def test_a_model_that_extends_another_has_its_fields_less_those_omitted(self) -> None:
        twin = b'[extends]\nfrom = "deepseek/chat"\nomit = ["cost.output", "limit"]\n[cost]\ninput = 0.5\n'
        files = {"deepseek/provider.toml": DEEPSEEK, "deepseek/models/chat.toml": CHAT}
        files |= {"shop/provider.toml": b'name = "Shop"', "shop/models/twin.toml": twin}
        made = json.loads(models_dev.assemble(files))["shop"]["models"]["twin"]
        assert made == {"id": "twin", "name": "Chat", "release_date": "2025-01-02", "cost": {"input": 0.5}}

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"cost = ", "cannot be read"),
            (b"\xff", "cannot be read"),
            (b"[cost]\ninput = inf", "cannot be read"),
            (b'[extends]\nfrom = "deepseek/nothing"', "is not there"),
            (b'[extends]\nfrom = "deepseek/bad"', "which extends it"),
        ],
    )
    def test_a_model_that_cannot_be_read_is_rejected_and_the_rest_goes_on(self, body: bytes, said: str) -> None:
        files = {
            "deepseek/provider.toml": DEEPSEEK,
            "deepseek/models/chat.toml": CHAT,
            "deepseek/models/bad.toml": body,
        }
        document = models_dev.assemble(files)
        assert said in json.loads(document)["deepseek"]["models"]["bad"]
        parsed = models_dev.parse(document)
        assert [row.model for row in parsed.offerings] == ["chat"]
        assert [row.model for row in parsed.rejected] == ["bad"]
        assert parsed.offerings[0].claims[0].amount == Decimal("0.27")

    def test_a_tree_that_is_not_models_devs_is_no_document(self) -> None:
        with pytest.raises(UnreadableDocument, match="was expected"):
            models_dev.assemble({"README.md": b""})
        with pytest.raises(UnreadableDocument, match=r"deepseek/provider\.toml cannot be read"):
            models_dev.assemble({"deepseek/provider.toml": b"="})


MOMENTS = st.lists(st.integers(0, 40).map(lambda number: day(1) + timedelta(days=number)), max_size=12)


@given(MOMENTS)
def test_moments_rise_and_those_in_order_stay(moments: list[datetime]) -> None:
    risen = rising(moments, day(1) + timedelta(days=30))
    assert all(earlier < later for earlier, later in pairwise(risen))
    assert all(moment < day(1) + timedelta(days=31) for moment in risen)
    if moments == sorted(set(moments)) and (not moments or moments[-1] <= day(1) + timedelta(days=30)):
        assert risen == moments


def test_one_wrong_clock_moves_one_moment() -> None:
    right = [datetime(2026, 1, number, tzinfo=UTC) for number in range(1, 9)]
    # With one moment before it, either may be the wrong one.
    for place in range(2, len(right)):
        for wrong in (
            datetime(2020, 1, 1, tzinfo=UTC),
            datetime(2026, 3, 1, tzinfo=UTC),
            datetime(2030, 1, 1, tzinfo=UTC),
        ):
            given_moments = [*right[:place], wrong, *right[place + 1 :]]
            risen = rising(given_moments, datetime(2026, 4, 1, tzinfo=UTC))
            others = [moment for number, moment in enumerate(risen) if number != place]
            assert others == right[:place] + right[place + 1 :]


class Stream:
    """What was written to a stream that may be a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self.written, self.is_terminal = "", is_terminal

    def write(self, text: str) -> None:
        self.written += text

    def flush(self) -> None:
        """Nothing is kept back."""

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(("total", "lines"), [(1, 1), (36, 36), (1000, 50)])
def test_away_from_a_terminal_progress_is_at_most_some_fifty_lines(total: int, lines: int) -> None:
    stream, said = Stream(False), list[str]()
    progress = Progress(total, stream, said.append)  # type: ignore[arg-type]
    for number in range(total):
        progress.step(f"version {number}")
    assert (stream.written, len(said)) == ("", lines)
    assert said[-1] == f"[{total}/{total}] version {total - 1}"


def test_a_step_that_asks_to_be_heard_is(capsys) -> None:
    said: list[str] = []
    progress = Progress(1000, Stream(False), said.append)  # type: ignore[arg-type]
    progress.step("left out", heard=True)
    assert said == ["[1/1000] left out"]


def test_on_a_terminal_progress_is_one_bar() -> None:
    stream, said = Stream(True), list[str]()
    progress = Progress(2, stream, said.append)  # type: ignore[arg-type]
    progress.step("version 1")
    progress.step("left out", heard=True)
    assert said == ["left out"]
    assert "1/2" in stream.written and "2/2" in stream.written
    assert stream.written.endswith("\n")


def everything() -> dict[str, list[dict[str, object]]]:
    models = (Observation, Statement, Price, PricingChange)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
