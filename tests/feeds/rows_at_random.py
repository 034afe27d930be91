"""A life of two feeds at random: documents that change, what people do between them, and all that is on record then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models

from companies.models import AIModel, Company
from feeds.enrolment import feed_named
from feeds.models import Feed, SellerAlias, TakenRows
from feeds.reading import Document
from feeds.refreshing import refresh
from feeds.refusals import RefreshRefused
from feeds.replaying import replay, stretch_at
from feeds.repointing import repoint
from pricing import ledger
from pricing.models import Decision, Hold, Offering, Reference
from tests.pricing.believing import day
from tests.pricing.conftest import SetClock

# What comes of the real clock, and of the way in which a document was read.
UNCOMPARED = {"started_at", "next_due_at", "history_date"}
RULING = ledger.Ruling(by=None, note="as announced")
START = day(0)
PRICES = (1e-06, 1.1e-06, 2e-06, 4e-05, 0, 0)
IDS = {
    "openai": ("gpt-5", "openai/gpt-5", "openai/GPT-5", "gpt-5-2025-08-07", "gpt-4.1", "openai/eu/gpt-4.1"),
    "mystery": ("mystery/model-a", "mystery/Model_A", "mystery/model-b:free", "mystery/model-b", "mystery/c-1"),
    "deepseek": ("deepseek-chat", "deepseek/deepseek-chat", "deepseek/deepseek-r1", "deepseek/DeepSeek-R1"),
    "azure": ("azure/gpt-5", "azure/eu/gpt-5", "azure/us/gpt-5"),
}
Row = dict[str, Any]
Record = dict[str, list[dict[str, Any]]]


class Life:
    """Two feeds that are read, and people who rule and edit, by the dice of one seed."""

    def __init__(self, chance: Random, clock: SetClock, *, in_full: bool) -> None:
        self.chance, self.clock, self.in_full = chance, clock, in_full
        self.at = START
        self.rows: dict[str, dict[str, Row]] = {"litellm": {}, "models-dev": {}}
        self.log: list[str] = []
        for slug in self.rows:
            for _ in range(9):
                self._appear(slug)
            self._take(slug, self.at)

    def go_on(self) -> None:
        """Something happens: a document is read, mostly, or somebody does something."""
        self.at += timedelta(hours=self.chance.choice([1, 5, 24, 30, 80]))
        self.clock((self.at - START) / timedelta(days=1))
        rarely = [self._rule, self._edit, self._edit, self._read_again, self._late]
        act = self.chance.choice([*[self._read] * 10, *rarely])
        try:
            act()
        except (ledger.LedgerError, RefreshRefused) as error:
            self.log.append(f"{act.__name__}: {error}")

    def _read(self) -> None:
        slug = self.chance.choice(["litellm", "litellm", "models-dev"])
        changes: list[Callable[[str], object]] = [self._move, self._move, self._appear, self._vanish, self._rename]
        changes += [self._spoil, self._describe, self._reorder]
        for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
            self.chance.choice(changes)(slug)
        if self.chance.random() < 0.08:
            self.chance.choice([self._rescale, self._cut])(slug)
        self._take(slug, self.at)

    def _take(self, slug: str, at: datetime, **how: Any) -> None:
        self.log.append(f"{slug} at {at}: {json.dumps(self.rows[slug])}")
        body = _price_map(self.rows[slug]) if slug == "litellm" else _catalogue(self.rows[slug])
        report = refresh(feed_named(slug), document=Document(body, at), in_full=self.in_full, **how)
        self.log.append(str(report.as_json()))

    def _read_again(self) -> None:
        self._take(self.chance.choice(sorted(self.rows)), self.at)

    def _late(self) -> None:
        """An old document is read, or what was read is told anew."""
        if self.chance.random() < 0.5:
            self._take(self.chance.choice(sorted(self.rows)), self.at - timedelta(days=9, hours=1), backfilled=True)
            return
        feed = feed_named(self.chance.choice(sorted(self.rows)))
        self.log += [str(report.as_json()) for report in replay(feed, stretch_at(feed))]

    # What documents do.

    def _appear(self, slug: str) -> None:
        provider = self.chance.choice(sorted(IDS))
        key = self.chance.choice(IDS[provider])
        row: Row = {"provider": provider, "input": self.chance.choice(PRICES), "output": self.chance.choice(PRICES)}
        if self.chance.random() < 0.2:
            row["uplift"] = self.chance.choice([1.1, 1.2])
        self.rows[slug].setdefault(key, row)

    def _vanish(self, slug: str) -> None:
        if self.rows[slug]:
            del self.rows[slug][self._any_of(slug)]

    def _move(self, slug: str) -> None:
        if self.rows[slug]:
            row = self.rows[slug][self._any_of(slug)]
            row[self.chance.choice(["input", "output", "cached"])] = self.chance.choice(PRICES)

    def _rename(self, slug: str) -> None:
        """Another id of the same provider takes the place of one that is there."""
        if self.rows[slug]:
            row = self.rows[slug].pop(self._any_of(slug))
            self.rows[slug].setdefault(self.chance.choice(IDS[row["provider"]]), row)

    def _spoil(self, slug: str) -> None:
        """A row gets what cannot be taken, or loses it again."""
        if self.rows[slug]:
            row = self.rows[slug][self._any_of(slug)]
            field, value = self.chance.choice([("cached", True), ("cached", -1), ("strange", 1e-06)])
            row.pop(field) if field in row else row.update({field: value})

    def _describe(self, slug: str) -> None:
        if self.rows[slug]:
            self.rows[slug][self._any_of(slug)]["context"] = self.chance.choice([8_000, 32_000, 128_000])

    def _reorder(self, slug: str) -> None:
        rows = list(self.rows[slug].items())
        self.chance.shuffle(rows)
        self.rows[slug] = dict(rows)

    def _rescale(self, slug: str) -> None:
        for row in self.rows[slug].values():
            row["input"], row["output"] = row["input"] * 3, row["output"] * 3

    def _cut(self, slug: str) -> None:
        self.rows[slug] = dict(list(self.rows[slug].items())[::4])

    # What people do.

    def _rule(self) -> None:
        act = self.chance.choice([self._merge, self._split, self._undo, self._hold, self._hold, self._link, self._say])
        self.log.append(act.__name__)
        act()

    def _merge(self) -> None:
        ledger.merge(self._offering(), self._offering(), RULING, across_sellers=self.chance.random() < 0.3)

    def _split(self) -> None:
        references = list(Reference.objects.order_by("pk"))
        chosen = self.chance.choice(references)
        ledger.split(chosen.offering, [chosen], RULING)

    def _undo(self) -> None:
        kinds = [Decision.Kind.MERGE, Decision.Kind.SPLIT, Decision.Kind.LINK]
        standing = list(Decision.objects.filter(kind__in=kinds, undone_by=None).order_by("pk"))
        if standing:
            ledger.undo(self.chance.choice(standing), RULING)

    def _hold(self) -> None:
        standing = list(Hold.objects.filter(closed_at=None).order_by("pk"))
        if standing:
            self.chance.choice([ledger.release_hold, ledger.refuse_hold])(self.chance.choice(standing), RULING)

    def _link(self) -> None:
        found = list(AIModel.objects.order_by("pk"))
        ledger.link(self._offering(), self.chance.choice([*found, None]), RULING)

    def _say(self) -> None:
        ledger.withdraw(self._offering(), RULING)

    def _edit(self) -> None:
        act = self.chance.choice([self._alias, self._alias, self._repoint, self._facts, self._facts, self._kind])
        self.log.append(act.__name__)
        act()

    def _alias(self) -> None:
        """An admin says whom a provider id means, and what its zeros do."""
        company = self.chance.choice(list(Company.objects.order_by("pk")))
        zeros = self.chance.choice(["", "free", "unknown", "included"])
        source = feed_named(self.chance.choice(sorted(self.rows))).source
        provider = self.chance.choice(sorted(IDS))
        SellerAlias.objects.update_or_create(
            source=source, provider=provider, defaults={"company": company, "zeros": zeros}
        )

    def _repoint(self) -> None:
        repoint(feed_named(self.chance.choice(sorted(self.rows))).source, self.chance.choice(sorted(IDS)), RULING)

    def _facts(self) -> None:
        edited: models.Model
        if self.chance.random() < 0.5:
            edited = offering = self._offering()
            offering.context_tokens, offering.mode = None, ""
        else:
            found = list(AIModel.objects.order_by("pk"))
            if not found:
                return
            edited = model = self.chance.choice(found)
            model.context_tokens, model.edited = None, not model.edited
        edited.save()

    def _kind(self) -> None:
        company = self.chance.choice(list(Company.objects.order_by("pk")))
        company.kind = self.chance.choice([Company.Kind.LAB, Company.Kind.CLOUD])
        company.save()

    def _offering(self) -> Offering:
        return self.chance.choice(list(Offering.objects.order_by("pk")))

    def _any_of(self, slug: str) -> str:
        return self.chance.choice(list(self.rows[slug]))


def _price_map(rows: dict[str, Row]) -> bytes:
    """The rows as a LiteLLM document."""
    names = {
        "provider": "litellm_provider",
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cached": "cache_read_input_token_cost",
        "strange": "cost_of_wonder",
        "context": "max_input_tokens",
        "uplift": "regional_processing_uplift_multiplier_eu",
    }
    written = {key: {"mode": "chat"} | {names[name]: cell for name, cell in row.items()} for key, row in rows.items()}
    example = {"litellm_provider": "example", "input_cost_per_token": 1}
    return json.dumps({"sample_spec": example, **written}).encode()


def _catalogue(rows: dict[str, Row]) -> bytes:
    """The rows as a models.dev document, in USD per million tokens."""
    providers: dict[str, Any] = {"broken": {"id": "broken"}}
    for key, row in rows.items():
        names = {"input": "input", "output": "output", "cached": "cache_read", "strange": "wonder"}
        cost = {names[name]: _in_millions(cell) for name, cell in row.items() if name in names}
        model = {"id": key, "name": key.title(), "cost": cost}
        model |= {"limit": {"context": row["context"]}} if "context" in row else {}
        seller = providers.setdefault(row["provider"], {"name": row["provider"].title(), "models": {}})
        seller["models"][key] = model
    providers.setdefault("openai", {"name": "Openai", "models": {}})
    return json.dumps(providers).encode()


def _in_millions(price: float | bool) -> float | bool:
    return price if isinstance(price, bool) else round(price * 1e6, 6)


def on_record() -> Record:
    """Every row of the record, but for what is remembered to read faster."""
    return {model.__name__: list(_rows(model)) for model in _tables()}


def _tables() -> list[type[models.Model]]:
    found = [model for app in ("companies", "pricing", "feeds") for model in apps.get_app_config(app).get_models()]
    return [model for model in found if model is not TakenRows]


def _rows(model: type[models.Model]) -> Iterator[dict[str, Any]]:
    for row in model._default_manager.order_by("pk").values():
        yield {name: bytes(cell) if isinstance(cell, memoryview) else cell
               for name, cell in row.items() if name not in UNCOMPARED}  # fmt: skip


def count_from_the_start() -> None:
    """Let new rows have the numbers that follow those there are, after a roll-back as before it."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [*_tables(), TakenRows]):
            cursor.execute(statement)


def feeds() -> list[Feed]:
    """The two feeds, made where they are missing."""
    return [feed_named("litellm"), feed_named("models-dev")]
