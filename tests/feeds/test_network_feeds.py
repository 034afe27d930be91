"""A feed that is to be fetched must be one that there is, with an address; a slip of the pen stops the start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from feeds.registry import FEEDS, check_network_feeds
from tracker.environment import PROJECT_ROOT


def test_every_feed_with_an_address_may_be_fetched() -> None:
    check_network_feeds(slug for slug, feed in FEEDS.items() if feed.address)
    check_network_feeds([])
    check_network_feeds(["none"])


@pytest.mark.parametrize("slug", ["modelsdev", "curated", "Litellm", "", "none"])
def test_any_other_is_refused_with_the_choices(slug: str) -> None:
    with pytest.raises(
        ImproperlyConfigured,
        match=rf"NETWORK_FEEDS names '{slug}'; it must be none, or some of .*litellm, .*models-dev",
    ):
        check_network_feeds(["models-dev", slug])


def test_no_process_starts_with_one(tmp_path) -> None:
    environment = os.environ | {"NETWORK_FEEDS": "modelsdev", "DATA_DIR": str(tmp_path), "ENV_FILE": ""}
    environment["DJANGO_SETTINGS_MODULE"] = "tracker.settings"
    command = [sys.executable, "manage.py", "feeds"]
    answer = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "NETWORK_FEEDS names 'modelsdev'" in answer.stderr
    assert "Traceback" not in answer.stderr
