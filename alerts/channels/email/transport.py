"""Hands a message to the mail server of this installation."""

from __future__ import annotations

import smtplib
from datetime import datetime

from django.core.mail import BadHeaderError, get_connection

from alerts.channels.answers import shown
from alerts.channels.email.texts import message_of
from alerts.channels.envelopes import Envelope
from alerts.retrying import Outcome
from tracker.outbound.client import Client


def send(envelope: Envelope, moment: datetime, client: Client) -> Outcome:
    """Send the envelope; what the mail server takes is delivered as far as this site can tell."""
    try:
        message = message_of(envelope)
        message.connection = get_connection()
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        status, answer = next(iter(error.recipients.values()))
        return _refused("the mail server refuses the address", status, answer, permanent=status >= 500)
    except smtplib.SMTPDataError as error:
        return _refused("the mail server refuses the message", error.smtp_code, error.smtp_error, permanent=False)
    except smtplib.SMTPResponseException as error:
        # Signing in and naming the sender are this site's own affair: the message waits until that is mended.
        return _refused("the mail server refuses this site", error.smtp_code, error.smtp_error, permanent=False)
    except BadHeaderError:
        return Outcome(succeeded=False, error="the message cannot be written as mail", permanent=True)
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(succeeded=False, error=f"the mail server cannot be reached: {type(error).__name__}")
    return Outcome(succeeded=True)


def _refused(what: str, status: int, answer: bytes | str, *, permanent: bool) -> Outcome:
    return Outcome(
        succeeded=False, status_code=status, answer=shown(answer), error=f"{what} ({status})", permanent=permanent
    )
