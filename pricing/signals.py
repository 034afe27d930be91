"""What the record tells whoever listens, without knowing them."""

from __future__ import annotations

from django.dispatch import Signal

# Sent after the commit of a transaction that wrote changes which are news; nothing more is said, readers look.
news_written = Signal()
