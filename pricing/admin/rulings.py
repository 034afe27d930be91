"""The pages on which a person rules: state a price, pin, withdraw, relist, undo, take a statement back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse

from pricing import ledger
from pricing.admin.calendar_form import CalendarForm
from pricing.admin.consequences import ended_by_stating, in_words
from pricing.admin.forms import DatedNoteForm, NoteForm, PinForm, PriceForm
from pricing.ledger import LedgerError
from pricing.models import CalendarStatement, Decision, Offering, PriceLine, PricingChange, Statement
from tracker.admin_pages import FormPage, answer, posted


def state_price(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """State a price, or announce one."""
    line = _line_asked_for(request, offering)
    form = PriceForm(posted(request), line=line)
    page = FormPage(
        about=offering,
        title=f"State a price of {offering.name}",
        form=form,
        submit="State this price",
        explanation=form.explanation,
        fieldsets=form.fieldsets,
        consequences_title=f"Unless the rest is kept, stating a price of {line} from now on would end:",
        consequences=[in_words(price) for price in ended_by_stating(line)] if line else (),
    )

    return rule(admin, request, page, offering, lambda: _stated(form, offering, form.ruling(request.user)))  # type: ignore[arg-type]


def _stated(form: PriceForm, offering: Offering, ruling: ledger.Ruling) -> None:
    said = form.cleaned_data
    ledger.check_hours(offering, said["slot"])
    if said["tells"] == "correction":
        ledger.correct(
            offering,
            [form.claim()],
            ruling,
            zero_means=said["zero_means"],
            replaces_later=said["replaces_later"],
        )
        return
    ledger.state(
        offering,
        form.claim(),
        ruling,
        zero_means=said["zero_means"],
        replaces_later=said["replaces_later"],
        keeps_rest=said["keeps_rest"],
    )


def pin_price(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Pin a price against every source."""
    form = PinForm(posted(request), line=_line_asked_for(request, offering))
    page = FormPage(
        about=offering,
        title=f"Pin a price of {offering.name}",
        form=form,
        submit="Pin this price",
        explanation=form.explanation,
        fieldsets=form.fieldsets,
    )
    return rule(
        admin,
        request,
        page,
        offering,
        lambda: _pinned(form, offering, form.ruling(request.user)),  # type: ignore[arg-type]
    )


def _pinned(form: PinForm, offering: Offering, ruling: ledger.Ruling) -> None:
    ledger.check_hours(offering, form.cleaned_data["slot"])
    ledger.pin(offering, form.claim(), ruling)


def withdraw(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Rule that an offering is sold no more."""
    form = DatedNoteForm(posted(request))
    page = FormPage(
        about=offering,
        title=f"Withdraw {offering.name}",
        form=form,
        submit="Withdraw it",
        explanation="It is sold no more from that moment on, whatever sources say. Its history stays.",
        is_grave=True,
    )
    return rule(
        admin,
        request,
        page,
        offering,
        lambda: ledger.withdraw(offering, form.ruling(request.user), at=form.cleaned_data["at"]),  # type: ignore[arg-type]
    )


def relist(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """End a person's withdrawal."""
    form = DatedNoteForm(posted(request))
    page = FormPage(
        about=offering,
        title=f"Relist {offering.name}",
        form=form,
        submit="Relist it",
        explanation="Ends the withdrawal: from that moment on sources speak for it again.",
    )
    return rule(
        admin,
        request,
        page,
        offering,
        lambda: ledger.relist(offering, form.ruling(request.user), at=form.cleaned_data["at"]),  # type: ignore[arg-type]
    )


def undo(admin: ModelAdmin[Any], request: HttpRequest, decision: Decision) -> HttpResponse:
    """Undo a stated price, a pin, a withdrawal or a reroute as if it had never been."""
    form = NoteForm(posted(request))
    offering = decision.offering
    page = FormPage(
        about=offering or decision,
        title=f"Undo: {decision}",
        form=form,
        submit="Undo it",
        explanation="The record is settled as if the decision had never been made; both stay on record.",
        is_grave=True,
    )
    return rule(admin, request, page, offering, lambda: ledger.undo(decision, form.ruling(request.user)))  # type: ignore[arg-type]


def take_back(admin: ModelAdmin[Any], request: HttpRequest, statement: Statement) -> HttpResponse:
    """Take back what an editor stated."""
    form = NoteForm(posted(request))
    offering = statement.line.offering
    page = FormPage(
        about=offering,
        title=f"Take back: {statement}",
        form=form,
        submit="Take it back",
        explanation="The next source in the order speaks again for this price. The statement stays on record.",
        is_grave=True,
    )
    return rule(
        admin,
        request,
        page,
        offering,
        lambda: ledger.retire_statement(statement, form.ruling(request.user)),  # type: ignore[arg-type]
    )


def state_calendar(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """State when an offering's slots apply, or announce it."""
    form = CalendarForm(posted(request), offering=offering)
    page = FormPage(
        about=offering,
        title=f"State the calendar of {offering.name}",
        form=form,
        submit="State this calendar",
        explanation=form.explanation,
    )

    def act() -> None:
        said, ruling = form.cleaned_data, form.ruling(request.user)  # type: ignore[arg-type]
        ledger.state_calendar(offering, said["calendar"], ruling, effective_from=said["effective_from"])

    return rule(admin, request, page, offering, act)


def take_back_calendar(admin: ModelAdmin[Any], request: HttpRequest, statement: CalendarStatement) -> HttpResponse:
    """Take back a calendar that an editor stated."""
    form = NoteForm(posted(request))
    offering = statement.offering
    page = FormPage(
        about=offering,
        title=f"Take back: {statement}",
        form=form,
        submit="Take it back",
        explanation="The sources' own calendars count again. The statement stays on record.",
        is_grave=True,
    )
    return rule(
        admin,
        request,
        page,
        offering,
        lambda: ledger.retire_calendar(statement, form.ruling(request.user)),  # type: ignore[arg-type]
    )


def rule(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    page: FormPage,
    offering: Offering | None,
    act: Callable[[], object],
) -> HttpResponse:
    """Show the page, or rule and say what changed; what the ledger refuses stands on the form."""

    def ruled(_said: Any) -> str:
        latest = Decision.objects.filter(offering=offering).order_by("-pk").values_list("pk", flat=True).first() or 0
        act()
        return what_changed(offering, latest)

    return answer(admin, request, page, ruled, LedgerError)


def what_changed(offering: Offering | None, after_decision: int) -> str:
    """The headlines of what decisions after a given one changed."""
    # A merge and a split are told at whichever of the two offerings moved.
    made = Decision.objects.filter(offering=offering, pk__gt=after_decision)
    changes = PricingChange.objects.filter(decision__in=made).order_by("sequence")
    headlines = list(changes.values_list("headline", flat=True))
    return " · ".join(headlines) or "Kept on record. What is believed stays as it was, so there is no change to tell."


def _line_asked_for(request: HttpRequest, offering: Offering) -> PriceLine | None:
    asked = request.GET.get("line", "")
    return PriceLine.objects.filter(offering=offering, pk=asked).first() if asked.isdecimal() else None
