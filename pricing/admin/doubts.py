"""The admin of what is in doubt: one page with all of it, and the pages on which a person decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from pricing import ledger
from pricing.admin.doubtful import SHOWN, Asked, disagreement_rows, hold_rows, speaking_order
from pricing.admin.forms import NoteForm
from pricing.admin.rulings import rule
from pricing.admin.search import OfferingSearch
from pricing.claims import Claim
from pricing.ledger import LedgerError
from pricing.models import Disagreement, Hold, Price
from pricing.precedence import rank_for_seller
from tracker.admin_base import LargeTable, ReadOnlyAdmin
from tracker.admin_pages import FormPage, list_url, posted, show
from tracker.amounts import plain

_MOST_AT_ONCE = 500
_RULINGS: dict[str, tuple[str, Callable[[Hold, ledger.Ruling], object]]] = {
    "release": ("released", ledger.release_hold),
    "refuse": ("refused", ledger.refuse_hold),
}
_DECIDED_LATER = "Each keeps the note with the decision, where anybody can read it."


class _Ruled(ReadOnlyAdmin):
    """What the admins of holds and disagreements share: who may rule, and that only what is open can be ruled on."""

    def has_rule_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("pricing.add_decision")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_open = self.model._default_manager.filter(pk=object_id, closed_at=None).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The row of a page. Raises Http404."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(f"no {self.opts.verbose_name} {object_id}")
        return row


@admin.register(Hold)
class HoldAdmin(LargeTable, OfferingSearch, _Ruled):
    """What is too strange to count, open and closed. Every ruling is a decision of its own."""

    list_display = ("raised_at", "reason", "source", "offering", "line", "shown_said", "shown_instead", "outcome")
    list_filter = (
        ("closed_at", admin.EmptyFieldListFilter),
        "reason",
        "outcome",
        "source",
        ("seller", AutocompleteSelectFilter),
    )
    search_fields = ("offering__name",)
    list_select_related = (
        "source",
        "seller",
        "offering__seller",
        "line",
        "statement__source",
        "statement__line",
        "decision__offering__seller",
    )
    ordering = ("-raised_at", "-id")
    actions_detail = ("release", "refuse")
    fieldsets = (
        (None, {"fields": ("source", "reason", ("offering", "line"), "seller", ("shown_said", "shown_instead"))}),
        ("When", {"fields": (("observed_at", "raised_at"), ("closed_at", "outcome"))}),
        ("Evidence", {"fields": ("statement", "refresh_id", "details", "decision")}),
    )

    @display(description="Says", ordering="amount")
    def shown_said(self, hold: Hold) -> str:
        return "" if hold.amount is None else f"{plain(hold.amount)} {hold.currency}"

    @display(description="Read as saying", ordering="instead")
    def shown_instead(self, hold: Hold) -> str:
        return "" if hold.instead is None else f"{plain(hold.instead)} {hold.instead_currency}"

    def get_urls(self) -> list[URLPattern]:
        """The page with all that is in doubt as well."""
        everything = self.admin_site.admin_view(self.in_doubt)
        return [path("in-doubt/", everything, name="pricing_in_doubt"), *super().get_urls()]

    def in_doubt(self, request: HttpRequest) -> HttpResponse:
        """All open holds and disagreements; chosen holds are released or refused together, with one note."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked, note = Asked(request.GET), NoteForm(posted(request))
        if request.method == "POST":
            if not self.has_rule_permission(request):
                raise PermissionDenied
            if self._rule_on_chosen(request, note):
                return HttpResponseRedirect(request.get_full_path())
        told = _everything(asked) | {"note": note, "may_rule": self.has_rule_permission(request)}
        chosen = set(request.POST.getlist("hold"))
        return show(self, request, "admin/pricing/in_doubt.html", title="In doubt", chosen=chosen, **told)

    def _rule_on_chosen(self, request: HttpRequest, note: NoteForm) -> bool:
        """Rule on each chosen hold by itself; one that cannot be ruled on leaves the others standing."""
        done, ruling = _RULINGS.get(request.POST.get("ruling", ""), ("", None))
        numbers = [text for text in request.POST.getlist("hold") if text.isdecimal()][:_MOST_AT_ONCE]
        if ruling is None or not numbers:
            note.add_error(None, "Choose holds, and whether to release or to refuse them.")
        if not note.is_valid() or ruling is None:
            return False
        refused = list(_refusals(Hold.objects.filter(pk__in=numbers), ruling, note.ruling(request.user)))  # type: ignore[arg-type]
        messages.success(request, f"{len(numbers) - len(refused)} {done}.")
        for refusal in refused:
            messages.warning(request, refusal)
        return True

    @action(description="Release", url_path="release", permissions=["rule"], icon="check")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it count."""
        says = "It counts from its own beginning, and the move that was held back is told as it was."
        return self._ruled(request, object_id, "Release", says, ledger.release_hold)

    @action(description="Refuse", url_path="refuse", permissions=["rule"], icon="block")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rule that it never counts."""
        says = "It never counts, however often its source says it. The ruling can be undone on the decision's page."
        return self._ruled(request, object_id, "Refuse", says, ledger.refuse_hold)

    def _ruled(
        self, request: HttpRequest, object_id: str, verb: str, says: str, act: Callable[[Hold, ledger.Ruling], object]
    ) -> HttpResponse:
        hold, form = self.found(request, object_id), NoteForm(posted(request))
        page = FormPage(
            about=hold,
            title=f"{verb}: {hold}",
            form=form,
            submit=f"{verb} it",
            explanation=f"{says} {_DECIDED_LATER}",
            is_grave=verb == "Refuse",
        )
        return rule(self, request, page, hold.offering, lambda: act(hold, form.ruling(request.user)))  # type: ignore[arg-type]


def _everything(asked: Asked) -> dict[str, Any]:
    """What the page of doubts shows, for its template."""
    holds, disagreements = asked.holds(), asked.disagreements()
    return {
        "asked": asked.values,
        "holds": hold_rows(list(holds[:SHOWN])),
        "holds_count": holds.count(),
        "disagreements": disagreement_rows(list(disagreements[:SHOWN])),
        "disagreements_count": disagreements.count(),
        "shares": [
            ("Holds by reason", asked.shares(holds, "reason")),
            ("Holds by source", asked.shares(holds, "source")),
            ("Disagreements by kind", asked.shares(disagreements, "kind")),
            ("Disagreements by source", asked.shares(disagreements, "source")),
        ],
        "all_holds": list_url(Hold, closed_at__isempty=1),
        "all_disagreements": list_url(Disagreement, closed_at__isempty=1),
    }


def _refusals(
    holds: Iterable[Hold], act: Callable[[Hold, ledger.Ruling], object], ruling: ledger.Ruling
) -> Iterable[str]:
    for hold in holds:
        try:
            act(hold, ruling)
        except LedgerError as refusal:
            yield f"{hold}: {refusal}"


@admin.register(Disagreement)
class DisagreementAdmin(LargeTable, OfferingSearch, _Ruled):
    """Who says something else than what is believed, open and closed. They end when somebody says so, or agrees."""

    list_display = ("since", "kind", "source", "offering", "line", "shown_said", "believed_source", "shown_believed")
    list_filter = (
        ("closed_at", admin.EmptyFieldListFilter),
        "kind",
        "source",
        ("offering__seller", AutocompleteSelectFilter),
    )
    search_fields = ("offering__name",)
    list_select_related = (
        "source",
        "believed_source",
        "offering__seller",
        "line",
        "statement__source",
        "statement__line",
    )
    ordering = ("-opened_at", "-id")
    actions_detail = ("pin_believed", "pin_other", "prefer")
    fieldsets = (
        (None, {"fields": ("source", "kind", ("offering", "line"), "shown_said")}),
        ("Believed", {"fields": (("believed_source", "shown_believed"),)}),
        ("When", {"fields": (("since", "opened_at"), "closed_at")}),
        ("Evidence", {"fields": ("statement",)}),
    )

    @display(description="Says", ordering="amount")
    def shown_said(self, row: Disagreement) -> str:
        return f"{plain(row.amount)} {row.currency}"

    @display(description="Believed", ordering="believed_amount")
    def shown_believed(self, row: Disagreement) -> str:
        return (
            "no such line" if row.believed_amount is None else f"{plain(row.believed_amount)} {row.believed_currency}"
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what is believed can be pinned as believed, and only a source can be overtaken."""
        row = Disagreement.objects.filter(pk=object_id).first()
        left_out = {"pin-believed"} if row is not None and row.believed_amount is None else set()
        if row is not None and row.believed_source_id is None:
            left_out.add("prefer")
        return [chosen for chosen in super().get_actions_detail(request, object_id) if chosen.path not in left_out]

    @action(description="Pin what is believed", url_path="pin-believed", permissions=["rule"], icon="keep")
    def pin_believed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rule that the line has the believed price."""
        row = self.found(request, object_id)
        if row.believed_amount is None:
            raise Http404("nothing is believed of that line")
        now = timezone.now()
        believed = Price.objects.filter(line=row.line, known_until=None, effective_from__lte=now)
        meant = believed.exclude(effective_until__lte=now).values_list("zero_means", flat=True).first()
        claim = Claim(
            row.line.conditions, row.believed_amount, row.believed_currency, precision="exact", zero_means=meant or ""
        )
        return self._pinned(request, row, claim)

    @action(description="Pin what it says", url_path="pin-other", permissions=["rule"], icon="swap_horiz")
    def pin_other(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rule that the line has the price of the source that disagrees."""
        row = self.found(request, object_id)
        return self._pinned(request, row, Claim(row.line.conditions, row.amount, row.currency, precision="exact"))

    def _pinned(self, request: HttpRequest, row: Disagreement, claim: Claim) -> HttpResponse:
        form = NoteForm(posted(request))
        page = FormPage(
            about=row,
            title=f"Pin {plain(claim.amount)} {claim.currency}: {row.line} of {row.offering}",
            form=form,
            submit="Pin this price",
            explanation="From now on the line has this price, whatever any source says, until the pin is undone.",
        )
        act = lambda: ledger.pin(row.offering, claim, form.ruling(request.user))  # type: ignore[arg-type] # noqa: E731
        return rule(self, request, page, row.offering, act)

    @action(description="Prefer this source", url_path="prefer", permissions=["rule"], icon="low_priority")
    def prefer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the source that disagrees speak before the believed one, for all that this seller sells."""
        row, form = self.found(request, object_id), NoteForm(posted(request))
        seller, before = row.offering.seller, row.believed_source
        if before is None:
            raise Http404("what is believed is a person's ruling, and no source's")
        page = FormPage(
            about=row,
            title=f"Prefer {row.source} to {before} for {seller}",
            form=form,
            submit=f"Prefer {row.source}",
            explanation=(
                f"{row.source} speaks before {before} for everything that {seller} sells. "
                "All of it is settled anew, and what differs is told as corrections."
            ),
            is_grave=True,
        )

        def act() -> None:
            place = speaking_order(before, seller)
            if place < 1:
                raise LedgerError(f"{before} has place {place} in the order, and no other can come before it")
            rank_for_seller(row.source, seller, place - 1, form.ruling(request.user))  # type: ignore[arg-type]

        return rule(self, request, page, row.offering, act)
