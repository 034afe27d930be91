"""The form by which an editor states when an offering's slots apply."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminURLInputWidget

from pricing.admin.forms import NoteForm
from pricing.calendar_moves import in_force
from pricing.calendar_rules import Rules
from pricing.calendar_text import UnclearCalendar, calendar_text, read_calendar
from pricing.costing.rules import calendars_as_known
from pricing.costing.sheets import rules_of
from pricing.models import Offering
from tracker.admin_fields import UtcDateTimeFormField


class CalendarForm(NoteForm):
    """A whole calendar, from when on it holds, and where it can be read."""

    explanation = (
        "What an editor states is the whole calendar of the offering from its moment on, before that of every feed, "
        "until it is taken back. One line for each rule: the slot, weekdays (none: daily), hours, the time zone (none: "
        "UTC), and the national holidays that it leaves out. Hours may cross midnight; the weekday is that on which "
        "they begin. Several lines of one slot add up, and 'rest' is whenever no other slot holds."
    )
    calendar = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text="Such as “peak: Mon-Fri 01:00-04:00, 06:00-10:00 UTC; holidays CN” and “off-peak: rest”.",
    )
    effective_from = UtcDateTimeFormField(
        label="Effective from",
        required=False,
        help_text="In UTC; a day alone is its first moment. Empty: now. A moment ahead announces the calendar.",
    )
    citation_url = forms.URLField(
        label="Citation",
        assume_scheme="https",
        max_length=1000,
        widget=UnfoldAdminURLInputWidget(),
        help_text="Where anybody can read it.",
    )
    note = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    field_order = ("calendar", "effective_from", "citation_url", "note")

    def __init__(self, *args: Any, offering: Offering, **kwargs: Any) -> None:
        kwargs["initial"] = {"calendar": calendar_text(rules_now(offering))}
        super().__init__(*args, **kwargs)

    def clean_calendar(self) -> Rules:
        try:
            return read_calendar(self.cleaned_data["calendar"])
        except UnclearCalendar as unclear:
            raise ValidationError(str(unclear)) from None


def rules_now(offering: Offering) -> Rules:
    """The rules in force now, of the first source that has a calendar."""
    calendars = calendars_as_known(rules_of([offering.pk]).get(offering.pk, ()), None)
    now = timezone.now()
    return next((rules for each in calendars.values() if (rules := in_force(each, now))), ())
