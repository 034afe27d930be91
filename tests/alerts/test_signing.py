"""Signatures are those of Standard Webhooks 1.0, as the specification's own package checks them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from alerts.signing import BadSecret, SigningSecrets, key_of, new_secret, signature, signed_headers

CONTENT = b'{"type":"ping","data":"\xc3\xa9"}'
# The example of the specification's reference implementations.
KnowN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KnowN_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture
def now() -> datetime:
    """The moment of the test itself: the package refuses what was signed more than five minutes ago."""
    return datetime.now(UTC)


def test_the_known_example_comes_out(now: datetime) -> None:
    assert signature(KnowN_SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == (
        KnowN_SIGNATURE
    )


def test_the_package_verifies_what_is_signed(now: datetime) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "msg_1", now, CONTENT)
    assert Webhook(secret).verify(CONTENT, headers) == {"type": "ping", "data": "é"}
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))


def test_one_changed_byte_is_noticed(now: datetime) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "msg_1", now, CONTENT)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(CONTENT.replace(b"ping", b"pong"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(CONTENT, headers | {"webhook-id": "msg_2"})


def test_both_secrets_verify_while_a_rotation_is_young(now: datetime) -> None:
    old, new = new_secret(), new_secret()
    both = SigningSecrets(new, old, now + timedelta(hours=1))
    headers = signed_headers(both.valid_at(now), "msg_1", now, CONTENT)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(CONTENT, headers)


def test_the_old_secret_signs_no_more_once_its_day_is_over(now: datetime) -> None:
    old, new = new_secret(), new_secret()
    secrets = SigningSecrets(new, old, now)
    headers = signed_headers(secrets.valid_at(now), "msg_1", now, CONTENT)
    Webhook(new).verify(CONTENT, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(CONTENT, headers)


def test_secrets_are_24_to_64_bytes_and_new_each_time() -> None:
    assert 24 <= len(key_of(new_secret())) <= 64
    assert new_secret() != new_secret()
    for key in (b"x" * 23, b"x" * 65):
        with pytest.raises(BadSecret):
            key_of("whsec_" + base64.b64encode(key).decode())
    for wrong in ("", "whsec_", "whsec_not base64", base64.b64encode(b"x" * 32).decode()):
        with pytest.raises(BadSecret) as refusal:
            key_of(wrong)
        assert not wrong or wrong == "whsec_" or wrong not in str(refusal.value)
