"""List pages of the portal: visible rows, filters in the URL, pages by key; the same plan in every room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.views.generic import View

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """One page of rows, newest id first. Cursors are ids; `estimate` is a rough count or None."""

    rows: list[Any]
    next_cursor: str = ""
    previous_cursor: str = ""
    estimate: int | None = None


def _cursor(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def keyset_page(
    rows: QuerySet[Any], parameters: Any, *, size: int = PAGE_SIZE, estimate: int | None = None
) -> KeysetPage:
    """The page that `?after=<id>` or `?before=<id>` names; an unreadable cursor shows the first page."""
    after, before = _cursor(parameters.get("after")), _cursor(parameters.get("before"))
    if before is not None:
        found = list(rows.filter(pk__gt=before).order_by("pk")[: size + 1])
        more = len(found) > size
        found = found[:size][::-1]
        first, last = more, bool(found)
    else:
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows.order_by("-pk")[: size + 1])
        last = len(found) > size
        found = found[:size]
        first = after is not None and bool(found)
    return KeysetPage(
        rows=found,
        next_cursor=str(found[-1].pk) if found and last else "",
        previous_cursor=str(found[0].pk) if found and first else "",
        estimate=estimate,
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: `hidden` until chosen, `numeric` to the right."""

    key: str
    label: str | Promise
    hidden: bool = False
    numeric: bool = False


class VisibleListView(LoginRequiredMixin, View):
    """A list of rows the principal may see; answers the table alone to htmx."""

    model: ClassVar[type[Model]]
    action: ClassVar[str] = "view"
    title: ClassVar[str | Promise] = ""
    columns: ClassVar[tuple[Column, ...]] = ()
    row_template: ClassVar[str] = ""
    template_name: ClassVar[str] = "generic/list.html"
    filterset_class: ClassVar[Any] = None
    page_size: ClassVar[int] = PAGE_SIZE

    def rows(self) -> QuerySet[Any]:
        """Visible rows before the filters; override to add select_related."""
        manager: Any = self.model._default_manager
        return manager.all().visible_to(self.request.principal, self.action)  # type: ignore[attr-defined, no-any-return]

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Further context: `intro`, `add_url`, `export_url`, `empty_…`, `bulk_actions`."""
        return {}

    def adding(self, ability: str, page: str, label: str) -> dict[str, str]:
        """For `context`: the button to `page`, above the list and in an empty one, for holders of `ability`."""
        address = reverse(page) if self.request.principal.can(ability) else ""  # type: ignore[attr-defined]
        return {"add_url": address, "add_label": label, "empty_url": address, "empty_action": label}

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page, or its table when htmx asks."""
        filterset = self.filterset_class(request.GET, queryset=self.rows()) if self.filterset_class else None
        rows = filterset.qs if filterset is not None and filterset.is_valid() else self.rows()
        page = keyset_page(rows, request.GET, size=self.page_size)
        context = {
            "title": self.title,
            "columns": self.columns,
            "row_template": self.row_template,
            "list_name": f"{self.model._meta.label_lower}",
            "page": page,
            "filters": filterset.form if filterset is not None else None,
            "chips": chips(request, filterset.form) if filterset is not None else [],
            **self.context(page),
        }
        template = "generic/table.html" if getattr(request, "htmx", False) else self.template_name
        return render(request, template, context)


def chips(request: HttpRequest, form: Any) -> list[dict[str, Any]]:
    """The filters that are set, each with the URL without it."""
    found = []
    for name, field in form.fields.items():
        values = [value for value in request.GET.getlist(name) if value]
        if not values:
            continue
        rest = request.GET.copy()
        for key in (name, "after", "before"):
            rest.pop(key, None)
        choices = dict(getattr(field, "choices", []) or [])
        shown = ", ".join(str(choices.get(value, value)) for value in values)
        found.append(
            {"label": field.label or name, "value": shown, "remove_url": f"{request.path}?{rest.urlencode()}"}
        )
    return found
