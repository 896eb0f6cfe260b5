"""Operators in the Django admin: rows of other bureaus are read at most; the site's own are kept at its top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Organisation
from apps.accounts.permissions import ADMIN_RIGHTS
from apps.algorithms.models import AlgorithmPackage, EventCodeMap, EventType
from apps.algorithms.services import accept_mapping, save_event_type
from apps.analysis.models import WorkCalendarDay
from apps.core.bounded_admin import VisibleAdmin
from apps.core.errors import NotAllowed
from apps.core.models import AuditRecord
from apps.devices.models import Device, Directory, PlaceType, Region, SourcePlatform, Tag, TagTree
from apps.openapi.choices import ServiceState
from apps.openapi.models import Service
from apps.openapi.permissions import principal_of_key
from tests.openapi import builders
from tests.support import factories

pytestmark = pytest.mark.django_db


def _platform(owner: Organisation) -> SourcePlatform:
    return SourcePlatform.objects.create(organisation=owner, name="old")


def _tree(owner: Organisation) -> TagTree:
    return TagTree.objects.create(organisation=owner, name="old")


#: model → how a row of a bureau is made, and the fields of its form that are no names.
OWNED: dict[type, tuple[Callable[[Organisation], Any], dict[str, Any]]] = {
    Directory: (
        lambda owner: Directory.objects.create(organisation=owner, name="old", kind="own"),
        {"kind": "own", "sharing_class": "conditional", "order": 0},
    ),
    SourcePlatform: (_platform, {"protocol": "direct"}),
    Device: (
        lambda owner: Device.objects.create(organisation=owner, name="old", platform=_platform(owner)),
        {"platform": lambda row: row.platform_id},
    ),
    TagTree: (_tree, {}),
    Tag: (
        lambda owner: Tag.objects.create(tree=_tree(owner), name="old"),
        {"tree": lambda row: row.tree_id},
    ),
}
SITE: dict[type, Callable[[], Any]] = {
    Region: lambda: Region.objects.create(code="110101", name="old"),
    PlaceType: lambda: PlaceType.objects.create(code="01", name="old"),
    EventType: lambda: factories.event_type(name_zh="old"),
    EventCodeMap: lambda: EventCodeMap.objects.create(
        system="x", code="1", event_type=factories.event_type()
    ),
    WorkCalendarDay: lambda: WorkCalendarDay.objects.create(date="2026-10-01", is_workday=False, name="old"),
}


def operator(organisation: Organisation) -> Client:
    client = Client()
    client.force_login(factories.user(organisation, ("operator",)))
    return client


def page(model: type, action: str, row: Any = None) -> str:
    about = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{about.app_label}_{about.model_name}_{action}", args=[row.pk] if row else [])


def filled(row: Any, owner: Organisation, name: str) -> dict[str, Any]:
    """The form of a row, with this name."""
    more = {key: made(row) if callable(made) else made for key, made in OWNED[type(row)][1].items()}
    return {"name": name, **more} | ({} if isinstance(row, Tag) else {"organisation": str(owner.pk)})


@pytest.fixture
def bureaus() -> tuple[Organisation, Organisation]:
    """Two bureaus of one city."""
    city = factories.organisation()
    return factories.organisation(city), factories.organisation(city)


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_a_row_of_another_bureau_is_neither_changed_nor_deleted(model: type, bureaus: Any) -> None:
    mine, theirs = bureaus
    row = OWNED[model][0](theirs)
    stranger = operator(mine)
    assert stranger.post(page(model, "change", row), filled(row, mine, "new")).status_code in {302, 403}
    assert stranger.post(page(model, "delete", row), {"post": "yes"}).status_code in {302, 403}
    several = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    stranger.post(page(model, "changelist"), several)
    row.refresh_from_db()
    assert row.name == "old"


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_nothing_is_made_for_another_bureau_or_given_to_it(model: type, bureaus: Any) -> None:
    mine, theirs = bureaus
    foreign, own = OWNED[model][0](theirs), OWNED[model][0](mine)
    before = model.objects.count()  # type: ignore[attr-defined]
    client = operator(mine)
    assert client.post(page(model, "add"), filled(foreign, theirs, "new")).status_code == 200, "an error"
    assert model.objects.count() == before  # type: ignore[attr-defined]
    assert client.post(page(model, "change", own), filled(foreign, theirs, "new")).status_code == 200
    own.refresh_from_db()
    assert own.name == "old"


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_the_own_bureau_and_the_city_above_it_keep_their_rows(model: type, bureaus: Any) -> None:
    mine, _theirs = bureaus
    row = OWNED[model][0](mine)
    for organisation, name in ((mine, "first"), (mine.get_parent(), "second")):
        answer = operator(organisation).post(page(model, "change", row), filled(row, mine, name))
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        row.refresh_from_db()
        assert row.name == name
    assert AuditRecord.objects.filter(action="admin.change", object_id=str(row.pk)).count() == 2
    if model in {SourcePlatform, Device}:
        return  # the table of rights lets nobody delete them
    assert operator(mine).post(page(model, "delete", row), {"post": "yes"}).status_code == 302
    assert not model.objects.filter(pk=row.pk).exists()  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", [SourcePlatform, Device], ids=lambda model: model.__name__)
def test_what_the_pages_hide_the_admin_hides(model: type, bureaus: Any) -> None:
    mine, theirs = bureaus
    row = OWNED[model][0](theirs)
    assert str(row.pk) not in operator(mine).get(page(model, "changelist")).content.decode()
    assert str(row.pk) in operator(mine.get_parent()).get(page(model, "changelist")).content.decode()


def test_an_unchecked_package_is_hidden_too(bureaus: Any) -> None:
    mine, theirs = bureaus
    factories.package(theirs, state="checking", file_name="theirs.zip")
    url = page(AlgorithmPackage, "changelist")
    assert "theirs.zip" not in operator(mine).get(url).content.decode()
    assert "theirs.zip" in operator(theirs).get(url).content.decode()


@pytest.mark.parametrize("model", SITE, ids=lambda model: model.__name__)
def test_dictionaries_of_the_site_are_read_below_and_kept_at_its_top(model: type, bureaus: Any) -> None:
    mine, _theirs = bureaus
    row, below, top = SITE[model](), operator(mine), operator(mine.get_parent())
    assert below.get(page(model, "change", row)).status_code == 200
    assert below.post(page(model, "change", row), {}).status_code == 403
    assert below.get(page(model, "add")).status_code == 403
    assert below.post(page(model, "delete", row), {"post": "yes"}).status_code == 403
    assert top.post(page(model, "change", row), {}).status_code == 200, "the form, with what is missing"
    assert top.get(page(model, "add")).status_code == 200
    row.refresh_from_db()


def test_a_service_is_put_off_line_at_the_top_of_the_site_only(bureaus: Any) -> None:
    mine, _theirs = bureaus
    key = builders.key(builders.app(mine), "events:read", "cameras:read").key
    service = Service.objects.get(code="events:read")
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": str(service.pk), "_save": "1"}
    form["form-0-state"] = ServiceState.OFF_LINE.value
    url = f"{page(Service, 'changelist')}?code={service.code}"
    assert operator(mine).post(url, form).status_code == 403
    assert "events:read" in principal_of_key(key).scopes
    assert operator(mine.get_parent()).post(url, form).status_code == 302
    assert principal_of_key(key).scopes == {"cameras:read"}
    assert AuditRecord.objects.filter(action="admin.change", object_id=str(service.pk)).count() == 1


def test_the_pages_keep_the_same_boundary(bureaus: Any) -> None:
    mine, _theirs = bureaus
    item = factories.algorithm_version().algorithm.items.get()
    fields = {"name_zh": "新", "name_en": "new"}
    below, top = (factories.principal(where, ("operator",)) for where in (mine, mine.get_parent()))
    for act in (
        lambda by: save_event_type(by=by, code="990001", **fields),
        lambda by: accept_mapping(by=by, item=item),
    ):
        with pytest.raises(NotAllowed) as refused:
            act(below)
        assert refused.value.code == "site_wide"
        act(top)
    client = operator(mine)
    assert client.get(reverse("algorithms:event-type-add")).status_code == 403
    assert (
        reverse("algorithms:event-type-add")
        not in client.get(reverse("algorithms:event-type-list")).content.decode()
    )


def test_everything_an_operator_changes_in_the_admin_has_a_boundary() -> None:
    """A right that is added to the table needs a bounded page."""
    unbounded = [
        right
        for right in sorted(ADMIN_RIGHTS["operator"])
        for model, about in admin.site._registry.items()
        if right.split(".")
        == [model._meta.app_label, f"{right.split('.')[1].split('_')[0]}_{model._meta.model_name}"]
        and not isinstance(about, VisibleAdmin)
    ]
    assert unbounded == []
