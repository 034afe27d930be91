"""What an address must look like to be called."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

import httpx

from tracker.outbound.errors import BadScheme, BadUrl, InsecureRedirect

_HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def checked_url(text: str | httpx.URL) -> httpx.URL:
    """Return the address, parsed. Raises BadScheme and BadUrl; the message never repeats a path, query or password."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise BadUrl("the address is malformed; it must be like https://example.org/path") from error
    if url.raw_scheme not in (b"http", b"https"):
        raise BadScheme(f"the address has scheme {url.scheme[:20]!r}; it must be http or https")
    if url.userinfo:
        raise BadUrl("the address holds a user name or password; it must not", origin=origin_of(url))
    if not _is_host(url.raw_host.decode("ascii")):
        raise BadUrl("the address has no valid host name; it must be like https://example.org/path")
    if url.port is not None and not 1 <= url.port <= 65535:
        raise BadUrl(f"the address has port {url.port}; it must be from 1 to 65535")
    return url


def redirect_target(url: httpx.URL, location: str) -> httpx.URL:
    """Return where `location`, sent by `url`, leads. Raises BadUrl, and InsecureRedirect for https to http."""
    try:
        target = checked_url(url.join(location))
    except httpx.InvalidURL as error:
        raise BadUrl("it redirects to a malformed address", origin=origin_of(url)) from error
    if url.scheme == "https" and target.scheme == "http":
        raise InsecureRedirect("it redirects from https to http", origin=origin_of(url))
    return target


def origin_of(url: httpx.URL) -> str:
    """Return scheme, host and port of `url` for messages."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _HOST_NAME.fullmatch(host) is not None
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False
