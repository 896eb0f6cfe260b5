"""Small builders of rows; each makes what it needs and takes keyword overrides."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from apps.accounts.models import Organisation, User
from apps.accounts.permissions import SYSTEM, Principal, principal_of_user
from apps.accounts.services import bind_role, give_grant
from apps.algorithms.models import Algorithm, AlgorithmPackage, AlgorithmVersion, DetectionItem, EventType
from apps.analysis.models import Plan
from apps.core import clock
from apps.devices.models import Camera, CameraAccess, CameraGrant, CameraIdentity, Preset, Stream

_number = itertools.count(1)
PASSWORD = "correct horse battery"


def organisation(parent: Organisation | None = None, **fields: Any) -> Organisation:
    """A bureau at the top level, or a child of `parent`."""
    number = next(_number)
    values = {"code": f"org-{number}", "name": f"单位{number}", "kind": "bureau", **fields}
    return parent.add_child(**values) if parent else Organisation.add_root(**values)


def user(
    organisation_: Organisation | None = None, roles: tuple[str, ...] = ("bureau_officer",), **fields: Any
) -> User:
    """A user with PASSWORD and these roles."""
    home = organisation_ or organisation()
    made = User.objects.create_user(
        fields.pop("username", f"user{next(_number)}"), PASSWORD, organisation=home, **fields
    )
    for role in roles:
        bind_role(by=SYSTEM, user=made, role=role)
    return made


def principal(
    organisation_: Organisation | None = None, roles: tuple[str, ...] = ("bureau_officer",)
) -> Principal:
    """The principal of a new user."""
    found = principal_of_user(user(organisation_, roles))
    assert found is not None
    return found


def camera(organisation_: Organisation | None = None, *, address: str = "", **fields: Any) -> Camera:
    """A camera with preset 0 and an own code; with `address` it has a main stream."""
    number = next(_number)
    values = {
        "name": f"点位{number}",
        "managing_organisation": organisation_ or organisation(),
        "longitude": 120.0 + number / 10000,
        "latitude": 30.0,
        **fields,
    }
    made = Camera.objects.create(**values)
    Preset.objects.create(camera=made, number=0)
    CameraIdentity.objects.create(camera=made, system="self", code=f"SELF-{number:06d}", is_primary=True)
    if address:
        Stream.objects.create(camera=made, role="main", address=address)
    return made


def grant_access(
    camera_: Camera, grantee: Organisation, actions: tuple[str, ...], *, days: float = 1, ended: bool = False
) -> CameraAccess:
    """A grant on one camera with its compiled rows; `ended` makes one whose time is over."""
    start = clock.now() - timedelta(days=10 if ended else 1)
    end = clock.now() - timedelta(seconds=5) if ended else clock.now() + timedelta(days=days)
    grant = give_grant(
        by=SYSTEM,
        granted_by=camera_.managing_organisation,
        grantee_kind="organisation",
        grantee_id=grantee.pk,
        grantee_name=grantee.name,
        actions=actions,
        purpose="test",
        valid_from=start,
        valid_to=end,
    )
    CameraGrant.objects.create(grant=grant, camera=camera_)
    rows = [
        CameraAccess(
            principal_id=grantee.pk,
            camera=camera_,
            action=action,
            grant=grant,
            valid_from=start,
            valid_to=end,
            history_from=start,
        )
        for action in actions
    ]
    return CameraAccess.objects.bulk_create(rows)[0]


def event_type(**fields: Any) -> EventType:
    """An event type without parent."""
    number = next(_number)
    values = {"code": f"99{number:04d}", "name_zh": f"事件{number}", "name_en": f"Event {number}", **fields}
    return EventType.objects.create(**values)


def package(organisation_: Organisation | None = None, **fields: Any) -> AlgorithmPackage:
    """A checked package row without a file."""
    number = next(_number)
    values = {
        "fingerprint": f"{number:064x}",
        "platform": "cpu",
        "runtime": "builtin",
        "state": "ready",
        "organisation": organisation_ or organisation(),
        **fields,
    }
    return AlgorithmPackage.objects.create(**values)


def algorithm_version(
    *,
    kind: EventType | None = None,
    package_: AlgorithmPackage | None = None,
    item: str = "object.left",
    **fields: Any,
) -> AlgorithmVersion:
    """A listed version with one accepted detection item mapped to `kind`."""
    number = next(_number)
    algorithm = Algorithm.objects.create(
        slug=f"algorithm-{number}", name_zh=f"算法{number}", name_en=f"Algorithm {number}"
    )
    version = AlgorithmVersion.objects.create(algorithm=algorithm, version="1.0.0", is_listed=True, **fields)
    version.packages.add(package_ or package())
    DetectionItem.objects.create(
        algorithm=algorithm,
        code=item,
        name_zh=item,
        name_en=item,
        event_type=kind or event_type(),
        mapping_state="accepted",
    )
    return version


def plan(organisation_: Organisation | None = None, **fields: Any) -> Plan:
    """A plan of all day."""
    return Plan.objects.create(organisation=organisation_ or organisation(), name="全天", **fields)
