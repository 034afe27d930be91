"""A small record with one row or more of every model, made the way the project makes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import ApiToken, User
from alerts.models import (
    Awaited,
    Channel,
    FanOut,
    Notice,
    ProfileAdjustment,
    ProfileLine,
    UsageProfile,
    Watch,
)
from companies.models import AIModel, BusinessMetric, Company, CompanyAlias, MonetizationEvent
from feeds.models import Feed, Payload, Refresh, SellerAlias, TakenRows
from pricing import claims, ledger
from pricing.calendar_rules import as_json
from pricing.claims import Claim, Conditions
from pricing.identity import identity_key
from pricing.ledger import Reading, Ruling, Told
from pricing.models import (
    CalendarStatement,
    ExchangeRate,
    Hold,
    Offering,
    PricingChange,
    Reference,
    SettledTime,
    SlotRule,
    Source,
    SourcePrecedence,
)
from tests.admin.alert_rows import alert_rows
from tracker.models import Heartbeat, KeptAnswer

JUNE = datetime(2026, 6, 1, 12, tzinfo=UTC)
JULY = datetime(2026, 7, 1, 12, tzinfo=UTC)
INPUT = Conditions("input_tokens")
OUTPUT = Conditions("output_tokens")


@dataclass
class World:
    """The rows that tests speak of."""

    editor: User
    deepseek: Company
    openrouter: Company
    chat: Offering
    resold: Offering
    models_dev: Source
    litellm: Source
    feed: Feed
    refresh: Refresh


def sold(seller: Company, external_id: str, name: str, model: AIModel | None = None) -> Offering:
    """An offering without prices."""
    return Offering.objects.create(
        seller=seller, external_id=external_id, identity_key=identity_key(external_id), name=name, model=model
    )


def read(source: Source, at: datetime, amounts: dict[Reference, dict[Conditions, str]]) -> None:
    """One reading of a source: what it says under each id."""
    told = [
        Told(ref.pk, ref.offering_id, [Claim(line, Decimal(amount)) for line, amount in said.items()])
        for ref, said in amounts.items()
    ]
    ledger.observe(Reading(source, at, f"{at:%Y%m%d%H%M}"), told)


def referred(source: Source, provider: str, external_id: str, offering: Offering) -> Reference:
    """The id by which a source knows an offering."""
    return Reference.objects.create(
        source=source, provider=provider, external_id=external_id, offering=offering, first_seen_at=JUNE
    )


@pytest.fixture
def editor(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("edith", "edith@example.org", "a long enough passphrase")


@pytest.fixture
def browser(client: Client, editor: User) -> Client:
    """A signed-in superuser."""
    client.force_login(editor)
    return client


@pytest.fixture
def world(editor: User) -> World:
    """Two sellers of one model, read by two feeds in June and July; the price fell in between."""
    deepseek = Company.objects.create(slug="deepseek", name="DeepSeek", kind="lab", country="CN")
    openrouter = Company.objects.create(slug="openrouter", name="OpenRouter", kind="reseller", needs_review=True)
    CompanyAlias.objects.create(company=deepseek, name="深度求索")
    model = AIModel.objects.create(slug="deepseek-v3", name="DeepSeek-V3", developer=deepseek)
    chat = sold(deepseek, "deepseek-chat", "DeepSeek Chat", model)
    resold = sold(openrouter, "deepseek/deepseek-v3", "DeepSeek V3", model)
    models_dev = _source("models-dev", "models.dev", 30)
    litellm = _source("litellm", "LiteLLM", 40)
    by_models_dev = referred(models_dev, "deepseek", "deepseek-chat", chat)
    by_litellm = referred(litellm, "deepseek", "deepseek/ds-chat-latest", chat)
    at_openrouter = referred(models_dev, "openrouter", "deepseek/deepseek-v3", resold)
    read(models_dev, JUNE, {by_models_dev: {INPUT: "0.50", OUTPUT: "1.10"}, at_openrouter: {INPUT: "0.6"}})
    read(litellm, JUNE, {by_litellm: {INPUT: "0.50"}})
    read(models_dev, JULY, {by_models_dev: {INPUT: "0.27", OUTPUT: "1.10"}, at_openrouter: {INPUT: "0.6"}})
    feed, _ = Feed.objects.get_or_create(source=models_dev, defaults={"adapter": "models_dev"})
    refresh = _refreshed(feed)
    _around(editor, deepseek, chat, model, models_dev)
    alert_rows(editor)
    chat.refresh_from_db()
    return World(editor, deepseek, openrouter, chat, resold, models_dev, litellm, feed, refresh)


def _source(slug: str, name: str, precedence: int) -> Source:
    source, _ = Source.objects.get_or_create(slug=slug, defaults={"name": name, "precedence": precedence})
    return source


def _refreshed(feed: Feed) -> Refresh:
    TakenRows.objects.create(feed=feed, content=b"x", written_at=JULY)
    payload = Payload.objects.create(digest="d" * 64, compressed=b"x", size=2_097_152)
    return Refresh.objects.create(
        feed=feed,
        status="done",
        trigger="schedule",
        observed_at=JULY,
        finished_at=JULY,
        payload=payload,
        counts={"seen": 2310, "changed": 1, "rejected": 1},
        rejections=[{"provider": "acme", "model": "m-1", "reason": "the <model> id is empty"}],
        unrecognised={"input_cost_per_smell": 3},
    )


def _around(editor: User, company: Company, chat: Offering, model: AIModel, source: Source) -> None:
    """A row of each model that the ledger does not write."""
    for place in (1, 2):
        MonetizationEvent.objects.create(
            company=company, key=f"cut-{place}", kind="price_cut", title="A cut", effective_on=date(2026, 7, place)
        )
        BusinessMetric.objects.create(
            company=company, key=f"users-{place}", metric="users", value=Decimal(96 * place), as_of=date(2026, 6, place)
        )
        ledger.reroute(sold(company, f"ds-v3-pointer-{place}", f"Pointer {place}"), chat, Ruling(editor, "routed so"))
        rule = claims.SlotRule(f"peak-{place}", ((30, 510),))
        statement = CalendarStatement.objects.create(
            offering=chat, source=source, rules=as_json([rule]), first_observed_at=JUNE
        )
        SlotRule.objects.create(
            offering=chat, slot=rule.slot, windows=[[30, 510]], source=source, known_from=JUNE, statement=statement
        )
        ExchangeRate.objects.create(
            source=source, currency="CNY", day=date(2026, 6, place), rate=Decimal("7.8"), known_from=JUNE
        )
        SellerAlias.objects.create(source=source, provider=f"deepseek-cn-{place}", company=company)
        CompanyAlias.objects.create(company=company, name=f"DS {place}")
        AIModel.objects.create(slug=f"deepseek-{place}", name=f"DeepSeek {place}", developer=company)
        ApiToken.issue(editor, name=f"notebook {place}", scopes=["read"])
        Payload.objects.create(digest=str(place) * 64, compressed=b"x", size=place)
        Refresh.objects.create(
            feed=Feed.objects.get(source=source), status="failed", error="no answer", finished_at=JULY
        )
        User.objects.create_user(f"reader-{place}")
        Group.objects.create(name=f"group {place}")
    for reason in (Hold.Reason.VANISHED, Hold.Reason.UNIT):
        Hold.objects.create(
            source=source,
            seller=company,
            reason=reason,
            details={"offerings": 12, "of": 40},
            observed_at=JULY,
            raised_at=JULY,
        )
    _alerts(editor, company, chat)
    SourcePrecedence.objects.create(source=source, seller=company, precedence=35)
    SettledTime.objects.create(until=JULY)
    Heartbeat.objects.update_or_create(name="tick", defaults={"seen_at": JULY})
    ledger.pin(
        chat,
        Claim(Conditions("requests"), Decimal("1.5"), effective_from=JUNE, precision="exact"),
        Ruling(editor, "sold so"),
    )


def _alerts(editor: User, company: Company, chat: Offering) -> None:
    """What the editor wants to hear about and uses, and what was caught for her."""
    change = PricingChange.objects.order_by("-sequence")[0]
    for place in (1, 2):
        channel = Channel.objects.create(
            owner=editor,
            kind="webhook",
            name=f"Ops {place}",
            address="https://example.org",
            shown_address="example.org",
        )
        profile = UsageProfile.objects.create(owner=editor, name=f"Production {place}")
        ProfileLine.objects.create(profile=profile, offering=chat, usage={"input_tokens": "1000000"})
        ProfileAdjustment.objects.create(profile=profile, kind="discount", seller=company, percent=Decimal(10 * place))
        watch = Watch.objects.create(owner=editor, name=f"Dearer {place}", profile=profile)
        watch.channels.add(channel)
        watch.companies.add(company)
        Notice.objects.create(change=change, watch=watch, channel=channel, due_at=JULY)
        Awaited.objects.create(change=change, watch=watch, until=JULY)
        KeptAnswer.objects.create(user=editor, key=f"key-{place}", digest="d" * 64)
    FanOut.objects.get_or_create(pk=1)
