"""Random lives of a few offerings: feeds are read, time passes, and people do everything that the ledger lets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from companies.models import Company
from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.clock import follow_the_clock
from pricing.models import Decision, Hold, Offering, Reference, Source, Statement
from tests.pricing import what_operations_mean as meaning
from tests.pricing.naive_rulings import History, believed_with_rulings, claim_of, editors_words, standing
from tests.pricing.what_operations_mean import Before, Expected
from tests.pricing.worlds import LONG, ORIGIN, PEAK, PLAIN, PROMO, REST, Speaker, reading_moments, short, tell

SOMEONE = ledger.Ruling(by=None, note="because")
OUTPUT = "output_tokens"
STORIES = ((0, "input_tokens"), (0, OUTPUT), (1, "input_tokens"))
AMOUNTS = ("1", "2", "3", "0", "0.5", "30")
KINDS = (
    *("state", "state_together", "announce", "announce", "announce", "reschedule", "reschedule", "retract", "retract"),
    *("correct", "promote", "promote", "extend", "end", "make_permanent", "pin", "withdraw", "relist"),
    *("release", "refuse", "retire", "undo", "undo", "undo"),
)
_serial = count(1)
Event = tuple[datetime, int, str, int, datetime]


@dataclass
class Operation:
    """One operation of a person: what was asked, how to do it, and what should come of it, where that is simple."""

    name: str
    arguments: str
    offering: Offering
    run: Callable[[], object]
    expected: Expected | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.offering.name}: {self.arguments}"


@dataclass
class Life:
    """Feeds, what they are going to read, and what of it was read."""

    chance: Random
    offerings: list[Offering]
    sources: list[Source]
    plans: dict[tuple[int, int, str], Speaker]
    references: dict[tuple[int, int, str], int]
    now: datetime = ORIGIN
    taken: dict[int, list[datetime]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    before_last: dict[int, tuple[set[int], History]] = field(default_factory=dict)
    known: dict[int, History] = field(default_factory=dict)

    def heard(self, offering: int) -> list[Speaker]:
        """Each feed with what was read of it, about one offering."""
        found = []
        for place, source in enumerate(self.sources):
            mine = [plan for (feed, about, _), plan in self.plans.items() if (feed, about) == (place, offering)]
            readings = {
                at: frozenset(q for plan in mine for q in plan.readings[at]) for at in self.taken.get(place, [])
            }
            found.append(Speaker(source.slug, source.precedence, True, "free", readings))
        return found

    def believed(self, offering: Offering) -> History:
        """What should be believed of an offering now, from scratch; kept until something is written."""
        if offering.pk not in self.known:
            self.known[offering.pk] = believed_with_rulings(self.heard(self.offerings.index(offering)), offering)
        return self.known[offering.pk]

    def before(self, offering: Offering) -> Before:
        words = [claim_of(word) for word in editors_words(offering) if word.ended_at is None]
        return Before(self.believed(offering), words, self.now)

    def read(self, place: int, at: datetime) -> None:
        """Take a reading of a feed; late ones are backfilled, and a document that stayed as it was is read again."""
        taken = self.taken.setdefault(place, [])
        late = any(other > at for other in taken)
        same = bool(taken) and not late and self._document(place, at) == self._document(place, max(taken))
        reading = ledger.Reading(self.sources[place], at, f"{place} {at}", backfilled=late)
        self.log.append(f"{short(self.now)}: read {place} at {short(at)}{' late' if late else ''}")
        if same and self.chance.random() < 0.8:
            ledger.observe_again(reading)
        else:
            ledger.observe(reading, self._told(place, at))
        taken.append(at)
        self.before_last.clear()

    def _document(self, place: int, at: datetime) -> list[object]:
        return [plan.readings[at] for (feed, _, _), plan in sorted(self.plans.items()) if feed == place]

    def _told(self, place: int, at: datetime) -> list[ledger.Told]:
        told = []
        for (feed, about, external_id), reference in sorted(self.references.items()):
            if feed == place:
                plans = [plan for (f, o, _), plan in sorted(self.plans.items()) if (f, o) == (feed, about)]
                said = [q.claim for plan in plans for q in plan.readings[at] if q.external_id == external_id]
                if said:
                    told.append(ledger.Told(reference, self.offerings[about].pk, said))
        return told

    def operation(self) -> Operation:
        """Somebody does something, sensible or not."""
        offering = self.chance.choice(self.offerings)
        operation = _any_operation(self, offering, self.chance.choice(KINDS))
        self.log.append(f"{short(self.now)}: {operation}")
        return operation

    def tick(self) -> None:
        self.log.append(f"{short(self.now)}: tick")
        follow_the_clock()


def begin(chance: Random) -> tuple[Life, list[Event]]:
    """A new life, and all that is going to happen in it, in the order of time: readings, ticks and operations."""
    serial = next(_serial)
    seller = Company.objects.create(slug=f"seller-{serial}", name="Seller")
    offerings = [
        Offering.objects.create(seller=seller, external_id=f"o{n}", identity_key=f"o{n}", name=f"Offering {n}")
        for n in range(2)
    ]
    ranks = chance.sample(range(10, 20), chance.randint(1, 3))
    sources = [
        Source.objects.create(slug=f"feed-{serial}-{n}", name=f"Feed {n}", kind="feed", precedence=rank)
        for n, rank in enumerate(ranks)
    ]
    moments = [reading_moments(chance) for _ in sources]
    plans = _plans(chance, sources, moments)
    references = {}
    for (place, about, _), plan in plans.items():
        for external_id in plan.ids:
            if (place, about, external_id) not in references:
                references[place, about, external_id] = Reference.objects.create(
                    source=sources[place],
                    provider="someone" if about == 0 else "someone-else",
                    external_id=external_id,
                    offering=offerings[about],
                    first_seen_at=ORIGIN,
                ).pk
    return Life(chance, offerings, sources, plans, references), _events(chance, moments)


def _plans(chance: Random, sources: list[Source], moments: list[list[datetime]]) -> dict[tuple[int, int, str], Speaker]:
    plans = {}
    for about, meter in STORIES:
        speakers = [Speaker(str(place), source.precedence, True, "free") for place, source in enumerate(sources)]
        tell(chance, speakers, moments)
        for place, speaker in enumerate(speakers):
            for one, other in zip(moments[place], moments[place][1:], strict=False):
                if chance.random() < 0.5:
                    speaker.readings[other] = speaker.readings[one]
            plans[place, about, meter] = _of_meter(speaker, meter)
    return plans


def _of_meter(speaker: Speaker, meter: str) -> Speaker:
    def renamed(line: Conditions) -> Conditions:
        return replace(line, meter=meter)

    readings = {
        at: frozenset(replace(q, claim=replace(q.claim, line=renamed(q.claim.line))) for q in said)
        for at, said in speaker.readings.items()
    }
    return replace(speaker, readings=readings)


def _events(chance: Random, moments: list[list[datetime]]) -> list[Event]:
    events: list[Event] = []
    serial = count()
    last = max(at for mine in moments for at in mine) + timedelta(days=20)
    first = min(at for mine in moments for at in mine)
    for place, mine in enumerate(moments):
        for at in mine:
            when = at if chance.random() < 0.85 else at + timedelta(days=chance.randint(1, 30))
            events.append((when, next(serial), "read", place, at))
    hours = int((last - first) / timedelta(hours=1))
    for what, times in (("tick", chance.randint(2, 5)), ("rule", chance.randint(4, 9))):
        for _ in range(times):
            when = first + timedelta(hours=chance.randint(0, hours), minutes=chance.randint(1, 50))
            events.append((when, next(serial), what, 0, when))
            if what == "rule" and chance.random() < 0.5:
                events.append((when, next(serial), "rule", 0, when))
    return sorted(events)


def _any_operation(life: Life, offering: Offering, kind: str) -> Operation:
    builder = _BUILDERS[kind]
    operation = builder(life, offering)
    if standing(offering) and kind not in ("undo",):
        operation.expected = None
    return operation


def _around(life: Life, offering: Offering, ahead: float = 0.7) -> datetime:
    """A moment near now, often one at which something is believed to turn."""
    turns = sorted(t for t in meaning.moments_of(life.believed(offering)) if t.microsecond == 0)
    to_come = [turn for turn in turns if turn > life.now]
    if to_come and life.chance.random() < 0.6:
        return life.chance.choice(to_come)
    if turns and life.chance.random() < 0.2:
        return life.chance.choice(turns)
    hours = life.chance.choice([6, 12, 24, 48, 120, 240, 480])
    day = life.now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1, hours=hours) if life.chance.random() < ahead else day - timedelta(hours=hours)


def _line(life: Life, offering: Offering) -> Conditions:
    known = sorted(life.believed(offering))
    if known and life.chance.random() < 0.7:
        return life.chance.choice(known)
    line = life.chance.choice([PLAIN, PLAIN, LONG, PEAK, REST, PROMO])
    return replace(line, meter=life.chance.choice(["input_tokens", OUTPUT]))


def _claim(life: Life, offering: Offering, ahead: float, *, dated: bool = True) -> Claim:
    chance = life.chance
    since = _around(life, offering, ahead) if dated or chance.random() < 0.6 else None
    until = None
    if chance.random() < 0.35:
        until = (since or life.now) + timedelta(hours=6 * chance.choice([1, 4, 20, 80]))
    claim = Claim(_line(life, offering), Decimal(chance.choice(AMOUNTS)), "USD", since, until, "exact")
    return replace(claim, zero_means=chance.choice(["", "", "included"])) if not claim.amount else claim


def _spoilt(chance: Random, claims: list[Claim]) -> list[Claim]:
    """Now and then something that cannot be said."""
    if chance.random() > 0.08 or not claims:
        return claims
    bad = chance.choice(["negative", "meter", "naive", "backwards", "twice", "currency", "none", "digits"])
    first, *rest = claims
    spoilt = {
        "negative": [replace(first, amount=Decimal(-1))],
        "meter": [replace(first, line=replace(first.line, meter="smiles"))],
        "naive": [replace(first, effective_from=datetime(2026, 3, 1))],  # noqa: DTZ001 - which is the point
        "backwards": [replace(first, effective_from=ORIGIN, effective_until=ORIGIN)],
        "twice": [first, first],
        "currency": [replace(first, currency="dollars")],
        "none": [],
        "digits": [replace(first, amount=Decimal("1e-30"))],
    }[bad]
    return [*spoilt, *rest] if bad != "none" else []


def _claims(life: Life, offering: Offering, ahead: float) -> list[Claim]:
    claims = [_claim(life, offering, ahead) for _ in range(life.chance.choice([1, 1, 2, 3]))]
    if life.chance.random() < 0.6:
        claims = [replace(claim, effective_from=claims[0].effective_from) for claim in claims]
        claims = [c for c in claims if not c.effective_until or c.effective_until > (c.effective_from or life.now)]
    return _spoilt(life.chance, claims)


def _told(claims: list[Claim]) -> str:
    return "; ".join(
        f"{c.line.meter[:5]} {c.line.above_input_tokens or ''}{c.line.slot}{c.line.layer}="
        f"{c.amount}{c.zero_means} [{short_or_naive(c.effective_from)}, {short_or_naive(c.effective_until)})"
        for c in claims
    )


def short_or_naive(moment: datetime | None) -> str:
    return str(moment) if moment is not None and moment.tzinfo is None else short(moment)


def _state(life: Life, offering: Offering) -> Operation:
    claims = _spoilt(life.chance, [_claim(life, offering, 0.5, dated=False)])[:1]
    keeps, later = life.chance.random() < 0.6, life.chance.random() < 0.2
    expected = meaning.said(life.before(offering), claims) if keeps and not later else None

    def run() -> object:
        if not claims:
            raise ledger.LedgerError("nothing to say")
        return ledger.state(offering, claims[0], SOMEONE, keeps_rest=keeps, replaces_later=later)

    return Operation("state", f"{_told(claims)} {keeps} {later}", offering, run, expected)


def _state_together(life: Life, offering: Offering) -> Operation:
    claims = _claims(life, offering, 0.5)
    return Operation(
        "state_together",
        _told(claims),
        offering,
        lambda: ledger.state_together(offering, claims, SOMEONE, keeps_rest=True),
        meaning.said(life.before(offering), claims),
    )


def _announce(life: Life, offering: Offering) -> Operation:
    claims = _claims(life, offering, 0.95)
    return Operation(
        "announce",
        _told(claims),
        offering,
        lambda: ledger.announce(offering, claims, SOMEONE),
        meaning.said(life.before(offering), claims),
    )


def _promote(life: Life, offering: Offering) -> Operation:
    lists = [line for line in sorted(life.believed(offering)) if line.layer == "list"] or [PLAIN]
    chosen = life.chance.sample(lists, life.chance.randint(1, min(2, len(lists))))
    until = life.now + timedelta(days=life.chance.choice([2, 10, 30]))
    claims = [
        Claim(replace(line, layer="promo"), Decimal(life.chance.choice(AMOUNTS)), "USD", None, until) for line in chosen
    ]
    return Operation(
        "promote",
        _told(claims),
        offering,
        lambda: ledger.state_together(offering, claims, SOMEONE, keeps_rest=True),
        meaning.said(life.before(offering), claims),
    )


def _correct(life: Life, offering: Offering) -> Operation:
    claims = _claims(life, offering, 0.3)
    return Operation(
        "correct",
        _told(claims),
        offering,
        lambda: ledger.correct(offering, claims, SOMEONE),
        meaning.said(life.before(offering), claims),
    )


def _reschedule(life: Life, offering: Offering) -> Operation:
    at, to = _around(life, offering), _around(life, offering, 0.95)
    return Operation(
        "reschedule",
        f"{short(at)} to {short(to)}",
        offering,
        lambda: ledger.reschedule(offering, at, to, SOMEONE),
        meaning.moved(life.before(offering), at, to),
    )


def _retract(life: Life, offering: Offering) -> Operation:
    at = _around(life, offering)
    return Operation(
        "retract",
        short(at),
        offering,
        lambda: ledger.retract(offering, at, SOMEONE),
        meaning.moved(life.before(offering), at, None),
    )


def _extend(life: Life, offering: Offering) -> Operation:
    until = _around(life, offering, 0.95)
    return Operation(
        "extend",
        short(until),
        offering,
        lambda: ledger.extend_promotion(offering, until, SOMEONE),
        meaning.extended(life.before(offering), until),
    )


def _end(life: Life, offering: Offering) -> Operation:
    at = life.chance.choice([None, _around(life, offering, 0.95)])
    return Operation(
        "end",
        short(at),
        offering,
        lambda: ledger.end_promotion(offering, SOMEONE, at=at),
        meaning.ended(life.before(offering), at or life.now),
    )


def _make_permanent(life: Life, offering: Offering) -> Operation:
    at = life.chance.choice([None, _around(life, offering, 0.95)])
    return Operation(
        "make_permanent",
        short(at),
        offering,
        lambda: ledger.make_permanent(offering, SOMEONE, at=at),
        meaning.permanent(life.before(offering), at or life.now),
    )


def _pin(life: Life, offering: Offering) -> Operation:
    claims = _spoilt(life.chance, [replace(_claim(life, offering, 0.5, dated=False), zero_means="")])[:1]

    def run() -> object:
        if not claims:
            raise ledger.LedgerError("nothing to pin")
        return ledger.pin(offering, claims[0], SOMEONE)

    expected = meaning.pinned(life.before(offering), claims[0]) if claims else None
    return Operation("pin", _told(claims), offering, run, expected)


def _withdraw(life: Life, offering: Offering) -> Operation:
    at = life.chance.choice([None, _around(life, offering)])
    return Operation(
        "withdraw",
        short(at),
        offering,
        lambda: ledger.withdraw(offering, SOMEONE, at=at),
        meaning.withdrawn(life.before(offering), at or life.now),
    )


def _relist(life: Life, offering: Offering) -> Operation:
    at = life.chance.choice([None, _around(life, offering)])
    return Operation("relist", short(at), offering, lambda: ledger.relist(offering, SOMEONE, at=at))


def _on_hold(name: str) -> Callable[[Life, Offering], Operation]:
    def build(life: Life, offering: Offering) -> Operation:
        holds = list(Hold.objects.filter(offering=offering).order_by("closed_at", "pk"))
        still = [hold for hold in holds if hold.closed_at is None] if life.chance.random() < 0.8 else holds

        def run() -> object:
            if not still:
                raise ledger.LedgerError("nothing is held")
            rule = ledger.release_hold if name == "release" else ledger.refuse_hold
            return rule(life.chance.choice(still), SOMEONE)

        return Operation(name, f"of {[hold.pk for hold in still]}", offering, run)

    return build


def _retire(life: Life, offering: Offering) -> Operation:
    rows = Statement.objects.filter(line__offering=offering).order_by("pk")
    words = list(rows.filter(source__slug="editors")) if life.chance.random() < 0.9 else list(rows)
    chosen = life.chance.choice(words) if words else None

    def run() -> object:
        if chosen is None:
            raise ledger.LedgerError("nothing was said")
        return ledger.retire_statement(chosen, SOMEONE)

    return Operation("retire", str(chosen and chosen.pk), offering, run)


def _undo(life: Life, offering: Offering) -> Operation:
    rows = Decision.objects.filter(offering=offering).order_by("pk")
    made = list(rows.filter(undone_by=None)) if life.chance.random() < 0.9 else list(rows)
    chosen = made[-1] if made and life.chance.random() < 0.5 else life.chance.choice(made) if made else None
    last, before = life.before_last.get(offering.pk, (set(), {}))
    expected = None
    if chosen is not None and chosen.pk in last and chosen.kind != "undo":
        expected = meaning.unchanged(Before(before, [], life.now))

    def run() -> object:
        if chosen is None:
            raise ledger.LedgerError("nothing was decided")
        return ledger.undo(chosen, SOMEONE)

    return Operation("undo", f"{chosen and chosen.pk} {chosen and chosen.kind}", offering, run, expected)


_BUILDERS: dict[str, Callable[[Life, Offering], Operation]] = {
    "state": _state,
    "state_together": _state_together,
    "announce": _announce,
    "promote": _promote,
    "correct": _correct,
    "reschedule": _reschedule,
    "retract": _retract,
    "extend": _extend,
    "end": _end,
    "make_permanent": _make_permanent,
    "pin": _pin,
    "withdraw": _withdraw,
    "relist": _relist,
    "release": _on_hold("release"),
    "refuse": _on_hold("refuse"),
    "retire": _retire,
    "undo": _undo,
}
