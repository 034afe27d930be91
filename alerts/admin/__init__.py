"""The admin of what people want to hear about, what they use, where they hear it, and what was sent."""

from __future__ import annotations

from alerts.admin import channels, deliveries, fan_out, profiles, watches

__all__ = ["channels", "deliveries", "fan_out", "profiles", "watches"]
