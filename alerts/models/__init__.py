"""What people want to hear about, where, and every message that was sent to tell them."""

from alerts.models.channels import Channel
from alerts.models.deliveries import Attempt, Awaited, Delivery, FanOut, Notice
from alerts.models.profiles import ProfileAdjustment, ProfileLine, UsageProfile
from alerts.models.watches import Watch

__all__ = [
    "Attempt",
    "Awaited",
    "Channel",
    "Delivery",
    "FanOut",
    "Notice",
    "ProfileAdjustment",
    "ProfileLine",
    "UsageProfile",
    "Watch",
]
