"""Asking for one's own things as a client does, with a token."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from tests.api import factories as make


class Caller:
    """Somebody with a token: by default one that opens what is theirs."""

    def __init__(self, client: Client, username: str = "ada", scopes: tuple[str, ...] = ("read", "alerts")) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {make.token(username, scopes=list(scopes))}"}

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(path, query, headers={**self.headers, **headers})

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A write; the tag of what is there is sent along unless another is given."""
        if method in ("put", "patch", "delete") and "If-Match" not in headers:
            headers["If-Match"] = self.get(path).headers.get("ETag", "none")
        headers = {**self.headers, **{name: value for name, value in headers.items() if value}}
        ask = getattr(self.client, method)
        return ask(path, json.dumps(body), content_type="application/json", headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("post", path, body, **headers)


def body_of(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    found: dict[str, Any] = response.json()
    return found


def fault_at(response: Any, pointer: str, status: int = 400) -> dict[str, Any]:
    """What a problem says of a part of the body."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    found = [fault for fault in response.json()["errors"] if fault.get("pointer") == pointer]
    assert found, f"nothing is said of {pointer}: {response.json()['errors']}"
    first: dict[str, Any] = found[0]
    return first
