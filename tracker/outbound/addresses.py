"""Which addresses an outbound call may reach: global unicast ones, and what the operator allows by name."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# An explicit list, because `ipaddress.is_private` and `is_global` miss or pass many of these. From the IANA registries
# of special-purpose addresses; some entries there are globally reachable, but serve no documents and no webhooks. The
# first entry that holds an address names it, so narrower networks stand before wider ones.
_SPECIAL_PURPOSE = (
    ("0.0.0.0/32", "an unspecified"),
    ("0.0.0.0/8", "a this-network"),
    ("10.0.0.0/8", "a private"),
    ("100.64.0.0/10", "a carrier-grade NAT"),
    ("127.0.0.0/8", "a loopback"),
    ("168.63.129.16/32", "a cloud platform"),  # Azure's host answers every virtual machine here
    ("169.254.0.0/16", "a link-local"),
    ("172.16.0.0/12", "a private"),
    ("192.0.0.0/24", "a protocol assignment"),
    ("192.0.2.0/24", "a documentation"),
    ("192.31.196.0/24", "an AS112"),
    ("192.52.193.0/24", "a multicast relay"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "a private"),
    ("192.175.48.0/24", "an AS112"),
    ("198.18.0.0/15", "a benchmarking"),
    ("198.51.100.0/24", "a documentation"),
    ("203.0.113.0/24", "a documentation"),
    ("224.0.0.0/4", "a multicast"),
    ("255.255.255.255/32", "a broadcast"),
    ("240.0.0.0/4", "a reserved"),
    ("::/128", "an unspecified"),
    ("::1/128", "a loopback"),
    ("::/96", "an IPv4-compatible"),
    ("::ffff:0:0:0/96", "an IPv4-translated"),
    ("64:ff9b::/96", "a NAT64"),
    ("64:ff9b:1::/48", "a local NAT64"),
    ("100::/64", "a discard-only"),
    ("100:0:0:1::/64", "a dummy"),
    ("2001::/32", "a Teredo"),
    ("2001:2::/48", "a benchmarking"),
    ("2001:10::/28", "an ORCHID"),
    ("2001:20::/28", "an ORCHID"),
    ("2001::/23", "a protocol assignment"),
    ("2001:db8::/32", "a documentation"),
    ("2002::/16", "a 6to4"),
    ("2620:4f:8000::/48", "an AS112"),
    ("3ffe::/16", "a retired 6bone"),
    ("3fff::/20", "a documentation"),
    ("5f00::/16", "a segment routing"),
    ("fc00::/7", "a unique local"),
    ("fe80::/10", "a link-local"),
    ("fec0::/10", "a site-local"),
    ("ff00::/8", "a multicast"),
    # Global unicast is 2000::/3; all the rest is reserved.
    ("::/3", "a reserved"),
    ("4000::/2", "a reserved"),
    ("8000::/1", "a reserved"),
)
SPECIAL_PURPOSE: tuple[tuple[Network, str], ...] = tuple((ip_network(net), what) for net, what in _SPECIAL_PURPOSE)

_SIX_TO_FOUR = IPv6Network("2002::/16")
# IPv6 networks whose last 32 bits are an IPv4 destination (RFC 4291, RFC 2765, RFC 6052).
_TRAILING_IPV4 = tuple(map(IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
_NOT_COMPATIBLE = IPv6Network("::/127")  # :: and ::1 lie in ::/96 but carry no IPv4 address


def refusal(address: Address, allowed_nets: Iterable[Network] = ()) -> str | None:
    """Return why `address` must not be called ("a loopback address (127.0.0.0/8)"), or None if it may be.

    A network in `allowed_nets` overrides the list. An IPv4-mapped address is judged as the IPv4 address that the system
    connects to. Allowing a translating network (NAT64, 6to4, …) opens the translator alone: the IPv4 destination inside
    is judged on its own, so that a NAT64 gateway does not become a way to private hosts.
    """
    allowed = tuple(allowed_nets)
    named = any(address in network for network in allowed)
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is not None:
            return None if named else refusal(mapped, allowed)
        destination = _translated_destination(address)
        if named and destination is not None:
            return refusal(destination, allowed)
    return None if named else _special_purpose(address)


def _translated_destination(address: IPv6Address) -> IPv4Address | None:
    if address in _SIX_TO_FOUR:
        return IPv4Address(address.packed[2:6])
    if address not in _NOT_COMPATIBLE and any(address in network for network in _TRAILING_IPV4):
        return IPv4Address(address.packed[12:])
    return None


def _special_purpose(address: Address) -> str | None:
    for network, what in SPECIAL_PURPOSE:
        if address in network:
            return f"{what} address ({network})"
    return None
