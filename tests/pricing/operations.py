"""Everything that people may do to an offering, with sensible arguments or not, and what should come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.models import Decision, Hold, Offering, Statement
from tests.pricing import what_operations_mean as meaning
from tests.pricing.lives import OUTPUT, Life
from tests.pricing.naive_rulings import standing
from tests.pricing.what_operations_mean import Before, Expected
from tests.pricing.worlds import LONG, ORIGIN, PEAK, PLAIN, PROMO, REST, short

SOMEONE = ledger.Ruling(by=None, note="because")
AMOUNTS = ("1", "2", "3", "0", "0.5", "30")
KINDS = (
    *("state", "state_together", "announce", "announce", "announce", "reschedule", "reschedule", "retract", "retract"),
    *("correct", "promote", "promote", "extend", "end", "make_permanent", "pin", "withdraw", "relist"),
    *("release", "refuse", "retire", "undo", "undo", "undo"),
)


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


def any_operation(life: Life) -> Operation:
    """Somebody does something, sensible or not."""
    offering, kind = life.chance.choice(life.offerings), life.chance.choice(KINDS)
    operation = _BUILDERS[kind](life, offering)
    if standing(offering) and kind not in ("undo",):
        operation.expected = None
    life.log.append(f"{short(life.now)}: {operation}")
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
