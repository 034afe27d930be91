"""Which AI model is behind an offering: what feeds say of it, else what its id says; a person's link is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.db.models import QuerySet
from django.utils.text import slugify

from companies.models import AIModel, Company
from feeds.sellers import Sellers
from pricing.alike import name_of
from pricing.bulk import save_new
from pricing.claims import ModelFacts
from pricing.identity import model_key, vendor
from pricing.models import Offering, Source

BATCH = 200
LONGEST_SLUG = 200
SHORTEST_GUESS = 2
Words = tuple[str, ...]
# An id with this mark leads to whatever its seller routes it to now.
_MOVING = "~"
_DECIMAL_P = re.compile(r"(?<=\d)p(?=\d)")
_DATE = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d)$")
_BUILD = re.compile(r"-(fp8|fp16|bf16|int4|int8|awq|nvfp4|hf|tee|(?<=\d-)v1)$")


def link_models(made: Sequence[tuple[Offering, ModelFacts]], sellers: Sellers) -> list[AIModel]:
    """Link new offerings to the model behind them; one of a known developer makes a model that is missing.

    Returns the models that were made.
    """
    sold = [(o, facts) for o, facts in made if o.kind == Offering.Kind.API and _slug(o)]
    known = KnownModels.load(sellers)
    missing: dict[str, AIModel] = {}
    for offering, facts in sorted(sold, key=lambda pair: pair[0].seller.kind != Company.Kind.LAB):
        slug = _slug(offering)
        if slug in missing or known.find(offering, facts) is not None:
            continue
        developer = _developer(offering, sellers)
        if developer is not None:
            missing[slug] = _new_model(slug, facts, developer, offering)
    save_new(list(missing.values()))
    known.add(missing.values())
    for offering, facts in sold:
        _link(offering, known.find(offering, facts))
    return list(missing.values())


def link_later(models: Iterable[AIModel], sellers: Sellers) -> int:
    """Link offerings that had no model to one of those that came to exist now; how many were linked."""
    known = KnownModels(sellers)
    known.add(models)
    linked = []
    for offering in without_model():
        _link(offering, known.find(offering, ModelFacts()))
        if offering.model is not None:
            linked.append(offering)
    Offering.objects.bulk_update(linked, ["model", "model_linked_by"], batch_size=BATCH)
    return len(linked)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model that may be behind an offering that has none, for a person to confirm."""

    offering: Offering
    model: AIModel


def without_model() -> QuerySet[Offering]:
    """What is sold over an API and linked to no model, nor ruled by a person to sell none."""
    unlinked = Offering.objects.filter(kind=Offering.Kind.API, model=None, merged_into=None)
    return unlinked.exclude(model_linked_by="person").select_related("seller").order_by("seller__slug", "external_id")


def suggestions() -> list[Suggestion]:
    """Models for offerings without one, by looser rules than those that link by themselves."""
    known = KnownModels.load(Sellers(Source.objects.first() or Source()))
    found = ((offering, known.guess(offering)) for offering in without_model())
    return [Suggestion(offering, model) for offering, model in found if model is not None]


@dataclass(slots=True)
class KnownModels:
    """The models by slug, and by the words of their slug where these mean only one."""

    sellers: Sellers
    by_slug: dict[str, AIModel] = field(default_factory=dict)
    by_words: dict[Words, AIModel | None] = field(default_factory=dict)

    @classmethod
    def load(cls, sellers: Sellers) -> KnownModels:
        """All the models that there are."""
        found = cls(sellers)
        found.add(AIModel.objects.all())
        return found

    def add(self, models: Iterable[AIModel]) -> None:
        """Know some more."""
        for model in models:
            self.by_slug[model.slug] = model
            words = name_of(model.slug).last
            self.by_words[words] = None if words in self.by_words else model

    def find(self, offering: Offering, facts: ModelFacts) -> tuple[AIModel, str] | None:
        """The model behind an offering, and who says so: a feed, or a rule."""
        if offering.external_id.startswith(_MOVING):
            return None
        named = self._of_id(facts.base_model) if facts.base_model else None
        if named is not None:
            return named, "feed"
        model = self._of_id(offering.external_id) or self._without_seller(offering)
        return (model, "rule") if model is not None else None

    def guess(self, offering: Offering) -> AIModel | None:
        """The model whose name an id begins with, when what follows are words and no numbers: ``gpt-5.4-low``."""
        found = self.find(offering, ModelFacts())
        if found is not None:
            return found[0]
        words = name_of(model_key(offering.external_id)).last
        while len(words) > SHORTEST_GUESS and words[-1].isalpha():
            words = words[:-1]
            model = self.by_words.get(words)
            if model is not None:
                return model
        return None

    def _of_id(self, external_id: str) -> AIModel | None:
        for name in _readings(external_id):
            model = self.by_slug.get(_slugified(name)) or self.by_words.get(name_of(name).last)
            if model is not None:
                return model
        return None

    def _without_seller(self, offering: Offering) -> AIModel | None:
        """By the id without the seller or the vendor that it begins with: ``databricks-gpt-5``, ``openai-gpt-5``."""
        head, _, rest = model_key(offering.external_id).partition("-")
        names_company = head in offering.seller.slug.split("-") or self.sellers.developer(head) is not None
        return self._of_id(rest) if rest and names_company else None


# Offerings are looked up before and after the models that are missing are made.
@lru_cache(maxsize=16_384)
def _readings(external_id: str) -> tuple[str, ...]:
    """What an id may say of its model, the whole first: each reading leaves out one thing more."""
    name = model_key(external_id)
    built = (_DECIMAL_P.sub("-", name), _BUILD.sub("", name), _BUILD.sub("", _BUILD.sub("", name)))
    dated = (_DATE.sub("", name),) if _DATE.search(name) else ()
    return (name, *(reading for reading in built if reading != name), *dated)


def _slug(offering: Offering) -> str:
    """Of the model that an offering makes: a quantised or confidential build of one is no other model."""
    name = model_key(offering.external_id)
    while _BUILD.search(name):
        name = _BUILD.sub("", name)
    return _slugified(name)


@lru_cache(maxsize=16_384)
def _slugified(name: str) -> str:
    return slugify(name)[:LONGEST_SLUG]


def _link(offering: Offering, found: tuple[AIModel, str] | None) -> None:
    if found is not None:
        offering.model, offering.model_linked_by = found


def _developer(offering: Offering, sellers: Sellers) -> Company | None:
    named = sellers.developer(vendor(offering.external_id))
    if named is not None:
        return named
    return offering.seller if offering.seller.kind == Company.Kind.LAB else None


def _new_model(slug: str, facts: ModelFacts, developer: Company, offering: Offering) -> AIModel:
    return AIModel(
        slug=slug,
        name=(facts.name or offering.external_id)[:300],
        developer=developer,
        family=facts.family[:200],
        input_modalities=list(facts.input_modalities),
        output_modalities=list(facts.output_modalities),
        open_weights=facts.open_weights,
        context_tokens=facts.context_tokens,
        max_output_tokens=facts.max_output_tokens,
        released_on=facts.released_on,
        release_precision=facts.release_precision if facts.released_on else "unknown",
        deprecated_on=facts.deprecated_on,
        retired_on=facts.retired_on,
    )
