"""Where somebody wants to hear: a webhook, an email address, or any address that Apprise knows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Channel(models.Model):
    """One address of one person, with the proof that it is theirs and how it has fared.

    Secrets and addresses but email's are encrypted at rest; ``shown_address`` is what anybody reads.
    A channel counts for nothing before ``verified_at`` and after ``disabled_at``.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "webhook"
        EMAIL = "email", "email"
        APPRISE = "apprise", "Apprise address"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=100, help_text="How you call it, such as Ops room.")
    address = models.TextField(help_text="Email address; any other is kept encrypted.")
    shown_address = models.CharField(max_length=500, help_text="The address with its secrets masked.")
    secret = models.TextField(blank=True, editable=False, help_text="The signing secret, encrypted.")
    previous_secret = models.TextField(blank=True, editable=False, help_text="Signs too until it expires, encrypted.")
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When the address was proved, in UTC.")
    verification_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=500, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="First failure since the last success.")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True, help_text="Why the last attempt failed, if it did.")
    owner_told_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its owner was told, by another way, that it is disabled."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "kind"]),
            models.Index(
                fields=["failing_since"], condition=models.Q(failing_since__isnull=False), name="channel_failing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    @property
    def is_usable(self) -> bool:
        """Whether messages may go there: proved to be the owner's, and not disabled."""
        return self.verified_at is not None and self.disabled_at is None
