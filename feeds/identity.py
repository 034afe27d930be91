"""Which offering a source means by an id: references are found or made, and models linked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from feeds.checking import LONGEST_ID, cleaned, legible, refusal
from feeds.facts import fill_in
from feeds.lacking import NOTHING, Covers, Lacking, nothing_covered
from feeds.models_behind import link_later, link_models
from feeds.parting import side_by_side
from feeds.registry import KnownFeed, known_feed
from feeds.renames import Come, Gone, renames
from feeds.routing import told_routes
from feeds.sellers import Seller, Sellers
from feeds.taken_rows import GoesOn, GoingOn
from pricing.bulk import among, save_new
from pricing.claims import Claim, ParsedDocument, ParsedOffering, Rejection
from pricing.identity import identity_key
from pricing.ledger import Reading, Told, ToldRoute, joins_absorbed, part
from pricing.models import Offering, Reference, Source

BATCH = 500
SHOWN_ID = 100
ReferenceKey = tuple[str, str]
OfferingKey = tuple[int, str, str, str]


@dataclass(slots=True)
class Identified:
    """A document whose ids are offerings: ready for the ledger, and what was made on the way.

    ``unreadable`` are the references whose rows were rejected: they are there, and say nothing new. ``going_on`` are
    those of which the document says what it said: they were neither read nor looked up. ``keys`` has the ids of the
    references that are told of.
    """

    told: list[Told] = field(default_factory=list)
    routes: list[ToldRoute] = field(default_factory=list)
    offerings: dict[ReferenceKey, Offering] = field(default_factory=dict)
    keys: dict[int, ReferenceKey] = field(default_factory=dict)
    new_offerings: int = 0
    new_references: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    unreadable: set[int] = field(default_factory=set)
    zeros_unknown: int = 0
    going_on: Mapping[int, GoesOn] = field(default_factory=dict)


class Identity:
    """Finds the offerings of one document of one source."""

    def __init__(
        self,
        source: Source,
        known: KnownFeed,
        observed_at: datetime,
        *,
        keep_presence: bool = True,
        sellers: Sellers | None = None,
        reading: Reading | None = None,
    ) -> None:
        self._reading = reading
        self._keep_presence = keep_presence
        self._source = source
        self._known = known
        self._observed_at = observed_at
        self._sellers = sellers or Sellers(source)
        self._references: dict[ReferenceKey, Reference] = {}

    def identify(
        self, parsed: ParsedDocument, going_on: GoingOn | None = None, covers: Covers = nothing_covered
    ) -> Identified:
        """Map every row to an offering, making what is missing, and drop zeros that say nothing.

        What goes on is part of the document, and is not among the parsed rows. What the document lacks and ``covers``
        names is not gone: no new id continues it.
        """
        going_on = going_on or GoingOn()
        found = Identified(rejected=list(parsed.set_aside), going_on=going_on.references)
        found.zeros_unknown = going_on.zeros_unknown
        rejected = {(r.provider, r.model) for r in parsed.rejected}
        rows = self._acceptable(parsed.offerings, found, rejected)
        named = {model for _, model in rejected} | {row.model for row in rows}
        self._references = self._load_references(going_on.references, named)
        unread = rejected - {(row.provider, row.model) for row in rows}
        found.unreadable = {self._references[key].pk for key in unread if key in self._references}
        if self._keep_presence and self._reading is not None:
            self._part(rows, self._reading)
        present = {(row.provider, row.model) for row in rows} | rejected
        covered = self._make_offerings(rows, present, found, covers)
        found.unreadable |= covered
        if self._keep_presence:
            self._mark_presence(present, covered)
            fill_in([(row, self._references[row.provider, row.model].offering) for row in rows])
        for row in rows:
            seller = self._sellers.find(row.provider, row.provider_name)
            found.told.append(self._tell(row, seller, found))
        found.routes = told_routes(rows, self._references, self._sellers, self._known)
        return found

    def _acceptable(
        self, parsed: Iterable[ParsedOffering], found: Identified, rejected: set[ReferenceKey]
    ) -> list[ParsedOffering]:
        rows: dict[ReferenceKey, ParsedOffering] = {}
        for row in parsed:
            key = row.provider, row.model
            reason = refusal(row)
            if reason is None and key not in rows:
                rows[key] = cleaned(row)
                continue
            if reason is not None:
                rejected.add(key)
            reason = reason or "the id stands twice in the document; the first is taken"
            shown = legible(row.provider)[:SHOWN_ID], legible(row.model)[:SHOWN_ID]
            found.rejected.append(Rejection(*shown, reason))
        return list(rows.values())

    def _load_references(self, going_on: Collection[int], named: Collection[str]) -> dict[ReferenceKey, Reference]:
        """The source's references; where some go on, of the others those that the document names or now lacks."""
        rows = Reference.objects.filter(source=self._source).select_related("offering__seller")
        if not going_on:
            return {(row.provider, row.external_id): row for row in rows}
        named_until_now = set(rows.filter(absent_since=None).order_by().values_list("pk", flat=True))
        found = list(rows.filter(pk__in=among(named_until_now - set(going_on))))
        models = sorted(named)
        for start in range(0, len(models), BATCH):
            found += rows.filter(external_id__in=models[start : start + BATCH])
        return {(row.provider, row.external_id): row for row in found if row.pk not in going_on}

    def _part(self, rows: Sequence[ParsedOffering], reading: Reading) -> None:
        """Give ids that were wrongly taken for new names of others an offering of their own."""
        by_key = {(row.provider, row.model): row for row in rows}
        stated = {key: self._claims(row) for key, row in by_key.items()}
        for parted in side_by_side(self._source, stated, self._references, self._known.offering_id):
            row, offering = by_key[parted.key], self._references[parted.key].offering
            into, is_made = self._offering_of_its_own(row)
            if into.pk == offering.pk or offering.merged_into_id is not None:
                continue
            part(offering, parted.references, into, reading, made=is_made)
            for moved in parted.references:
                self._references[moved.provider, moved.external_id].offering = into

    def _offering_of_its_own(self, row: ParsedOffering) -> tuple[Offering, bool]:
        """The offering that a row's id names by itself, and whether it had to be made."""
        key = self._offering_key(row)
        fields = dict(zip(("seller_id", "kind", "listing", "identity_key"), key, strict=True))
        found = Offering.objects.filter(**fields).select_related("seller").first()
        if found is not None:
            return found.standing, False
        made = self._new_offering(row, key)
        models = link_models([(made, row.facts)], self._sellers)
        save_new([made])
        if models:
            link_later(models, self._sellers)
        return made, True

    def _make_offerings(
        self, rows: Sequence[ParsedOffering], present: set[ReferenceKey], found: Identified, covers: Covers
    ) -> frozenset[int]:
        """Give a reference to every row that has none, on an offering that exists or is made now.

        Returns the references that the document lacks and that are not believed to be gone.
        """
        unmet = [row for row in rows if (row.provider, row.model) not in self._references]
        keys = {(row.provider, row.model): self._offering_key(row) for row in unmet}
        offerings = self._load_offerings({key[0] for key in keys.values()}) if unmet else {}
        continued = self._renamed(unmet, keys, offerings, present)
        covered = covers(self._lacking(present, found, keys, offerings, continued)) if self._keep_presence else NOTHING
        continued = {key: old for key, old in continued.items() if old.pk not in covered}
        if unmet:
            offerings = {keys[key]: old.offering for key, old in continued.items()} | offerings
            self._make(unmet, keys, offerings, continued, found)
        return covered

    def _lacking(
        self,
        present: set[ReferenceKey],
        found: Identified,
        keys: Mapping[ReferenceKey, OfferingKey],
        offerings: Mapping[OfferingKey, Offering],
        continued: Mapping[ReferenceKey, Reference],
    ) -> Lacking:
        return Lacking(
            self._gone(present),
            {row.pk: _standing(row) for key, row in self._references.items() if key in present},
            found.going_on,
            frozenset(offerings[key].standing.pk for key in keys.values() if key in offerings),
            frozenset(_standing(old) for old in continued.values()),
        )

    def _gone(self, present: set[ReferenceKey]) -> list[Reference]:
        """What the source's last document named and this one does not."""
        return [row for key, row in self._references.items() if row.absent_since is None and key not in present]

    def _make(
        self,
        unmet: Sequence[ParsedOffering],
        keys: Mapping[ReferenceKey, OfferingKey],
        offerings: dict[OfferingKey, Offering],
        continued: Mapping[ReferenceKey, Reference],
        found: Identified,
    ) -> None:
        made: dict[OfferingKey, Offering] = {}
        for row in unmet:
            key = keys[row.provider, row.model]
            if key not in offerings and key not in made:
                made[key] = self._new_offering(row, key)
        facts = {keys[row.provider, row.model]: row.facts for row in unmet}
        models = link_models([(made[key], facts[key]) for key in made], self._sellers)
        save_new(list(made.values()))
        if models:
            link_later(models, self._sellers)
        offerings.update(made)
        references = [self._new_reference(row, offerings[keys[row.provider, row.model]], continued) for row in unmet]
        save_new(references)
        joins_absorbed([(r, o) for r in references if (o := offerings[keys[r.provider, r.external_id]]).merged_into])
        self._references.update({(r.provider, r.external_id): r for r in references})
        found.new_offerings, found.new_references = len(made), len(references)

    def _load_offerings(self, seller_ids: set[int]) -> dict[OfferingKey, Offering]:
        """The sellers' offerings by their key, and by the keys of ids that they were renamed to."""
        rows = Offering.objects.filter(seller_id__in=seller_ids).select_related("seller", "merged_into__merged_into")
        found = {(row.seller_id, row.kind, row.listing, row.identity_key): row for row in rows}
        renamed = Reference.objects.filter(offering__seller__in=seller_ids, continues__isnull=False)
        for reference in renamed.select_related("offering__seller", "source"):
            offering = reference.offering
            own_id = known_feed(reference.source.slug).offering_id(reference.provider, reference.external_id)
            key = identity_key(own_id)[:LONGEST_ID]
            found.setdefault((offering.seller_id, offering.kind, offering.listing, key), offering)
        return found

    def _renamed(
        self,
        unmet: Sequence[ParsedOffering],
        keys: Mapping[ReferenceKey, OfferingKey],
        offerings: Mapping[OfferingKey, Offering],
        present: set[ReferenceKey],
    ) -> dict[ReferenceKey, Reference]:
        """Which references that the newest document lacks go on under a new id.

        An id that another offering has already is no new name of this one.
        """
        gone = self._gone(present)
        if not self._keep_presence or not gone or not unmet:
            return {}
        found = renames(
            [Come((row.provider, row.model), *self._place_and_id(row), self._claims(row)) for row in unmet],
            [Gone(r, self._known.offering_id(r.provider, r.external_id)) for r in gone],
        )
        known = dict(offerings)
        return {
            key: reference
            for key, reference in found.items()
            if known.setdefault(keys[key], reference.offering).standing.pk == reference.offering_id
        }

    def _place_and_id(self, row: ParsedOffering) -> tuple[tuple[int, str, str], str]:
        seller = self._sellers.find(row.provider, row.provider_name)
        return (seller.company.pk, _kind(row), seller.listing), self._known.offering_id(row.provider, row.model)

    def _claims(self, row: ParsedOffering) -> tuple[Claim, ...]:
        """What a row says of prices: its zeros, too, where they say something."""
        seller = self._sellers.find(row.provider, row.provider_name)
        unknown = seller.zero_means(row.model) == "unknown"
        return tuple(claim for claim in row.claims if claim.amount) if unknown else row.claims

    def _offering_key(self, row: ParsedOffering) -> OfferingKey:
        seller = self._sellers.find(row.provider, row.provider_name)
        own_id = self._known.offering_id(row.provider, row.model)
        return (seller.company.pk, _kind(row), seller.listing, identity_key(own_id)[:LONGEST_ID])

    def _new_offering(self, row: ParsedOffering, key: OfferingKey) -> Offering:
        seller = self._sellers.find(row.provider, row.provider_name)
        own_id = self._known.offering_id(row.provider, row.model)
        return Offering(
            kind=key[1],
            seller=seller.company,
            listing=seller.listing,
            external_id=own_id,
            identity_key=key[3],
            name=_name(row, own_id, seller)[:500],
            mode=row.facts.mode[:60],
            context_tokens=row.facts.context_tokens,
            deprecated_on=row.facts.deprecated_on,
            retired_on=row.facts.retired_on,
        )

    def _new_reference(
        self, row: ParsedOffering, offering: Offering, continued: Mapping[ReferenceKey, Reference]
    ) -> Reference:
        return Reference(
            source=self._source,
            provider=row.provider,
            external_id=row.model,
            offering=offering.standing,
            first_seen_at=self._observed_at,
            continues=continued.get((row.provider, row.model)),
        )

    def _mark_presence(self, present: set[ReferenceKey], covered: frozenset[int]) -> None:
        """Note which references the newest document lacks, if that is believed, and which are back."""
        gone = [row.pk for row in self._gone(present) if row.pk not in covered]
        back = [r.pk for key, r in self._references.items() if r.absent_since is not None and key in present]
        for ids, since in ((gone, self._observed_at), (back, None)):
            for start in range(0, len(ids), BATCH):
                Reference.objects.filter(pk__in=ids[start : start + BATCH]).update(absent_since=since)

    def _tell(self, row: ParsedOffering, seller: Seller, found: Identified) -> Told:
        reference = self._references[row.provider, row.model]
        zero_means, claims = seller.zero_means(row.model), self._claims(row)
        found.zeros_unknown += len(row.claims) - len(claims)
        found.offerings[row.provider, row.model] = reference.offering
        found.keys[reference.pk] = (row.provider, row.model)
        told_zero = "" if zero_means == "unknown" else zero_means
        return Told(reference.pk, _standing(reference), claims, told_zero, row.slots)


def _standing(reference: Reference) -> int:
    return reference.offering.merged_into_id or reference.offering_id


def _kind(row: ParsedOffering) -> str:
    return Offering.Kind.PLAN if row.facts.mode == "plan" else Offering.Kind.API


def _name(row: ParsedOffering, own_id: str, seller: Seller) -> str:
    name = row.facts.name or own_id
    return f"{name} ({seller.listing})" if seller.listing else name
