"""Reading the evidence of offerings and what is believed of them, in the core's own values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pricing.bulk import among, read
from pricing.claims import Conditions, Tariff
from pricing.continuations import Continuations
from pricing.derived import Derivation, follow
from pricing.models import (
    Decision,
    Observation,
    Offering,
    Price,
    PriceLine,
    Reference,
    Source,
    SourcePrecedence,
    Statement,
)
from pricing.resolution import Resolution, Ruled, resolution_of
from pricing.scruples import Held, Words, words_of
from pricing.timeline import Said, Segment, Witness

FEED_PATIENCE = 3
FEED_GRACE = timedelta(hours=48)
TariffKey = tuple[int, Tariff]

LINE_COLUMNS = (
    "meter",
    "service_tier",
    "region",
    "variant",
    "commitment",
    "above_input_tokens",
    "slot",
    "layer",
)


@dataclass(slots=True)
class Readings:
    """The sources with their readings and precedence, read once for one cause."""

    sources: dict[int, Source] = field(default_factory=dict)
    observations: dict[int, list[datetime]] = field(default_factory=dict)
    overrides: dict[tuple[int, int], int] = field(default_factory=dict)
    _witnesses: dict[tuple[int, int], Witness] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Readings:
        """All sources; their readings follow when they are needed."""
        rows = SourcePrecedence.objects.values_list("source_id", "seller_id", "precedence")
        return cls(
            sources={source.pk: source for source in Source.objects.all()},
            overrides={(source, seller): precedence for source, seller, precedence in rows},
        )

    def witness(self, source_id: int, seller_id: int) -> Witness:
        """How to read a source about what a seller offers."""
        known = self._witnesses.get((source_id, seller_id))
        if known is None:
            known = self._witnesses[source_id, seller_id] = self._witness(source_id, seller_id)
        return known

    def _witness(self, source_id: int, seller_id: int) -> Witness:
        source = self.sources[source_id]
        is_feed = source.kind == Source.Kind.FEED
        return Witness(
            source=source_id,
            rank=self.overrides.get((source_id, seller_id), source.precedence),
            observations=self.moments(source_id) if is_feed else (),
            patience=FEED_PATIENCE if is_feed else 0,
            grace=FEED_GRACE,
            is_person=source.kind == Source.Kind.EDITOR,
        )

    def moments(self, source_id: int) -> Sequence[datetime]:
        """When a source was read, in order."""
        if source_id not in self.observations:
            rows = Observation.objects.filter(source_id=source_id).order_by("observed_at")
            self.observations[source_id] = list(rows.values_list("observed_at", flat=True))
        return self.observations[source_id]


@dataclass(slots=True)
class Sheet:
    """One offering: its lines, what was said and ruled of them, and the rows believed."""

    offering: int
    seller: int
    name: str
    lines: dict[Conditions, int] = field(default_factory=dict)
    said: dict[Tariff, list[Said]] = field(default_factory=dict)
    ruled: dict[Tariff, list[Ruled]] = field(default_factory=dict)
    withdrawn: list[Ruled] = field(default_factory=list)
    released: dict[Words, bool] = field(default_factory=dict)
    resolutions: dict[Tariff, Resolution] = field(default_factory=dict)
    believed: dict[Conditions, list[Segment]] = field(default_factory=dict)
    rows: dict[Conditions, list[int]] = field(default_factory=dict)
    derivations: dict[int, Derivation] = field(default_factory=dict)
    kin: set[tuple[Tariff, Tariff]] = field(default_factory=set)

    def resolved(
        self, tariffs: Iterable[Tariff], readings: Readings, specificity: dict[int, tuple[int, int, str]]
    ) -> dict[Conditions, list[Segment]]:
        """The believed history with some of the tariffs resolved afresh, and those that hang together with them."""
        chosen = self._with_kin(tariffs)
        history = {line: rows for line, rows in self.believed.items() if line.tariff not in chosen}
        for tariff in chosen:
            said = self.said.get(tariff, [])
            ruled = [*self.withdrawn, *self.ruled.get(tariff, [])]
            witnesses = {source: readings.witness(source, self.seller) for source in {s.source for s in said}}
            if said or ruled:
                resolution = resolution_of(said, ruled, witnesses, specificity, self.released)
                self.resolutions[tariff] = resolution
                history.update(resolution.history)
        return follow(history, self.derivations) if self.derivations else history

    def _with_kin(self, tariffs: Iterable[Tariff]) -> set[Tariff]:
        """The tariffs, those that they are derived from, and those derived from them."""
        chosen = set(tariffs)
        while found := {t for pair in self.kin if not chosen.isdisjoint(pair) for t in pair} - chosen:
            chosen |= found
        return chosen

    def has_refused(self, held: Held) -> bool:
        """Whether a person refused what is held: it waits for nobody any more."""
        runs = self.said.get(held.line.tariff, ())
        return any(run.statement == held.statement and self.released.get(words_of(run)) is False for run in runs)

    def read_until(self, readings: Readings, moment: datetime) -> datetime:
        """The newest moment that a source of this sheet was read at: what lies beyond it is still to come."""
        sources = {s.source for said in self.said.values() for s in said}
        latest = [observed[-1] for source in sources if (observed := readings.moments(source))]
        return max([moment, *latest])


def load_sheets(offering_ids: Collection[int]) -> tuple[dict[int, Sheet], dict[int, tuple[int, int, str]]]:
    """The sheets of some offerings, and how specific the references on them are."""
    sheets, conditions = _load_cells(offering_ids)
    continuations = Continuations.load(offering_ids)
    _load_statements(offering_ids, sheets, conditions, continuations)
    _load_decisions(offering_ids, sheets, conditions, continuations)
    _load_believed(offering_ids, sheets, conditions)
    return sheets, specificity_of(offering_ids)


def load_believed_sheets(offering_ids: Collection[int]) -> dict[int, Sheet]:
    """The sheets of some offerings with the rows believed, and without their evidence."""
    sheets, conditions = _load_cells(offering_ids)
    _load_believed(offering_ids, sheets, conditions)
    return sheets


def _load_cells(offering_ids: Collection[int]) -> tuple[dict[int, Sheet], dict[int, tuple[int, Conditions]]]:
    sheets = {pk: Sheet(pk, seller_id, name) for pk, seller_id, name in _sellers_and_names(offering_ids)}
    return sheets, _load_lines(offering_ids, sheets)


def offering_names(offering_ids: Collection[int]) -> dict[int, str]:
    """How headlines name offerings: what another company than the developer sells is sold at somebody's."""
    return {pk: name for pk, _, name in _sellers_and_names(offering_ids)}


def _sellers_and_names(offering_ids: Collection[int]) -> Iterator[tuple[int, int, str]]:
    rows = Offering.objects.filter(pk__in=among(offering_ids)).values_list(
        "pk", "seller_id", "name", "seller__name", "kind", "model__developer_id"
    )
    for pk, seller_id, name, seller, kind, developer_id in rows:
        is_own = kind == Offering.Kind.PLAN or developer_id == seller_id
        yield pk, seller_id, name if is_own else f"{name} at {seller}"


@lru_cache(maxsize=8192)
def conditions_of(*columns: Any) -> Conditions:
    """The values of ``LINE_COLUMNS`` as conditions: some hundred of them stand on many thousand lines."""
    return Conditions(*columns)


def _load_lines(offering_ids: Collection[int], sheets: dict[int, Sheet]) -> dict[int, tuple[int, Conditions]]:
    conditions = {}
    rows = PriceLine.objects.filter(offering_id__in=among(offering_ids)).values_list("pk", "offering_id", *LINE_COLUMNS)
    for pk, offering_id, *columns in rows:
        line = conditions_of(*columns)
        conditions[pk] = (offering_id, line)
        sheets[offering_id].lines[line] = pk
    return conditions


def taken_back(offering_ids: Collection[int] | None = None) -> set[int]:
    """The statements, of some offerings or of all, that editors took back.

    They stay on record and take no part in resolution, as if they had never been said.
    """
    undoings = Decision.objects.filter(kind=Decision.Kind.UNDO)
    if offering_ids is not None:
        undoings = undoings.filter(line__offering_id__in=among(offering_ids))
    return {details["statement"] for details in undoings.values_list("details", flat=True) if "statement" in details}


def _load_statements(
    offering_ids: Collection[int],
    sheets: dict[int, Sheet],
    conditions: dict[int, tuple[int, Conditions]],
    continuations: Continuations,
) -> None:
    unsaid = taken_back(offering_ids)
    rows = Statement.objects.filter(line__offering_id__in=among(offering_ids)).values_list(
        "pk",
        "source_id",
        "reference_id",
        "line_id",
        "amount",
        "currency",
        "zero_means",
        "effective_from",
        "effective_until",
        "precision",
        "first_observed_at",
        "absent_before",
        "ended_at",
        "derived_from_id",
        "factor",
        "ended_by_refresh_id",
    )
    for (
        pk,
        source,
        reference,
        line_id,
        amount,
        currency,
        zero,
        start,
        end,
        precision,
        first,
        before,
        ended,
        base,
        factor,
        ended_by,
    ) in read(rows):
        # A run that ends where it begins was emptied when its reading was told anew: no reading holds it.
        if pk in unsaid or (ended == first and ended_by is not None):
            continue
        offering_id, line = conditions[line_id]
        value = (amount, currency, zero)
        speaker = continuations.speaker(reference, first)
        said = Said(pk, source, speaker, line, value, start, end, precision, first, before, ended)
        sheet = sheets[offering_id]
        sheet.said.setdefault(line.tariff, []).append(said)
        if base is not None and factor is not None:
            derivation = sheet.derivations[pk] = Derivation(conditions[base][1], factor)
            sheet.kin.add((line.tariff, derivation.base.tariff))


def _load_decisions(
    offering_ids: Collection[int],
    sheets: dict[int, Sheet],
    conditions: dict[int, tuple[int, Conditions]],
    continuations: Continuations,
) -> None:
    standing = Decision.objects.filter(
        offering_id__in=among(offering_ids),
        kind__in=[Decision.Kind.PIN, Decision.Kind.WITHDRAW, Decision.Kind.RELEASE, Decision.Kind.REFUSE],
        undone_by__isnull=True,
    )
    for decision in standing.order_by("pk"):
        assert decision.offering_id is not None
        if decision.kind in (Decision.Kind.RELEASE, Decision.Kind.REFUSE):
            for words in _released(decision, conditions, continuations):
                sheets[decision.offering_id].released[words] = decision.kind == Decision.Kind.RELEASE
            continue
        ruling = _ruling(decision, conditions)
        sheet = sheets[decision.offering_id]
        if ruling.line is None:
            sheet.withdrawn.append(ruling)
        else:
            sheet.ruled.setdefault(ruling.line.tariff, []).append(ruling)


def _released(
    decision: Decision, conditions: dict[int, tuple[int, Conditions]], continuations: Continuations
) -> list[Words]:
    """What a person released or refused: a source's words, whichever runs and under whichever of its ids say them."""
    assert decision.line_id is not None and decision.amount is not None
    source, line = decision.details["source"], conditions[decision.line_id][1]
    speakers = continuations.speakers(decision.details["reference"])
    return [(source, speaker, line, decision.amount, decision.currency) for speaker in speakers]


def _ruling(decision: Decision, conditions: dict[int, tuple[int, Conditions]]) -> Ruled:
    is_pin = decision.kind == Decision.Kind.PIN
    value = None
    if is_pin and decision.amount is not None:
        zero_means = "" if decision.amount else decision.details.get("zero_means", "free")
        value = (decision.amount, decision.currency, zero_means)
    return Ruled(
        decision=decision.pk,
        kind=decision.kind,
        line=conditions[decision.line_id][1] if decision.line_id else None,
        value=value,
        effective_from=decision.effective_from or decision.made_at,
        effective_until=decision.effective_until,
        precision=decision.precision,
    )


def _load_believed(
    offering_ids: Collection[int], sheets: dict[int, Sheet], conditions: dict[int, tuple[int, Conditions]]
) -> None:
    rows = (
        Price.objects.filter(line__offering_id__in=among(offering_ids), known_until__isnull=True)
        .order_by("line_id", "effective_from")
        .values_list(
            "pk",
            "line_id",
            "effective_from",
            "effective_until",
            "amount",
            "currency",
            "zero_means",
            "precision",
            "observed_after",
            "source_id",
            "statement_id",
            "dated_by_id",
        )
    )
    withdrawn_at = withdrawals(offering_ids)
    for (
        pk,
        line_id,
        start,
        end,
        amount,
        currency,
        zero,
        precision,
        after,
        source,
        statement,
        dated_by,
    ) in read(rows):
        offering_id, line = conditions[line_id]
        ruled_out = (offering_id, end) in withdrawn_at
        value = (amount, currency, zero)
        segment = Segment(
            start, end, value, precision, after, source, None, statement, dated_by=dated_by, ruled_out=ruled_out
        )
        sheets[offering_id].believed.setdefault(line, []).append(segment)
        sheets[offering_id].rows.setdefault(line, []).append(pk)


def withdrawals(offering_ids: Collection[int]) -> set[tuple[int | None, datetime | None]]:
    """The moments at which people ruled that offerings are sold no more, those undone included."""
    made = Decision.objects.filter(offering_id__in=among(offering_ids), kind=Decision.Kind.WITHDRAW)
    return set(made.values_list("offering_id", "effective_from"))


def specificity_of(offering_ids: Collection[int]) -> dict[int, tuple[int, int, str]]:
    """How specific each reference is, the largest most.

    The provider makes the order total where a source sells one id under two of them.
    """
    rows = Reference.objects.filter(offering_id__in=among(offering_ids)).values_list("pk", "provider", "external_id")
    return {pk: (text.count("/"), len(text), f"{text} {provider}") for pk, provider, text in rows}
