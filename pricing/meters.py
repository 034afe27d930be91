"""The one table of meters: what is counted, and the canonical quantity that a price is for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MILLION = 1_000_000
THOUSAND = 1_000
MODALITIES = ("text", "audio", "image", "video")


@dataclass(frozen=True, slots=True)
class Meter:
    """Something that a seller counts.

    ``per`` is the canonical quantity of every amount in the ledger: a price of 3 on
    ``input_tokens`` is 3 for each 1,000,000 of them. A meter with a ``parent`` counts inside
    it: cached tokens are part of the input tokens, as in OpenTelemetry's GenAI conventions.
    """

    slug: str
    per: int
    noun: str
    parent: str | None = None
    ceiling: Decimal = Decimal("10000")

    @property
    def unit(self) -> str:
        """The canonical quantity in words, such as ``per 1M tokens``."""
        if self.per == MILLION:
            return f"per 1M {self.noun}"
        if self.per == THOUSAND:
            return f"per 1K {self.noun}"
        return f"per {self.noun}"


def _tokens(slug: str, parent: str | None = None) -> Meter:
    return Meter(slug, MILLION, "tokens", parent)


def _by_modality(slug: str, parent: str) -> tuple[Meter, ...]:
    return tuple(_tokens(slug.format(modality), parent.format(modality)) for modality in MODALITIES)


def _counted(per: int, **nouns: str) -> tuple[Meter, ...]:
    return tuple(Meter(slug, per, noun) for slug, noun in nouns.items())


_TOKEN_METERS = (
    _tokens("input_tokens"),
    _tokens("output_tokens"),
    _tokens("training_tokens"),
    _tokens("cache_read_tokens", "input_tokens"),
    _tokens("cache_write_tokens", "input_tokens"),
    _tokens("input_text_tokens", "input_tokens"),
    _tokens("input_audio_tokens", "input_tokens"),
    _tokens("input_image_tokens", "input_tokens"),
    _tokens("input_video_tokens", "input_tokens"),
    _tokens("input_tool_tokens", "input_tokens"),
    _tokens("cache_write_5m_tokens", "cache_write_tokens"),
    _tokens("cache_write_1h_tokens", "cache_write_tokens"),
    _tokens("cache_write_12h_tokens", "cache_write_tokens"),
    _tokens("cache_read_text_tokens", "cache_read_tokens"),
    _tokens("cache_read_audio_tokens", "cache_read_tokens"),
    _tokens("cache_read_image_tokens", "cache_read_tokens"),
    _tokens("cache_read_video_tokens", "cache_read_tokens"),
    _tokens("cache_write_text_tokens", "cache_write_tokens"),
    _tokens("cache_write_audio_tokens", "cache_write_tokens"),
    _tokens("cache_write_image_tokens", "cache_write_tokens"),
    _tokens("cache_write_video_tokens", "cache_write_tokens"),
    _tokens("reasoning_tokens", "output_tokens"),
    _tokens("output_text_tokens", "output_tokens"),
    _tokens("output_audio_tokens", "output_tokens"),
    _tokens("output_image_tokens", "output_tokens"),
    _tokens("output_video_tokens", "output_tokens"),
    _tokens("citation_tokens", "output_tokens"),
    *_by_modality("cache_write_{}_5m_tokens", "cache_write_{}_tokens"),
    *_by_modality("cache_write_{}_1h_tokens", "cache_write_{}_tokens"),
    *_by_modality("input_{}_tool_tokens", "input_tool_tokens"),
    *_by_modality("reasoning_{}_tokens", "reasoning_tokens"),
    *_by_modality("citation_{}_tokens", "citation_tokens"),
)

_PER_MILLION = _counted(
    MILLION,
    input_characters="characters",
    output_characters="characters",
    input_pixels="pixels",
    output_pixels="pixels",
)

_PER_THOUSAND = _counted(
    THOUSAND,
    requests="requests",
    web_searches="searches",
    social_searches="searches",
    map_searches="searches",
    storage_searches="searches",
    code_executions="executions",
    queries="queries",
    pages="pages",
    annotated_pages="pages",
    guardrail_units="units",
)

_PER_ONE = _counted(
    1,
    input_images="image",
    output_images="image",
    input_audio_seconds="second",
    output_audio_seconds="second",
    input_video_seconds="second",
    output_video_seconds="second",
    audio_seconds="second",
    compute_seconds="second",
    messages="message",
    sessions="session",
    credits="credit",
    storage_gb_days="GB-day",
    subscriptions="billing period",
    seats="seat",
)

METERS: dict[str, Meter] = {meter.slug: meter for meter in (*_TOKEN_METERS, *_PER_MILLION, *_PER_THOUSAND, *_PER_ONE)}


class UnknownMeter(ValueError):
    """A slug that is not in the table; the message names the known ones."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"unknown meter {slug!r}; known meters are {', '.join(METERS)}")


def meter(slug: str) -> Meter:
    """The meter of that slug. Raises UnknownMeter."""
    try:
        return METERS[slug]
    except KeyError:
        raise UnknownMeter(slug) from None
