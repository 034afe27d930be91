"""The admin of what people want to hear about, what they use, and how far the changes have been matched."""

from __future__ import annotations

from alerts.admin import fan_out, profiles, watches

__all__ = ["fan_out", "profiles", "watches"]
