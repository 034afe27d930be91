"""Every class of special-purpose address is refused, in all its spellings, unless the operator allows it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.outbound.addresses import SPECIAL_PURPOSE, refusal

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "this-network",
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.100.100.200": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "cloud platform",
    "169.254.169.254": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "protocol assignment",
    "192.0.2.1": "documentation",
    "192.31.196.1": "AS112",
    "192.52.193.1": "multicast relay",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "192.175.48.1": "AS112",
    "198.18.0.1": "benchmarking",
    "198.19.255.255": "benchmarking",
    "198.51.100.7": "documentation",
    "203.0.113.7": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "IPv4-compatible",
    "::8.8.8.8": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:100.64.0.1": "carrier-grade NAT",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:0:127.0.0.1": "IPv4-translated",
    "64:ff9b::7f00:1": "NAT64",
    "64:ff9b::808:808": "NAT64",
    "64:ff9b:1::a00:1": "local NAT64",
    "100::1": "discard-only",
    "100:0:0:1::1": "dummy",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:2::1": "benchmarking",
    "2001:10::1": "ORCHID",
    "2001:20::1": "ORCHID",
    "2001:1::1": "protocol assignment",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:808:808::1": "6to4",
    "2620:4f:8000::1": "AS112",
    "3ffe::1": "6bone",
    "3fff::1": "documentation",
    "5f00::1": "segment routing",
    "fc00::1": "unique local",
    "fd00:ec2::254": "unique local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "200::1": "reserved",
    "4000::1": "reserved",
    "8000::1": "reserved",
    "fe00::1": "reserved",
}
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize(("address", "kind"), REFUSED.items())
def test_a_special_purpose_address_is_refused_by_its_kind(address: str, kind: str) -> None:
    reason = refusal(ip_address(address))
    assert reason is not None
    assert f"{kind} address (" in reason


@pytest.mark.parametrize("address", PUBLIC)
def test_a_global_unicast_address_may_be_called(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize(("network", "what"), SPECIAL_PURPOSE)
def test_the_first_and_last_address_of_every_listed_network_are_refused(network, what: str) -> None:
    assert refusal(network[0]) is not None, what
    assert refusal(network[-1]) is not None, what


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_let_through(address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or not address.is_global:
        mapped = getattr(address, "ipv4_mapped", None)
        assert refusal(address) is not None or mapped is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_when_written_as_mapped(address) -> None:
    assert refusal(ip_address(f"::ffff:{address}")) == refusal(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("10.1.2.3", "10.1.0.0/16"),
        ("::1", "::1/128"),
        ("fd12::1", "fd00::/8"),
        ("::ffff:127.0.0.1", "127.0.0.0/8"),
        ("::ffff:127.0.0.1", "::ffff:0:0/96"),
        ("64:ff9b::808:808", "64:ff9b::/96"),
    ],
)
def test_a_network_that_the_operator_allows_wins(address: str, allowed: str) -> None:
    assert refusal(ip_address(address), [ip_network(allowed)]) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.2.0.1", "::1", "192.168.0.1"])
def test_an_allowed_network_allows_nothing_beside_it(address: str) -> None:
    assert refusal(ip_address(address), [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]) is not None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("64:ff9b::a00:1", "64:ff9b::/96"), ("2002:a00:1::", "2002::/16"), ("::10.0.0.1", "::/96")],
)
def test_an_allowed_translator_is_no_way_to_private_hosts(address: str, allowed: str) -> None:
    assert "private" in (refusal(ip_address(address), [ip_network(allowed)]) or "")
    assert refusal(ip_address(address), [ip_network(allowed), ip_network("10.0.0.0/8")]) is None
