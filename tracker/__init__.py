"""The Django project: settings, addresses, background work, and the shell that every app uses."""

from __future__ import annotations

__version__ = "0.1.0"
