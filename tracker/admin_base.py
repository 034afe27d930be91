"""The classes that every admin page of the project is built on: one theme, one way to write times and amounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db import connection, models
from django.forms import Field as FormField
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from tracker.admin_fields import AmountFormField, UtcDateTimeFormField
from tracker.amounts import plain
from tracker.fields import AmountField
from tracker.moments import utc

__all__ = ["HistoryAdmin", "LargeTable", "ReadOnlyAdmin", "ReadOnlyInline", "RecordAdmin", "RecordInline"]

PROTECTED_SHOWN = 20
_WRITTEN: tuple[tuple[type[models.Field], Callable[[Any], str]], ...] = (
    (models.DateTimeField, utc),
    (models.DateField, date.isoformat),
    (AmountField, plain),
)


class Written:
    """A column that writes a moment in UTC, a day as ISO has it, or an amount without needless zeros."""

    def __init__(self, field: models.Field, write: Callable[[Any], str]) -> None:
        self._attname = field.attname
        self._write = write
        self.__name__ = field.name
        self.short_description = field.verbose_name
        self.admin_order_field = field.name
        self.help_text = field.help_text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Written) and other.__name__ == self.__name__

    def __hash__(self) -> int:
        return hash((Written, self.__name__))

    def __call__(self, row: models.Model) -> str | None:
        value = getattr(row, self._attname)
        return None if value is None else unbroken(self._write(value))


def unbroken(text: str) -> str:
    """Text that stays on one line, as a moment or an amount should."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text) if text else ""


def written(model: type[models.Model], name: Any) -> Any:
    """The column of that name; a callable that writes it where the theme would write it its own way."""
    field = next((f for f in model._meta.fields if f.name == name), None)
    for kind, write in _WRITTEN:
        if isinstance(field, kind):
            return Written(field, write)
    return name


class _Conventions:
    """What lists, forms and read-only pages share, inlines included."""

    model: type[models.Model]
    admin_site: Any
    formfield_overrides: dict[Any, Any] = {
        models.DateTimeField: {"form_class": UtcDateTimeFormField},
        models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})},
        models.URLField: {"assume_scheme": "https"},
        AmountField: {"form_class": AmountFormField, "widget": UnfoldAdminDecimalFieldWidget},
    }

    def get_autocomplete_fields(self, request: HttpRequest) -> Sequence[str]:
        """Every link to another row is found by typing, whatever the number of rows."""
        named: Sequence[str] = super().get_autocomplete_fields(request)  # type: ignore[misc]
        return named or [field.name for field in self._links() if self._can_be_searched(field.related_model)]

    def _links(self) -> list[Any]:
        return [f for f in self.model._meta.get_fields() if f.concrete and f.is_relation]

    def _can_be_searched(self, model: Any) -> bool:
        return self.admin_site.is_registered(model) and bool(self.admin_site.get_model_admin(model).search_fields)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> FormField | None:
        formfield: FormField | None = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if formfield is not None and isinstance(db_field, models.DateTimeField):
            formfield.help_text = _saying_utc(str(formfield.help_text))
        return formfield


def _saying_utc(help_text: str) -> str:
    return help_text if "UTC" in help_text else f"{help_text} In UTC.".strip()


class RecordAdmin(_Conventions, ModelAdmin):
    """The admin of one model, in the theme."""

    compressed_fields = True
    list_filter_sheet = True
    list_per_page = 50
    list_max_show_all = 200
    save_on_top = False
    view_on_site = False
    delete_confirmation_template = "tracker/admin/delete_confirmation.html"
    delete_selected_confirmation_template = "tracker/admin/delete_selected_confirmation.html"
    warn_unsaved_form = True
    has_log = True

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return [written(self.model, name) for name in super().get_list_display(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return [written(self.model, name) for name in self.named_readonly_fields(request, obj)]

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """The fields that nobody edits here; a subclass says which depend on the row."""
        return list(super().get_readonly_fields(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fieldsets, with what is read only in the form in which it is written."""
        readonly = {getattr(name, "__name__", name): name for name in self.get_readonly_fields(request, obj)}
        return [
            (title, {**options, "fields": [_replaced(entry, readonly) for entry in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Lists, pages and choices alike read the rows that their columns name in one query."""
        rows = super().get_queryset(request)
        related = self.list_select_related
        return rows.select_related(*related) if isinstance(related, list | tuple) and related else rows

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What would go with a row; of the many that keep it from going, the first few."""
        gone, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if protected:  # which permissions would be lacking is beside the point then
            lacking = set()
        if len(protected) > PROTECTED_SHOWN:
            more = len(protected) - PROTECTED_SHOWN
            protected = [*protected[:PROTECTED_SHOWN], f"and {more:,} more rows that the record keeps for good"]
        return gone, counts, lacking, protected

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        shown = {"show_history": self.has_log, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, shown)


def _replaced(entry: Any, readonly: dict[str, Any]) -> Any:
    if isinstance(entry, list | tuple):
        return tuple(_replaced(name, readonly) for name in entry)
    return readonly.get(entry, entry) if isinstance(entry, str) else entry


class HistoryAdmin(SimpleHistoryAdmin, RecordAdmin):
    """The admin of a model whose every version is kept, with who made it."""

    object_history_list_template = "tracker/admin/history_list.html"
    object_history_form_template = "tracker/admin/history_form.html"

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """An old version, to be read only: putting it back would pass by the ledger and by who may change what."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """For everybody; without it the page would offer a button that is refused."""
        return True


class ReadOnlyAdmin(RecordAdmin):
    """The admin of rows that only the ledger or the machinery writes: nothing is added, changed or deleted here."""

    has_log = False
    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Everything; and what a page shows besides the model's own fields."""
        named = list(super().named_readonly_fields(request, obj))
        fieldsets = self.fieldsets
        if fieldsets:
            return list(dict.fromkeys([*named, *flatten_fieldsets(fieldsets)]))
        own = [f.name for f in self.model._meta.fields if f.name not in named and f.name != "id"]
        return [*own, *named]


class LargeTable:
    """For tables of a million rows: pages without counting them all."""

    paginator = InfinitePaginator
    show_full_result_count = False
    ordering: Sequence[str] = ("-id",)


class RecordInline(_Conventions, TabularInline):
    """Rows that belong to the one on the page."""

    extra = 0


class ReadOnlyInline(RecordInline):
    """Rows that belong to the one on the page, to be read only."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def stylesheet(request: HttpRequest) -> str:
    """The address of the few rules that the theme lacks."""
    return static("tracker/admin.css")


def favicon(request: HttpRequest) -> str:
    """The address of the little picture on the browser's tab."""
    return static("tracker/favicon.svg")


def environment_label(request: HttpRequest) -> list[str]:
    """What one works on, for the corner of every page: text and colour."""
    if settings.DEBUG:
        return ["Debug", "danger"]
    database = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    return [f"{database} · times in UTC", "info"]


def no_store(response: HttpResponse) -> HttpResponse:
    """Keep a page that shows a secret out of every cache."""
    response["Cache-Control"] = "no-store, private"
    return response


admin.site.index_title = "Overview"
