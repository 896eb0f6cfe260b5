"""Packages: received as a hostile zip, checked without running its code, then registered."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts.models import Organisation, User
from apps.accounts.permissions import Principal
from apps.algorithms.choices import VersionState
from apps.algorithms.models import Algorithm, AlgorithmPackage, AlgorithmVersion, DetectionItem, EventType
from apps.algorithms.services.owners import may_manage, must_be_free_for
from apps.algorithms.signals import package_ready
from apps.core import audit
from apps.core.errors import Conflict, NotAllowed, Refusal
from apps.core.text import one_line, plain_data
from apps.core.wake import wake
from workers.vision.packages import check
from workers.vision.packages.files import NotPlain, fingerprint
from workers.vision.packages.manifest import ManifestError, load_manifest
from workers.vision.packages.unpack import UnpackRefused, unpack_zip
from workers.vision.runtimes.checksum import sha256_of

logger = logging.getLogger(__name__)


def package_folder(fingerprint: str) -> Path:
    """Where an unpacked package lies on this node."""
    return Path(settings.VANTAGE_PACKAGES) / fingerprint


def upload_package(
    *, by: Principal, path: Path, file_name: str, organisation: Organisation, models: Path | None = None
) -> AlgorithmPackage:
    """Unpack a zip under guard and add its row; the same content again is the same row.

    `models` is a folder from which model files the package only names (file, sha256) may be taken.
    Raises Refusal `package_refused` with the reason, Conflict `algorithm_id_taken` where it holds an algorithm of
    another organisation; nothing stays behind then.
    """
    by.must("packages.manage")
    root = Path(settings.VANTAGE_PACKAGES)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    staging = Path(tempfile.mkdtemp(prefix="incoming-", dir=root))
    try:
        unpack_zip(path, staging / "package")
        manifest = _manifest(staging / "package")
        if models is not None:
            _supply_models(staging / "package", manifest, models)
        return _register_upload(by, staging / "package", manifest, path, file_name, organisation)
    except Conflict as refusal:
        audit.record(by, "package.upload", outcome="refused", name=file_name, reason=refusal.code)
        raise
    except (UnpackRefused, NotPlain) as error:
        audit.record(by, "package.upload", outcome="refused", name=file_name, reason=str(error))
        raise Refusal(
            "package_refused", _("The package was refused: %s") % error, fields={"file": str(error)}
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest's data; empty where it is not usable (the check then says why)."""
    try:
        return dict(plain_data(load_manifest(folder).data))
    except ManifestError:
        return {}


def _supply_models(folder: Path, manifest: dict[str, Any], models: Path) -> None:
    """Put model files that the package only names (file, SHA-256) beside it, when `models` holds one that matches."""
    for model in manifest.get("models") or []:
        target, wanted = folder / model["file"], model.get("sha256")
        found = models / Path(model["file"]).name
        if not target.exists() and found.is_file() and sha256_of(found) == wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)


@transaction.atomic
def _register_upload(
    by: Principal,
    folder: Path,
    manifest: dict[str, Any],
    path: Path,
    file_name: str,
    organisation: Organisation,
) -> AlgorithmPackage:
    mark = fingerprint(folder)
    known = AlgorithmPackage.objects.filter(fingerprint=mark).first()
    if known is not None:
        return known
    must_be_free_for(organisation, _ids(manifest))
    target = package_folder(mark)
    if not target.exists():
        shutil.move(folder, target)
    row = AlgorithmPackage.objects.create(
        fingerprint=mark,
        platform=str(manifest.get("platform", ""))[:32],
        runtime=str(manifest.get("runtime", ""))[:32],
        manifest=manifest,
        path=str(target),
        size=path.stat().st_size,
        file_name=one_line(file_name, limit=200),
        organisation=organisation,
        uploaded_by=by.user if isinstance(by.user, User) else None,
    )
    audit.record(by, "package.upload", row, owner_id=organisation.pk)
    wake("packages")
    return row


def check_package(package: AlgorithmPackage) -> AlgorithmPackage:
    """Run the full check of 1-domain §5 and store its report; a package that passes is registered."""
    with transaction.atomic():
        row = AlgorithmPackage.objects.select_for_update().get(pk=package.pk)
        if row.state in {VersionState.READY, VersionState.REJECTED}:
            return row
        row.state = VersionState.CHECKING
        row.save(update_fields=["state", "updated_at"])
    report = check.check_package(Path(row.path)).as_dict()
    with transaction.atomic():
        row = AlgorithmPackage.objects.select_for_update().get(pk=package.pk)
        if report["passed"]:
            report = _registered(row, report)
        row.report = report
        row.state = VersionState.READY if report["passed"] else VersionState.REJECTED
        row.save(update_fields=["report", "state", "updated_at"])
        if report["passed"]:
            package_ready.send(sender=AlgorithmPackage, package=row)
            wake("analysis")
        audit.record(None, "package.check", row, owner_id=row.organisation_id, outcome=row.state)
    return row


def _registered(package: AlgorithmPackage, report: dict[str, Any]) -> dict[str, Any]:
    """Register what the package holds; a conflict with what is there is one more rule that did not pass."""
    try:
        with transaction.atomic():
            register_algorithms(package)
    except Conflict as refusal:
        rule = {
            "id": refusal.code,
            "title": gettext_noop("Its algorithms can be registered"),
            "passed": False,
            "message": str(refusal.message),
            "mend": "",
        }
        return {**report, "passed": False, "rules": [*report["rules"], rule]}
    return report


def register_algorithms(package: AlgorithmPackage) -> list[AlgorithmVersion]:
    """Add the algorithms, versions and detection items of a checked package.

    Raises Conflict `algorithm_id_taken` or `version_taken`.
    """
    entries = package.manifest.get("algorithms", [])
    slugs = sorted(_ids(package.manifest))
    for slug in slugs:  # held by one registration at a time: two bureaus may bring the same new id
        Algorithm.objects.get_or_create(slug=slug, defaults={"name_zh": slug[:100], "name_en": slug[:100]})
    list(Algorithm.objects.select_for_update().filter(slug__in=slugs).order_by("slug"))
    must_be_free_for(package.organisation, slugs)
    return [_register(package, entry) for entry in entries]


def _ids(manifest: dict[str, Any]) -> set[str]:
    return {str(entry["id"]) for entry in manifest.get("algorithms") or []}


def _register(package: AlgorithmPackage, entry: dict[str, Any]) -> AlgorithmVersion:
    algorithm, _made = Algorithm.objects.update_or_create(
        slug=entry["id"],
        defaults={
            **_names(entry, entry["id"]),
            "vendor": one_line(str(entry.get("vendor", "")), limit=100),
            "industries": entry.get("industry", []),
            "targets": entry.get("targets", []),
            "places": entry.get("places", []),
            "task": entry.get("task", "detect"),
        },
    )
    version, made = AlgorithmVersion.objects.get_or_create(
        algorithm=algorithm,
        version=str(entry["version"]),
        defaults={
            "entry": entry,
            "parameters": entry.get("parameters", {}),
            "licence": str(entry.get("license", ""))[:200],
            "statement": entry.get("statement", {}),
        },
    )
    if not made and version.entry != entry:
        raise Conflict(
            "version_taken",
            _("%(id)s %(version)s exists with other content. Give the package a new version.")
            % {"id": entry["id"], "version": entry["version"]},
        )
    version.packages.add(package)
    _register_items(algorithm, entry)
    return version


def _register_items(algorithm: Algorithm, entry: dict[str, Any]) -> None:
    for item in entry.get("items", []):
        proposes = str(item.get("proposes", ""))
        DetectionItem.objects.get_or_create(
            algorithm=algorithm,
            code=item["code"],
            defaults={
                **_names(item, item["code"]),
                "proposes": proposes,
                "event_type": EventType.objects.filter(code=proposes).first(),
            },
        )


def _names(entry: dict[str, Any], code: str) -> dict[str, str]:
    """`name_zh` and `name_en` as the package has them, its code where it has none."""
    name = entry.get("name", {})
    return {
        f"name_{language}": one_line(str(name.get(language, code)), limit=100) for language in ("zh", "en")
    }


@transaction.atomic
def set_listed(*, by: Principal, version: AlgorithmVersion, listed: bool) -> AlgorithmVersion:
    """上架 / 下架: only a version with a ready package can go on the shelf."""
    by.must("packages.manage")
    row = AlgorithmVersion.objects.select_for_update().get(pk=version.pk)
    if not may_manage(by, row.algorithm):
        raise NotAllowed(
            "algorithm_of_another", _("This algorithm belongs to another organisation; only it may do that.")
        )
    if listed and not row.packages.filter(state=VersionState.READY).exists():
        raise Conflict("no_ready_package", _("No checked package holds this version yet."))
    row.is_listed = listed
    row.save(update_fields=["is_listed", "updated_at"])
    audit.record(by, "algorithm.list" if listed else "algorithm.unlist", row)
    return row
