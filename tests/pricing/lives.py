"""Random lives of a few offerings: feeds that are read, early and late, and the moments when people do something."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

from companies.models import Company
from pricing import ledger
from pricing.claims import Conditions
from pricing.clock import follow_the_clock
from pricing.models import Offering, Reference, Source
from tests.pricing.naive_rulings import History, believed_with_rulings, claim_of, editors_words
from tests.pricing.what_operations_mean import Before
from tests.pricing.worlds import ORIGIN, Speaker, reading_moments, short, tell

OUTPUT = "output_tokens"
STORIES = ((0, "input_tokens"), (0, OUTPUT), (1, "input_tokens"))
_serial = count(1)
Event = tuple[datetime, int, str, int, datetime]


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
