"""The bank's XML: one day or many, with bad rates among good ones, and what must never be read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from feeds.adapters.ecb import parse
from pricing.claims import UnreadableDocument
from tests.feeds.small_rates import envelope, publication, rate

FRIDAY = {"USD": "1.1172", "CNY": "7.4326", "JPY": "175.68"}
BODY = publication({"2026-10-30": FRIDAY, "2026-10-29": {"USD": "1.113"}})


def reasons(body: bytes) -> list[tuple[str, str, str]]:
    """What was rejected, and why."""
    return [(each.provider, each.model, each.reason) for each in parse(body).rejected]


def test_every_day_and_currency_of_a_history_is_read_exactly() -> None:
    read = parse(BODY)
    assert [(each.day, each.currency, each.rate) for each in read.rates] == [
        (date(2026, 10, 30), "USD", Decimal("1.1172")),
        (date(2026, 10, 30), "CNY", Decimal("7.4326")),
        (date(2026, 10, 30), "JPY", Decimal("175.68")),
        (date(2026, 10, 29), "USD", Decimal("1.113")),
    ]
    assert (read.rejected, dict(read.unrecognised)) == ([], {})


@pytest.mark.parametrize("share", range(10))
def test_document_cut_short_at_any_tenth_is_refused(share: int) -> None:
    with pytest.raises(UnreadableDocument):
        parse(BODY[: len(BODY) * share // 10])


def test_document_cut_short_at_any_tenth_byte_is_refused() -> None:
    for length in range(0, len(BODY.rstrip()), 10):
        with pytest.raises(UnreadableDocument):
            parse(BODY[:length])


@pytest.mark.parametrize(
    "units",
    ["-1.5", "0", "0.000", "NaN", "Infinity", "1e3", "", " 1.5", "1,5", "+1", "1.", "٣", "9" * 21, f"1.{'1' * 19}"],
)
def test_rate_that_is_no_number_above_zero_is_rejected_alone(units: str) -> None:
    read = parse(publication({"2026-10-30": {"CNY": units, "USD": "1.1172"}}))
    assert [each.currency for each in read.rates] == ["USD"]
    (rejected,) = read.rejected
    assert (rejected.provider, rejected.model) == ("2026-10-30", "CNY")
    assert "above 0" in rejected.reason


@pytest.mark.parametrize("currency", ["", "US", "usd", "USDT", "U$D", "ÄÖÜ"])
def test_currency_that_is_no_code_is_rejected_alone(currency: str) -> None:
    ((_, _, reason),) = reasons(publication({"2026-10-30": {currency: "1", "USD": "1.1"}}))
    assert "ISO 4217" in reason


def test_rate_of_the_euro_itself_is_rejected() -> None:
    ((_, currency, reason),) = reasons(publication({"2026-10-30": {"EUR": "1"}}))
    assert (currency, "needs none" in reason) == ("EUR", True)


@pytest.mark.parametrize("day", ["2026-02-30", "30 October 2026", "20261030", "2026-10-30T00:00:00", "२०२६-१०-३०"])
def test_day_that_is_no_date_costs_its_own_rates(day: str) -> None:
    read = parse(publication({day: {"USD": "1.1"}, "2026-10-29": {"USD": "1.2"}}))
    assert [each.day for each in read.rates] == [date(2026, 10, 29)]
    assert "2026-10-30" in read.rejected[0].reason


def test_day_before_there_was_a_euro_is_rejected() -> None:
    ((_, _, reason),) = reasons(publication({"1998-12-31": {"USD": "1.1"}, "1999-01-04": {"USD": "1.1789"}}))
    assert "no euro" in reason


def test_rate_outside_a_day_or_without_its_attributes_is_rejected() -> None:
    body = envelope(
        "<Cube time='2026-10-30'><Cube rate='1'/><Cube currency='USD'/></Cube>"
        "<Cube><Cube currency='CNY' rate='7'/></Cube>"
    )
    assert len(reasons(body)) == 3
    assert reasons(body)[2][2] == "it has no day"


def test_same_rate_given_twice_is_taken_once_and_said() -> None:
    read = parse(envelope(f"<Cube time='2026-10-30'>{rate('USD', '1.1')}{rate('USD', '1.10')}</Cube>"))
    assert [each.rate for each in read.rates] == [Decimal("1.1")]
    assert "twice" in read.rejected[0].reason


def test_two_rates_of_one_day_contradict_each_other_and_neither_is_taken() -> None:
    day = "<Cube time='2026-10-30'>{}</Cube>"
    body = envelope(day.format(rate("USD", "1.1") + rate("CNY", "7")) + day.format(rate("USD", "1.2")))
    assert [each.currency for each in parse(body).rates] == ["CNY"]
    assert reasons(body) == [("2026-10-30", "USD", "is given twice, as 1.1 and as 1.2; neither was taken")]


def test_what_no_rule_reads_is_counted_by_name() -> None:
    body = envelope("<Cube time='2026-10-30' mood='calm'><Cube currency='USD' rate='1.1'><Note/></Cube></Cube>")
    assert dict(parse(body).unrecognised) == {
        "Cube mood": 1,
        "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Note": 1,
    }


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><lolz>&c;</lolz>"""
OUTSIDE = b'<!DOCTYPE x [<!ENTITY s SYSTEM "file:///etc/passwd">]><x>&s;</x>'


@pytest.mark.parametrize("body", [LAUGHS, OUTSIDE, b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/x.dtd'><x/>"])
def test_document_type_is_refused_before_any_entity_is_read(body: bytes) -> None:
    with pytest.raises(UnreadableDocument, match="declares a type"):
        parse(body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html><body>busy</body></html>", "root is html"),
        (b'{"rates": {}}', "not complete XML"),
        (BODY.replace(b"2002-08-01/eurofxref", b"2031-01-01/eurofxref"), "no rates"),
        (BODY.replace(b"gesmes.org", b"example.org"), "root is"),
        (envelope(""), "no rates"),
        (publication({"2026-10-30": {}}), "no rates"),
        (BODY.replace(b"UTF-8", b"ISO-8859-1"), "ISO-8859-1"),
        (BODY.replace(b"UTF-8", b"no-such-thing"), "no-such-thing"),
        (BODY.replace(b"Reference", b"\xff\xfe"), "not UTF-8 text"),
        (BODY.decode().encode("utf-16"), "not UTF-8 text"),
        (BODY.decode().encode("utf-16-le"), "not UTF-8 text"),
        (BODY + BODY, "not complete XML"),
        (BODY.replace(b"</gesmes:subject>", b"&nbsp;</gesmes:subject>"), "undefined entity"),
        (b"<a>" * 10_000, "root is a"),
        (envelope("<Cube>" * 10_000), "nested deeper"),
    ],
)
def test_what_is_no_document_of_the_bank_is_refused_in_one_line(body: bytes, says: str) -> None:
    with pytest.raises(UnreadableDocument, match=says) as refused:
        parse(body)
    assert "\n" not in str(refused.value)


def test_document_beyond_all_reason_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.adapters.ecb.LARGEST_DOCUMENT", 100)
    with pytest.raises(UnreadableDocument, match="MiB"):
        parse(BODY)
