"""Which offering a seller's model id means: its own id, a source's id for it, or one that the seller routes elsewhere.

Ids are compared as sources write them and in their normalised form. Of several offerings one whose prices are paid
call by call comes before one that a plan includes, which is chosen only where there is no other; then one with prices,
then one that somebody still knows by the id. Of a seller's listings that are left the plain one is taken, however
it spells the id, and where there are only others, a note says which was taken; of what is left then the one whose own
id it is. Where no company has the seller's name, it is read as the provider id of a source, which tells listings
apart. An offering that was merged stands for the one that it was merged into.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, Q

from pricing.claims import STANDARD_TIER
from pricing.costing.asked import TERMS
from pricing.costing.merges import TODAY, Past
from pricing.identity import identity_key
from pricing.models import EMPTIED, Alias, Offering, Price, Reference, Statement

_LONGEST = 500
_BATCH = 500
_PLAIN = {"service_tier": STANDARD_TIER}
_INCLUDED = "included"
# The qualities of a match: the offering's own id in this spelling or another, a source's id, one that it has dropped.
_OWN_ID, _SPELT_OTHERWISE, _REFERENCE, _DROPPED = range(4)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class NamedOffering:
    """An offering that an id means, its seller, and the terms that the id itself fixes (``azure/eu/…`` a region).

    The seller's slug is not always the name that was asked with: a source's provider id may stand in its place.
    """

    offering: int
    seller: str
    terms: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """An alias row: an id that its seller routes to a target over [effective_from, effective_until).

    ``offering`` is the id that is routed, ``target`` the offering that it leads to.
    """

    id: int
    offering: int
    seller: str
    external_id: str
    target: int | None
    target_id: str | None
    target_model: str | None
    effective_from: datetime | None
    effective_until: datetime | None
    precision: str
    observed_after: datetime | None
    known_from: datetime
    known_until: datetime | None
    recorded_at: datetime
    source: str
    citation_url: str

    @property
    def leads_to(self) -> Pair:
        """The seller and the id of the target, by which its own routes are found."""
        return self.seller, self.target_id or ""

    def holds(self, at: datetime, known_at: datetime | None) -> bool:
        """Whether it was in force at a moment, as known at another (None: now)."""
        began = self.effective_from is None or self.effective_from <= at
        return self.is_known(known_at) and began and (self.effective_until is None or at < self.effective_until)

    def is_known(self, known_at: datetime | None) -> bool:
        """Whether it was believed at a moment (None: now)."""
        if known_at is None:
            return self.known_until is None
        return self.known_from <= known_at and (self.known_until is None or known_at < self.known_until)


class _Match(NamedTuple):
    offering: int
    quality: int
    reference: int | None


def askable(text: str) -> bool:
    """Whether a database can be asked for a text."""
    return 0 < len(text) <= _LONGEST and text.isprintable()


def named_offerings(pairs: Collection[Pair], past: Past = TODAY) -> dict[Pair, NamedOffering]:
    """The offering that each (seller slug, model id) means, where there is one; by a few queries a batch.

    ``past`` says which merges are not to count, or to count though they were undone.
    """
    found: dict[Pair, NamedOffering] = {}
    for batch in _batches(pair for pair in pairs if askable(pair[0]) and askable(pair[1])):
        found.update(_named(_by_own_id(batch), _by_reference(batch, "offering__seller__slug"), past))
        rest = [pair for pair in batch if pair not in found]
        found.update(_named({}, _by_reference(rest, "provider"), past) if rest else {})
    return found


def routes(sellers: Collection[str]) -> dict[Pair, list[Route]]:
    """All alias rows of these sellers, by (seller slug, normalised id), each with the offering that it leads to."""
    asked = [seller for seller in sellers if askable(seller)]
    found: dict[Pair, list[Route]] = {}
    for route in alias_routes(Q(seller__slug__in=asked)):
        found.setdefault((route.seller, identity_key(route.external_id)), []).append(route)
    return found


def alias_routes(condition: Q) -> list[Route]:
    """The alias rows that meet a condition, the latest beginning first, by a fixed number of queries.

    Those that were always so come last; by themselves databases disagree about that.
    """
    rows = Alias.objects.filter(condition).order_by(F("effective_from").desc(nulls_last=True), "-id")
    aliases = list(rows.select_related("seller", "source", "target_offering", "target_model"))
    targets = _targets(aliases)
    return [_route(alias, targets.get(alias.pk)) for alias in aliases]


def _named(
    matches: dict[Pair, list[_Match]], referred: Iterable[tuple[Pair, int, _Match]], past: Past
) -> dict[Pair, NamedOffering]:
    for pair, reference, match in referred:
        then = past.references.get(reference, match.offering)
        matches.setdefault(pair, []).append(match._replace(offering=then))
    standing = _standing({match.offering for each in matches.values() for match in each}, past)
    included = _included({offering for offerings in _several(matches, standing) for offering in offerings})
    best: dict[Pair, _Match] = {}
    for pair, each in matches.items():
        known = [match for match in each if match.offering in standing]
        if known:
            best[pair] = min(known, key=lambda match: _rank(match, standing, included))
    fixed = _fixed_terms({match.reference for match in best.values() if match.reference is not None})
    return {
        pair: NamedOffering(
            standing[match.offering].pk,
            standing[match.offering].seller.slug,
            fixed.get(match.reference or 0, {}),
            _notes(match, [standing[each.offering] for each in matches[pair] if each.offering in standing], standing),
        )
        for pair, match in best.items()
    }


def _notes(match: _Match, meant: Iterable[Offering], standing: Mapping[int, Offering]) -> tuple[str, ...]:
    """That one of several listings was taken, where none of them is the plain one."""
    taken = standing[match.offering]
    listings = {offering.listing for offering in meant if offering.status != Offering.Status.UNPRICED}
    if not taken.listing or len(listings) < 2:
        return ()
    others = ", ".join(listing or "the plain listing" for listing in sorted(listings - {taken.listing}))
    return (f"sold in several listings: priced as {taken.listing}, and not as {others}",)


def _rank(match: _Match, standing: Mapping[int, Offering], included: Collection[int]) -> tuple[Any, ...]:
    """The place of a match among those of one id, the lowest first."""
    offering = standing[match.offering]
    return (
        offering.pk in included,
        offering.status == Offering.Status.UNPRICED,
        match.quality == _DROPPED,
        offering.listing != "",
        match.quality,
        offering.kind != Offering.Kind.API,
        offering.pk,
    )


def _several(matches: Mapping[Pair, Sequence[_Match]], standing: Mapping[int, Offering]) -> Iterator[set[int]]:
    """The offerings of each id that means more than one: only there has one to be chosen."""
    for each in matches.values():
        offerings = {standing[match.offering].pk for match in each if match.offering in standing}
        if len(offerings) > 1:
            yield offerings


def _included(offering_ids: Collection[int]) -> set[int]:
    """Those of some offerings for all of which a plan pays: what a coding plan includes."""
    if not offering_ids:
        return set()
    believed = Price.objects.filter(line__offering__in=offering_ids, known_until=None).order_by()
    meanings: dict[int, set[str]] = {}
    for offering, zero_means in believed.values_list("line__offering_id", "zero_means").distinct():
        meanings.setdefault(offering, set()).add(zero_means)
    return {offering for offering, meant in meanings.items() if meant == {_INCLUDED}}


def _by_own_id(pairs: Collection[Pair]) -> dict[Pair, list[_Match]]:
    keys = {pair: identity_key(pair[1])[:_LONGEST] for pair in pairs}
    named = Q(external_id__in={model for _, model in pairs}) | Q(identity_key__in=set(keys.values()))
    rows = Offering.objects.filter(named, seller__slug__in={seller for seller, _ in pairs})
    by_key: dict[Pair, list[tuple[int, str]]] = {}
    for offering, seller, external_id, key in rows.order_by().values_list(
        "id", "seller__slug", "external_id", "identity_key"
    ):
        for known in {key, identity_key(external_id)}:
            by_key.setdefault((seller, known), []).append((offering, external_id))
    return {
        pair: [
            _Match(offering, _OWN_ID if external_id == pair[1] else _SPELT_OTHERWISE, None)
            for offering, external_id in by_key[pair[0], key]
        ]
        for pair, key in keys.items()
        if (pair[0], key) in by_key
    }


def _by_reference(pairs: Collection[Pair], column: str) -> Iterator[tuple[Pair, int, _Match]]:
    """By the ids that sources give, each with its reference; ``column`` is what the seller's name is compared with."""
    asked = set(pairs)
    rows = Reference.objects.filter(
        Q((f"{column}__in", {seller for seller, _ in pairs})), external_id__in={model for _, model in pairs}
    )
    columns = ("id", "offering_id", column, "offering__identity_key", "external_id", "absent_since")
    for reference, offering, seller, key, external_id, absent_since in rows.order_by().values_list(*columns):
        if (seller, external_id) in asked:
            fixes = reference if identity_key(external_id) != key else None
            yield (
                (seller, external_id),
                reference,
                _Match(offering, _REFERENCE if absent_since is None else _DROPPED, fixes),
            )


def _standing(offering_ids: Collection[int], past: Past = TODAY) -> dict[int, Offering]:
    """For each offering the one that stands for it: itself, or what it was merged into."""
    columns = ("id", "status", "listing", "kind", "merged_into", "external_id", "seller__slug")
    rows = Offering.objects.select_related("seller").only(*columns)
    known: dict[int, Offering] = {}
    missing = set(offering_ids)
    # Each round follows one more merge; a chain is as long as people made it, and never leads back.
    while missing:
        known.update({row.pk: row for row in rows.filter(pk__in=missing)})
        after = (past.merged_into.get(pk, row.merged_into_id) for pk, row in known.items())
        missing = {pk for pk in after if pk is not None} - known.keys()
    return {pk: _followed(known, pk, past) for pk in offering_ids if pk in known}


def _followed(known: Mapping[int, Offering], pk: int, past: Past) -> Offering:
    seen: set[int] = set()
    following: int | None = pk
    while following is not None and following not in seen:
        seen.add(following)
        offering = known[following]
        following = past.merged_into.get(following, offering.merged_into_id)
    return offering


def _fixed_terms(reference_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The terms that all lines of a reference share and that are not the plain ones."""
    rows = Statement.objects.filter(reference__in=reference_ids).exclude(EMPTIED).order_by().distinct()
    said: dict[int, list[tuple[str, ...]]] = {}
    for reference, *terms in rows.values_list("reference_id", *(f"line__{term}" for term in TERMS)):
        said.setdefault(reference, []).append(tuple(terms))
    fixed: dict[int, dict[str, str]] = {}
    for reference, lines in said.items():
        shared = {term: {line[place] for line in lines} for place, term in enumerate(TERMS)}
        fixed[reference] = {
            term: next(iter(values))
            for term, values in shared.items()
            if len(values) == 1 and values != {_PLAIN.get(term, "")}
        }
    return fixed


def _targets(aliases: Collection[Alias]) -> dict[int, Offering]:
    """The offering that each alias leads to: its target, or what its seller sells of the target model."""
    direct = {alias.pk: alias.target_offering_id for alias in aliases if alias.target_offering_id is not None}
    standing = _standing(set(direct.values()))
    found = {alias: standing[offering] for alias, offering in direct.items() if offering in standing}
    by_model = [alias for alias in aliases if alias.target_offering_id is None]
    sold: dict[tuple[int, int | None], list[Offering]] = {}
    if by_model:
        rows = Offering.objects.filter(model__in={alias.target_model_id for alias in by_model}, merged_into=None)
        for row in rows:
            sold.setdefault((row.seller_id, row.model_id), []).append(row)
    each = {row.pk: row for rows in sold.values() for row in rows}
    included = _included(each)
    for alias in by_model:
        # An id may be linked to the very model that it leads to: it does not lead to itself.
        offerings = [o for o in sold.get((alias.seller_id, alias.target_model_id), ()) if o.pk != alias.offering_id]
        if offerings:
            found[alias.pk] = min(offerings, key=lambda row: _rank(_Match(row.pk, _OWN_ID, None), each, included))
    return found


def _route(alias: Alias, target: Offering | None) -> Route:
    return Route(
        id=alias.pk,
        offering=alias.offering_id,
        seller=alias.seller.slug,
        external_id=alias.external_id,
        target=target.pk if target else None,
        target_id=target.external_id if target else None,
        target_model=alias.target_model.slug if alias.target_model else None,
        effective_from=alias.effective_from,
        effective_until=alias.effective_until,
        precision=alias.precision,
        observed_after=alias.observed_after,
        known_from=alias.known_from,
        known_until=alias.known_until,
        recorded_at=alias.recorded_at,
        source=alias.source.slug,
        citation_url=alias.citation_url,
    )


def _batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    ordered = sorted(pairs)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
