"""The samples of alerts are written by the real parts, with or without a browser for their pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tracker.environment import PROJECT_ROOT


def test_samples_are_written_for_mail_and_chat(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    command = [sys.executable, "-W", "ignore", "-m", "scripts.alert_samples", str(folder)]
    printed = subprocess.run(
        command, cwd=PROJECT_ROOT, env=os.environ | {"PATH": "", "CHROMIUM": ""}, check=True, capture_output=True
    ).stdout
    assert b"3 messages" in printed
    assert {path.name for path in folder.iterdir()} == {
        f"{name}{ending}" for name in ("alert", "digest", "bill") for ending in (".html", ".txt", "-chat.txt")
    }
    alert, bill = ((folder / name).read_text() for name in ("alert.txt", "bill-chat.txt"))
    assert "Your month: 499.88 -> 666.04 USD, +33.24%" in alert
    assert bill.startswith("Your month: 559.46 -> 666.04 USD, +19.05%\nCheaper: DeepSeek V4 Pro at OpenRouter")
    assert "All prices: 3 pricing changes, daily digest" in (folder / "digest.html").read_text()
