"""An algorithm belongs to the organisation that brought it: no other bureau's package changes it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.algorithms.models import Algorithm, AlgorithmPackage
from apps.algorithms.services import check_package, may_manage, owner_of, packages, set_listed, upload_package
from apps.core.errors import Conflict, NotAllowed
from apps.core.models import AuditRecord
from tests.support import factories
from tests.vision import engine_models

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _packages(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own folder; the rules of the check have their own tests, here every package passes."""
    settings.VANTAGE_PACKAGES = tmp_path / "packages"
    passed = SimpleNamespace(as_dict=lambda: {"passed": True, "rules": [], "fingerprint": ""})
    monkeypatch.setattr(packages.check, "check_package", lambda folder: passed)


def archive(folder: Path, name: str, version: str, **changes: Any) -> Path:
    """A zip with the algorithm `bright` under this name."""
    made = folder / f"{name}-{version}"
    entry = engine_models.manifest(engine_models.brightness_model(folder / "det.onnx"))["algorithms"][0]
    entry |= {"name": {"zh": name, "en": name}, "version": version, **changes}
    engine_models.package(made, algorithms=[entry])
    return Path(shutil.make_archive(str(made), "zip", made))


def upload(path: Path, owner: Organisation) -> AlgorithmPackage:
    return upload_package(by=SYSTEM, path=path, file_name=path.name, organisation=owner)


def names() -> list[tuple[str, str]]:
    return list(Algorithm.objects.order_by("slug").values_list("slug", "name_en"))


def test_another_bureau_cannot_bring_an_id_that_is_taken(tmp_path: Path) -> None:
    water, roads = factories.organisation(name="Water"), factories.organisation(name="Roads")
    check_package(upload(archive(tmp_path, "ours", "1.0.0"), water))
    with translation.override("en"), pytest.raises(Conflict) as refused:
        upload(archive(tmp_path, "theirs", "2.0.0"), roads)
    assert refused.value.code == "algorithm_id_taken"
    assert "bright" in str(refused.value.message)
    assert "Water" in str(refused.value.message)
    assert "Choose another id" in str(refused.value.message)
    assert AlgorithmPackage.objects.count() == 1
    assert names() == [("bright", "ours")]
    record = AuditRecord.objects.get(action="package.upload", outcome="refused")
    assert record.detail["reason"] == "algorithm_id_taken"
    check_package(upload(archive(tmp_path, "renamed", "2.0.0", id="bright-roads"), roads))
    assert names() == [("bright", "ours"), ("bright-roads", "renamed")]


def test_the_owner_and_who_is_above_it_go_on(tmp_path: Path) -> None:
    city = factories.organisation()
    water = factories.organisation(city)
    for name, version, organisation in (("a", "1.0.0", water), ("b", "1.1.0", water), ("c", "1.2.0", city)):
        assert check_package(upload(archive(tmp_path, name, version), organisation)).state == "ready"
        assert names() == [("bright", name)]
    algorithm = Algorithm.objects.get()
    assert algorithm.versions.count() == 3
    assert owner_of(algorithm) == water
    assert check_package(upload(archive(tmp_path, "d", "1.3.0"), water)).state == "ready"
    with pytest.raises(Conflict):
        upload(archive(tmp_path, "e", "1.4.0"), factories.organisation(water))


def test_of_two_that_wait_for_their_check_the_second_is_rejected_with_the_reason(tmp_path: Path) -> None:
    water, roads = factories.organisation(name="Water"), factories.organisation(name="Roads")
    theirs = upload(archive(tmp_path, "theirs", "2.0.0"), roads)
    check_package(upload(archive(tmp_path, "ours", "1.0.0"), water))
    with translation.override("en"):
        checked = check_package(theirs)
    rule = checked.report["rules"][-1]
    assert (checked.state, checked.report["passed"], rule["id"]) == ("rejected", False, "algorithm_id_taken")
    assert "Water" in rule["message"]
    assert names() == [("bright", "ours")]
    assert not checked.versions.exists()


def test_a_version_with_other_content_is_rejected_and_holds_nobody_up(tmp_path: Path) -> None:
    water = factories.organisation()
    check_package(upload(archive(tmp_path, "ours", "1.0.0"), water))
    again = check_package(upload(archive(tmp_path, "other", "1.0.0"), water))
    assert (again.state, again.report["rules"][-1]["id"]) == ("rejected", "version_taken")
    assert names() == [("bright", "ours")]


def test_the_page_says_whose_it_is(tmp_path: Path) -> None:
    check_package(upload(archive(tmp_path, "ours", "1.0.0"), factories.organisation(name="Water")))
    client = Client(headers={"accept-language": "en"})
    client.force_login(factories.user(roles=("algorithm_arranger",)))
    with archive(tmp_path, "theirs", "2.0.0").open("rb") as file:
        answer = client.post(reverse("algorithms:package-upload"), {"file": file})
    assert answer.status_code == 200
    assert "belongs to Water" in answer.content.decode()


def test_only_who_manages_the_owner_lists_a_version(tmp_path: Path) -> None:
    water = factories.organisation()
    version = check_package(upload(archive(tmp_path, "ours", "1.0.0"), water)).versions.get()
    stranger = factories.principal(roles=("algorithm_arranger",))
    with pytest.raises(NotAllowed):
        set_listed(by=stranger, version=version, listed=True)
    mine = factories.principal(water, ("algorithm_arranger",))
    assert set_listed(by=mine, version=version, listed=True).is_listed
    assert not may_manage(factories.principal(water), version.algorithm)
