"""What a call used: counts by meter, what counts inside what, and usage that cannot be.

A usage key is a meter's slug. Meaning follows OpenTelemetry's GenAI conventions: ``input_tokens``
includes cached, audio, image and video tokens, ``output_tokens`` includes reasoning. Tokens of a
modality count across the other kinds: ``cache_read_audio_tokens`` are part of ``cache_read_tokens``
and of ``input_audio_tokens`` as well. Two counts whose common part is not stated have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from functools import cache, lru_cache

from pricing.likeness import misspelt
from pricing.meters import METERS, MODALITIES
from tracker.amounts import EXACT, PLACES, fits

Quantity = int | Decimal

# More than anybody uses: a bound that keeps arithmetic exact and cheap.
MOST = 10**18
_KEYS = tuple(METERS)
_LONGEST_KEY = 100
_LONGEST_NUMBER = 60
# Time, storage and shares of a billing period come in parts; everything else is counted.
DIVISIBLE = frozenset(
    {
        *(slug for slug in METERS if slug.endswith("_seconds")),
        "storage_gb_days",
        "credits",
        "subscriptions",
        "seats",
    }
)


class UsageError(ValueError):
    """Usage that cannot be; ``field`` is the usage key (or path), ``choices`` the keys probably meant."""

    def __init__(self, field: str, detail: str, choices: Sequence[str] = ()) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail
        self.choices = tuple(choices)


def read_usage(usage: Mapping[str, object]) -> dict[str, Quantity]:
    """The counts of a usage as whole numbers, or as decimals where the meter is divisible.

    A float counts as the decimal that it prints as. Raises UsageError for an unknown key, for what
    is no number from 0 to MOST, and for a part of what is counted whole.
    """
    return {key: _quantity(key, value) for key, value in usage.items() if _known(key)}


def _known(key: str) -> bool:
    if key in METERS:
        return True
    choices = misspelt(str(key), _KEYS, count=3)
    meant = f"; did you mean {' or '.join(choices)}?" if choices else ""
    raise UsageError(str(key)[:_LONGEST_KEY], f"is no usage key{meant}", choices)


def told(number: Quantity) -> str:
    """A number as messages say it: who sends a million digits does not want them back."""
    text = str(Decimal(number))
    return text if len(text) <= _LONGEST_NUMBER else f"{text[:_LONGEST_NUMBER]}…"


def _quantity(key: str, value: object) -> Quantity:
    number = _number(key, value)
    if not 0 <= number <= MOST:
        raise UsageError(key, f"is {told(number)}; a count from 0 to 10^18 was expected")
    if number == (whole := int(number)):
        return whole
    if key not in DIVISIBLE:
        raise UsageError(key, f"is {told(number)}; a whole number was expected")
    if not fits(number):
        raise UsageError(key, f"is {told(number)}; at most {PLACES} decimals were expected")
    return number


def _number(key: str, value: object) -> Decimal:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UsageError(key, f"is {value!r:.60}; a number was expected")
    number = Decimal(value)
    if not number.is_finite():
        raise UsageError(key, f"is {told(number)}; a count from 0 to 10^18 was expected")
    return number


@cache
def containers(meter: str) -> tuple[str, ...]:
    """The meters that a meter counts inside, the nearest first.

    The nearest is the one inside the most others; of two that are alike the parent in the table of
    meters comes first. ``cache_read_audio_tokens``: ``cache_read_tokens``, ``input_audio_tokens``,
    ``input_tokens``.
    """
    modality, plain = _split(meter)
    chain = _parents(plain)
    found = {*chain, *(form for kind in chain if (form := _form(kind, modality)))}
    if modality:
        found.add(plain)
    by_table = (*_parents(meter), *_parents(plain))
    place = {slug: number for number, slug in reversed(list(enumerate(by_table)))}
    return tuple(sorted(found, key=lambda slug: (-len(containers(slug)), place.get(slug, len(place)), slug)))


@cache
def _split(meter: str) -> tuple[str, str]:
    """A token meter's modality, and the same meter without it; no modality where there is none."""
    for modality in MODALITIES:
        plain = meter.replace(f"_{modality}_", "_", 1)
        if plain != meter and plain in METERS and METERS[meter].parent:
            return modality, plain
    return "", meter


def _form(kind: str, modality: str) -> str:
    """The meter of one kind and one modality, where there is one."""
    if not modality:
        return ""
    return next((slug for slug in METERS if _split(slug) == (modality, kind)), "")


def _parents(meter: str) -> tuple[str, ...]:
    parent = METERS[meter].parent
    return (parent, *_parents(parent)) if parent else ()


# A reported count's meter, and the places (in a shape) of the reported counts inside it.
Count = tuple[str, tuple[int, ...]]


@lru_cache(maxsize=1024)
def shape(keys: tuple[str, ...]) -> tuple[Count, ...]:
    """Reported keys, the innermost first, so that each comes after all that count inside it.

    What a count holds apart from those inside it is the count less what each of these holds apart.
    ``input_tokens`` and ``output_tokens`` are there whenever something counts inside them. Raises
    UsageError for an unknown key.
    """
    known = list(filter(_known, keys))
    outermost = [inside[-1] for key in known if (inside := containers(key))]
    ordered = sorted({*known, *outermost}, key=lambda key: (-len(containers(key)), key))
    return tuple(
        (key, tuple(place for place, other in enumerate(ordered) if key in containers(other))) for key in ordered
    )


def apart(usage: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """What each reported count holds apart from the reported counts inside it.

    Raises UsageError for an unknown key and where parts are more than their whole.
    """
    held: list[Quantity] = []
    counts = shape(tuple(usage))
    with localcontext(EXACT):
        for meter, inside in counts:
            held.append(usage.get(meter, 0) - sum(held[place] for place in inside))
            if held[-1] < 0:
                raise contradiction(usage, meter)
    return {meter: quantity for (meter, _), quantity in zip(counts, held, strict=True)}


def with_least_overlap(usage: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """The usage with as much in two counts at once as there must be for all to fit in their total.

    Providers give cached tokens and tokens by modality, often without saying how many are both.
    """
    fitted = dict(usage)
    for one in usage:
        for other in usage:
            both, total = _common(one, other), containers(one)[-1:]
            if both and both not in usage and total:
                inside = (key for key in fitted if total[0] in containers(key))
                excess = sum(_own(fitted, key) for key in inside) - fitted.get(total[0], 0)
                if (least := min(excess, _own(fitted, one), _own(fitted, other))) > 0:
                    fitted[both] = least
    return fitted


def _own(usage: Mapping[str, Quantity], meter: str) -> Quantity:
    """What a count holds apart from the counts inside it, below zero where they are more."""
    return usage[meter] - sum(_own(usage, key) for key in usage if meter in containers(key))


def contradiction(usage: Mapping[str, Quantity], meter: str) -> UsageError:
    """Why a usage cannot be, in which the counts inside a meter are more than the meter's own."""
    whole = usage.get(meter, 0)
    parts = {key: quantity for key, quantity in usage.items() if quantity and meter in containers(key)}
    for key, quantity in parts.items():
        if quantity > whole:
            return UsageError(key, f"is {told(quantity)}, more than {meter} ({told(whole)}), which includes it")
    listed = " and ".join(f"{key} ({told(quantity)})" for key, quantity in sorted(parts.items()))
    missing = sorted({key for one in parts for other in parts if (key := _common(one, other)) and key not in usage})
    hint = f"; if some are both, say how many as {' and '.join(missing)}" if missing else ""
    return UsageError(meter, f"is {told(whole)}, less than what it includes: {listed}{hint}")


def _common(one: str, other: str) -> str:
    """The meter of what counts in both, where they may overlap."""
    (modality, plain), (none, kind) = _split(one), _split(other)
    if not modality or none or kind in (plain, *_parents(plain)):
        return ""
    return _form(kind, modality)
