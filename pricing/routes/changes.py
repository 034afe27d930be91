"""Writing the pricing changes that tell of routes: where an id leads instead, and what that means in money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Max

from companies.models import AIModel
from pricing.bookkeeping import CHANGE_LINE_COLUMNS, Cause, Settled, detected_at
from pricing.bulk import Row, insert, save_new
from pricing.models import Offering, PricingChange, PricingChangeLine
from pricing.routes.money import MovedLine, moved_lines
from pricing.routes.targets import RouteMove, Target
from pricing.routes.words import route_headline


@dataclass(frozen=True, slots=True)
class Draft:
    """A move of an offering's route that is to be told; ``name`` is how headlines call the offering."""

    offering: int
    seller: int
    name: str
    move: RouteMove


def write_changes(drafts: Iterable[Draft], cause: Cause, settled: Settled) -> None:
    """Write a change for each move, oldest first, numbered on from the last one."""
    ordered = [d for d in sorted(drafts, key=lambda d: (d.offering, d.move.effective_at)) if not _is_told(d, cause)]
    if not ordered:
        return
    names = _names([target for d in ordered for target in (d.move.old, d.move.new)])
    sequence = (PricingChange.objects.aggregate(last=Max("sequence"))["last"] or 0) + 1
    lines = [moved_lines(d.offering, d.move.old, d.move.new, d.move.effective_at) for d in ordered]
    changes = [
        _change(draft, names, moved, cause, sequence + place)
        for place, (draft, moved) in enumerate(zip(ordered, lines, strict=True))
    ]
    save_new(changes)
    parts = (row for change, moved in zip(changes, lines, strict=True) for row in _line_rows(change, moved))
    insert(PricingChangeLine, CHANGE_LINE_COLUMNS, parts)
    settled.changes += len(changes)
    for change in changes:
        settled.kinds[change.kind] = settled.kinds.get(change.kind, 0) + 1


def _is_told(draft: Draft, cause: Cause) -> bool:
    """Whether the id's own prices moved by the same ruling, such as a withdrawal, which then tells of both."""
    if cause.decision_id is None:
        return False
    return PricingChange.objects.filter(offering=draft.offering, decision=cause.decision_id).exists()


def _change(
    draft: Draft, names: dict[Target, str], moved: Sequence[MovedLine], cause: Cause, sequence: int
) -> PricingChange:
    move = draft.move
    old, new = move.old, move.new
    words = [names[target] if target else "" for target in (old, new)]
    return PricingChange(
        sequence=sequence,
        offering_id=draft.offering,
        kind=move.kind,
        nature=move.nature,
        headline=route_headline(draft.name, move, words[0], words[1], [line for _, line in moved]),
        initial=cause.initial,
        backfilled=cause.backfilled,
        source_id=cause.source_id,
        refresh_id=cause.refresh_id,
        decision_id=cause.decision_id,
        effective_at=move.effective_at,
        observed_after=move.observed_after,
        precision=move.precision,
        announced_for=move.announced_for,
        routed_from_offering_id=old.offering if old else None,
        routed_from_model_id=old.model if old else None,
        routed_to_offering_id=new.offering if new else None,
        routed_to_model_id=new.model if new else None,
        detected_at=detected_at(move.effective_at, move.announced_for, cause),
        recorded_at=cause.recorded_at,
    )


def _line_rows(change: PricingChange, moved: Sequence[MovedLine]) -> Iterable[Row]:
    for line_id, changed in moved:
        old, new = changed.old or (None, "", ""), changed.new or (None, "", "")
        yield (change.pk, line_id, old[0], new[0], old[1], new[1] or old[1], changed.percent)


def _names(targets: Iterable[Target | None]) -> dict[Target, str]:
    wanted = {target for target in targets if target is not None}
    offerings = Offering.objects.filter(pk__in=[t.offering for t in wanted if t.offering is not None])
    models = AIModel.objects.filter(pk__in=[t.model for t in wanted if t.model is not None])
    called = {("offering", pk): name for pk, name in offerings.values_list("pk", "name")}
    called.update({("model", pk): name for pk, name in models.values_list("pk", "name")})
    return {target: called[target.kind, target.id] for target in wanted}
