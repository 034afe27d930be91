"""The feeds that this version knows: who they are, how they are read, and on what terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from types import ModuleType

from django.core.exceptions import ImproperlyConfigured

from feeds.adapters.document import check_row_count, load_noting_repeats
from feeds.rows import SplitDocument, split
from pricing.claims import ParsedDocument
from pricing.currencies.published import PublishedRates

Parsed = ParsedDocument | PublishedRates
# What NETWORK_FEEDS says for a site that fetches nothing: an empty setting counts as unset.
NO_FEEDS = "none"


@dataclass(frozen=True, slots=True)
class KnownFeed:
    """A feed as the project ships it; an operator may change its schedule, address and precedence.

    ``adapter`` is a module of ``feeds.adapters`` with ``parse(bytes)``. It has ``rows_of(content)`` and
    ``row_reader(document)`` where each row of its documents says the same whatever stands beside it,
    ``offering_id`` where its ids carry more than the seller's own, and ``assemble(files)`` where the document
    is made of a tree of files in the source's repository. ``git_path`` is where the document, or that tree,
    lies there. What it parses to, prices or exchange rates, decides who takes it (``feeds.refreshing``). The
    documents of embedded feeds are in ``feeds.embedded``.
    """

    slug: str
    name: str
    adapter: str
    precedence: int
    homepage: str
    licence: str
    may_republish: bool
    address: str = ""
    every: timedelta = timedelta(hours=6)
    is_embedded: bool = False
    kind: str = "feed"
    git_path: str = ""

    def parse(self, body: bytes) -> Parsed:
        """What a document says. Raises UnreadableDocument."""
        parse: Callable[[bytes], Parsed] = self._module().parse
        parsed = parse(body)
        if isinstance(parsed, ParsedDocument):
            check_row_count(len(parsed.offerings) + len(parsed.rejected))
        return parsed

    def split(self, body: bytes) -> SplitDocument | None:
        """The document as rows that can be read alone; None where the adapter reads it whole.

        Raises UnreadableDocument.
        """
        module = self._module()
        if not hasattr(module, "row_reader"):
            return None
        aside = ParsedDocument()
        rows = module.rows_of(load_noting_repeats(body, aside))
        check_row_count(len(rows))
        return split(rows, aside, module.row_reader)

    def offering_id(self, provider: str, external_id: str) -> str:
        """The seller's own id within the feed's id, which may carry a path or a condition besides."""
        strip: Callable[[str, str], str] | None = getattr(self._module(), "offering_id", None)
        return strip(provider, external_id) if strip else external_id

    @property
    def can_assemble(self) -> bool:
        """Whether its document can be made of a tree of files."""
        return hasattr(self._module(), "assemble")

    def assemble(self, files: Mapping[str, bytes]) -> bytes:
        """The document that a tree of files makes, by path within the tree. Raises UnreadableDocument."""
        assemble: Callable[[Mapping[str, bytes]], bytes] = self._module().assemble
        return assemble(files)

    def _module(self) -> ModuleType:
        return import_module(f"feeds.adapters.{self.adapter}")


FEEDS = {
    feed.slug: feed
    for feed in (
        KnownFeed(
            slug="curated",
            name="Curated record",
            adapter="curated",
            precedence=10,
            homepage="",
            licence="MIT",
            may_republish=True,
            every=timedelta(days=1),
            is_embedded=True,
            kind="curated",
        ),
        KnownFeed(
            slug="openrouter",
            name="OpenRouter",
            adapter="openrouter",
            precedence=20,
            homepage="https://openrouter.ai",
            licence="the service's terms",
            may_republish=False,
            address="https://openrouter.ai/api/v1/models",
        ),
        KnownFeed(
            slug="models-dev",
            name="models.dev",
            adapter="models_dev",
            precedence=30,
            homepage="https://models.dev",
            licence="MIT",
            may_republish=True,
            address="https://models.dev/api.json",
            git_path="providers",
        ),
        KnownFeed(
            slug="litellm",
            name="LiteLLM",
            adapter="litellm",
            precedence=40,
            homepage="https://github.com/BerriAI/litellm",
            licence="MIT",
            may_republish=True,
            address="https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
            git_path="model_prices_and_context_window.json",
        ),
        KnownFeed(
            slug="genai-prices",
            name="genai-prices",
            adapter="genai_prices",
            precedence=50,
            homepage="https://github.com/pydantic/genai-prices",
            licence="MIT",
            may_republish=True,
            address=(
                "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json"
            ),
            is_embedded=True,
            git_path="prices/data.json",
        ),
        KnownFeed(
            slug="ecb",
            name="European Central Bank reference rates",
            adapter="ecb",
            precedence=100,
            homepage="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
            licence="free reuse with the source named",
            may_republish=True,
            address="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
            kind="rates",
        ),
        KnownFeed(
            slug="llm-prices",
            name="llm-prices",
            adapter="llm_prices",
            precedence=60,
            homepage="https://www.llm-prices.com",
            licence="none stated",
            may_republish=False,
            address="https://www.llm-prices.com/historical-v1.json",
            git_path="historical-v1.json",
            every=timedelta(days=1),
        ),
    )
}


class UnknownFeed(ValueError):
    """No feed has that name; the message names those there are."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"unknown feed {slug!r}; choose from {', '.join(sorted(FEEDS))}")


def known_feed(slug: str) -> KnownFeed:
    """The feed of that slug. Raises UnknownFeed."""
    try:
        return FEEDS[slug]
    except KeyError:
        raise UnknownFeed(slug) from None


def check_network_feeds(slugs: Iterable[str]) -> None:
    """Refuse the name of a feed that is not there or has no address; ``none`` alone is no feed's.

    Raises ImproperlyConfigured.
    """
    named = list(slugs)
    if named == [NO_FEEDS]:
        return
    choices = sorted(feed.slug for feed in FEEDS.values() if feed.address)
    for slug in named:
        if slug not in choices:
            raise ImproperlyConfigured(
                f"NETWORK_FEEDS names {slug!r}; it must be {NO_FEEDS}, or some of {', '.join(choices)}."
            )
