"""An alert as an email: subject, text and HTML, and the headers that mail programs act upon."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from alerts.channels.answers import one_line
from alerts.channels.envelopes import PING, Envelope
from alerts.links import unsubscription_url, verification_url
from alerts.wording import Story, Words, words_of

LONGEST_SUBJECT = 200


def message_of(envelope: Envelope) -> EmailMultiAlternatives:
    """The message that an envelope holds; to an address that is not verified it is only the question whether to."""
    if envelope.kind == PING and envelope.verification_sent_at is not None:
        return _question(envelope)
    words = words_of(envelope.subject, envelope.body)
    leave = unsubscription_url(envelope.channel_id, envelope.address)
    context = {"words": words, "unsubscription_url": leave}
    text = "\n".join([*_lines(words), "", "-- ", f"No more of these: {leave}"])
    # RFC 8058: the mail program's own button, which works without a visit.
    one_click = {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return _message(envelope, envelope.subject, text, render_to_string("alerts/email/alert.html", context), one_click)


def _question(envelope: Envelope) -> EmailMultiAlternatives:
    assert envelope.verification_sent_at is not None
    link = verification_url(envelope.channel_id, envelope.address, envelope.verification_sent_at)
    text = "\n".join(
        [
            f"Somebody wants AI pricing alerts from {settings.LINKS_BASE} to be sent to this address.",
            "",
            f"If that was you, confirm it within three days: {link}",
            "If not, do nothing: without a confirmation nothing is sent.",
        ]
    )
    html = render_to_string("alerts/email/question.html", {"site": settings.LINKS_BASE, "link": link})
    return _message(envelope, "Confirm this address for pricing alerts", text, html, {})


def _message(envelope: Envelope, subject: str, text: str, html: str, headers: dict[str, str]) -> EmailMultiAlternatives:
    marked = {"Message-ID": message_id_of(envelope.message_id), "Auto-Submitted": "auto-generated", **headers}
    message = EmailMultiAlternatives(
        subject=one_line(subject, LONGEST_SUBJECT), body=text, to=[envelope.address], headers=marked
    )
    message.attach_alternative(html, "text/html")
    return message


def message_id_of(message_id: str) -> str:
    """The Message-ID of all attempts of one message: mail programs show a repeated one once."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{message_id}@{urlsplit(settings.SITE_URL).hostname or sender or 'localhost'}>"


def _lines(words: Words) -> Iterator[str]:
    yield words.title
    yield from words.money
    yield from words.cheaper
    for story in words.stories:
        yield ""
        yield from _story_lines(story, is_only=story.title == words.title)
    if words.notes:
        yield ""
        yield from words.notes


def _story_lines(story: Story, *, is_only: bool) -> Iterator[str]:
    if not is_only:
        yield story.title
    yield story.when
    for row in story.rows:
        yield f"  {row.what} {row.unit}: {row.old} -> {row.new}" + (f" ({row.percent})" if row.percent else "")
    yield story.link
