"""Scenes and the immutable versions of their rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.algorithms.models import Algorithm
from apps.analysis.models import Scene, SceneRule
from apps.analysis.selectors import rule_schema
from apps.core import audit
from apps.core.errors import Conflict, NotFound, Refusal
from apps.core.wake import wake
from apps.devices.models import Camera
from workers.vision.geometry import GeometryError, Line, Polygon

MOST_SHAPES = 64


def _checked(kind: str, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    shapes = [dict(item) for item in items]
    if len(shapes) > MOST_SHAPES:
        raise Refusal("too_many_shapes", _("At most %(most)d shapes.") % {"most": MOST_SHAPES})
    for shape in shapes:
        try:
            (Line if kind == "lines" else Polygon).from_dict(shape)
        except GeometryError as error:
            raise Refusal(
                "bad_shape",
                _("A drawn shape is not right: %(reason)s") % {"reason": error},
                fields={kind: str(error)},
            ) from None
    return shapes


@transaction.atomic
def ensure_scene(*, camera: Camera, preset: int = 0) -> Scene:
    """The scene of (camera, preset); made when first needed."""
    return Scene.objects.get_or_create(camera=camera, preset=preset)[0]


@transaction.atomic
def save_scene(
    *,
    by: Principal,
    camera: Camera,
    preset: int = 0,
    address: str | None = None,
    masks: Iterable[Mapping[str, Any]] | None = None,
    privacy_masks: Iterable[Mapping[str, Any]] | None = None,
) -> Scene:
    """Change what belongs to the camera's managers: address, masks, privacy masks. None leaves as it is."""
    by.must("scenes.edit")
    scene = Scene.objects.select_for_update().get_or_create(camera=camera, preset=preset)[0]
    if not Scene.objects.all().visible_to(by, "change").filter(pk=scene.pk).exists():
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    if address is not None:
        scene.address = address.strip()
    if masks is not None:
        scene.masks = _checked("masks", masks)
    if privacy_masks is not None:
        scene.privacy_masks = _checked("privacy", privacy_masks)
    scene.save()
    audit.record(
        by,
        "scene.save",
        scene,
        owner_id=camera.managing_organisation_id,
        masks=len(scene.masks),
        privacy_masks=len(scene.privacy_masks),
    )
    wake("analysis")
    return scene


def _check_parameters(algorithm: Algorithm, parameters: Mapping[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator(rule_schema(algorithm))
    found = next(checker.iter_errors(dict(parameters)), None)
    if found is not None:
        name = str(next(iter(found.absolute_path), "parameters"))
        raise Refusal(
            "bad_parameter",
            _("Parameter “%(name)s” is not right: %(reason)s") % {"name": name, "reason": found.message},
            fields={"parameters": found.message},
        )


@transaction.atomic
def save_scene_rule(
    *,
    by: Principal,
    scene: Scene,
    algorithm: Algorithm,
    owner: Organisation | None = None,
    regions: Iterable[Mapping[str, Any]] = (),
    lines: Iterable[Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
    seen_version: int | None = None,
) -> SceneRule:
    """A new immutable version of the owner's rule; code `rule_changed` when somebody saved meanwhile."""
    by.must("scenes.edit")
    if not Scene.objects.all().visible_to(by, "view").filter(pk=scene.pk).exists():
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    Scene.objects.select_for_update().get(pk=scene.pk)
    values = dict(parameters or {})
    _check_parameters(algorithm, values)
    owner_id = owner.pk if owner is not None else by.organisation_id
    rows = SceneRule.objects.filter(scene=scene, algorithm=algorithm, owner_id=owner_id)
    last = rows.order_by("-version").first()
    number = last.version if last else 0
    if seen_version is not None and seen_version != number:
        raise Conflict(
            "rule_changed", _("Somebody saved this rule meanwhile. Reload the page to see the newer one.")
        )
    rows.filter(is_current=True).update(is_current=False)
    rule = SceneRule.objects.create(
        scene=scene,
        algorithm=algorithm,
        owner_id=owner_id,
        version=number + 1,
        regions=_checked("regions", regions),
        lines=_checked("lines", lines),
        parameters=values,
        made_by=by.user,
    )
    audit.record(
        by,
        "scene_rule.save",
        rule,
        owner_id=scene.camera.managing_organisation_id,
        version=rule.version,
        regions=len(rule.regions),
    )
    wake("analysis")
    return rule
