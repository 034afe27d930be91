"""The project's settings for tests that start the whole site: it loads no record, and its ticks find no work."""

from __future__ import annotations

from tracker import settings as _settings

globals().update({name: getattr(_settings, name) for name in dir(_settings) if name.isupper()})

BOOTSTRAP_COMMANDS: list[list[str]] = []
TICK_STEPS: list[str] = []
