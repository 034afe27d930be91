"""Requests that are sent twice: with an ``Idempotency-Key`` the second is answered as the first, and done once.

A key belongs to its user for 24 hours. While the first is at work its twin gets 409; a key that comes with another
request gets 422. What failed is not kept, so that it can be mended and sent again under the same key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from tracker.api.problems import Conflict, InvalidParameters, Unprocessable, parameter_fault

if TYPE_CHECKING:  # the addresses are read before the models are there
    from tracker.models import KeptAnswer

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
# Longer than any request lasts: whoever began it has died.
_DIES_AFTER = timedelta(minutes=2)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Location", "ETag")


class AnswerGivenOnce(HttpResponse):
    """An answer that holds a secret: for a twin of the request ``kept_content`` is kept, which holds none."""

    def __init__(self, content: bytes, kept_content: bytes, **options: Any) -> None:
        super().__init__(content, **options)
        self.kept_content = kept_content


def answered_once(request: Request, make: Callable[[], HttpResponse]) -> HttpResponse:
    """What ``make`` answers, or what it answered before under the request's key.

    What ``make`` writes and the answer that is kept are one transaction. Raises Conflict, Unprocessable and
    InvalidParameters.
    """
    key = request.headers.get(HEADER)
    if key is None:
        with transaction.atomic():
            return make()
    if not _KEY.fullmatch(key):
        raise InvalidParameters([parameter_fault(HEADER, "is not 1 to 255 visible characters of ASCII")])
    row = _claim(request, key)
    if row.status is not None:
        return _again(row)
    try:
        with transaction.atomic():
            response = make()
            _keep(row, response)
    except BaseException:
        row.delete()
        raise
    return response


def _claim(request: Request, key: str) -> KeptAnswer:
    """The row of this key: new or taken over, to be worked on; or with an answer."""
    from tracker.models import KeptAnswer

    now, digest, user = timezone.now(), _digest(request), cast("Any", request.user)
    KeptAnswer.objects.filter(begun_at__lt=now - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(user=user, key=key, digest=digest, begun_at=now)
    except IntegrityError:
        row = KeptAnswer.objects.filter(user=user, key=key).first()
    if row is None:
        raise _at_work()
    if row.digest != digest:
        raise Unprocessable(f"The {HEADER} {key!r} was sent with another request; use a new key for this one.")
    if row.status is None:
        dead = KeptAnswer.objects.filter(pk=row.pk, begun_at=row.begun_at, begun_at__lt=now - _DIES_AFTER)
        if dead.update(begun_at=now) != 1:
            raise _at_work()
    return row


def _at_work() -> Conflict:
    return Conflict("A request with the same key is still at work; ask again in a moment.", wait=1)


def _digest(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    digest.update(request.body)
    return digest.hexdigest()


def _keep(row: KeptAnswer, response: HttpResponse) -> None:
    row.status = response.status_code
    row.headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    kept = response.kept_content if isinstance(response, AnswerGivenOnce) else response.content
    row.body = kept.decode()
    row.save()


def _again(row: KeptAnswer) -> HttpResponse:
    headers: dict[str, Any] = {**row.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(row.body, status=row.status, content_type="application/json", headers=headers)
