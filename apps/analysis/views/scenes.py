"""Scenes: list and editor."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.algorithms.models import Algorithm
from apps.analysis import selectors, services
from apps.analysis.filters import SceneFilter
from apps.analysis.forms import SceneForm
from apps.analysis.models import Scene, SceneRule
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.devices.models import Camera
from apps.devices.services import media_url


class SceneListView(VisibleListView):
    """Scenes of the cameras the reader may analyse."""

    model = Scene
    title = gettext_lazy("Scenes")
    filterset_class = SceneFilter
    row_template = "analysis/scene_row.html"
    columns = (
        Column("camera", gettext_lazy("Camera")),
        Column("address", gettext_lazy("Event address")),
        Column("rules", gettext_lazy("Rules"), numeric=True),
        Column("masks", gettext_lazy("Masks"), numeric=True),
        Column("privacy", gettext_lazy("Privacy masks"), numeric=True),
        Column("updated", gettext_lazy("Updated")),
    )

    def rows(self) -> QuerySet[Scene]:
        """With what a row shows."""
        current = Count("rules", filter=Q(rules__is_current=True))
        return super().rows().select_related("camera").annotate(rule_count=current)

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Adding is offered to those who may."""
        return {
            **self.adding("scenes.edit", "analysis:scene-add", _("Set up a scene")),
            "empty_icon": "polygon",
            "empty_title": _("No scenes yet"),
            "empty_text": _("A scene holds the regions, masks and thresholds of a camera's picture."),
        }


@login_required
def scene_add(request: HttpRequest) -> HttpResponse:
    """Choose the camera whose scene is set up."""
    request.principal.must("scenes.edit")
    found = selectors.cameras_to_choose(request.principal, request.GET.get("q", ""), [])
    return render(request, "analysis/scene_add.html", {"cameras": found, "q": request.GET.get("q", "")})


def _camera(request: HttpRequest, camera_id: UUID) -> Camera:
    rows = Camera.objects.all().visible_to(request.principal, "analyse")
    return get_object_or_404(rows.select_related("managing_organisation"), pk=camera_id)


@login_required
def scene_edit(request: HttpRequest, camera_id: UUID, preset: int = 0) -> HttpResponse:
    """Draw regions, lines and masks over the reference picture; parameters come from the algorithm's schema."""
    camera = _camera(request, camera_id)
    scene = Scene.objects.filter(camera=camera, preset=preset).first()
    algorithm = _algorithm(request)
    rule, is_copy = _present_rule(request, scene, algorithm)
    manages = (
        Camera.objects.all()
        .visible_to(request.principal, "change")
        .filter(pk=camera.pk, managing_organisation__path__startswith=request.principal.organisation_path)
        .exists()
    )
    form = SceneForm(
        request.POST or None,
        schema=selectors.rule_schema(algorithm),
        initial=_initial(scene, rule, 0 if is_copy else None),
    )
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, camera, preset, algorithm, form, manages)
        except Refusal as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("The scene was saved."))
            query = f"?algorithm={algorithm.slug}" if algorithm else ""
            return HttpResponseRedirect(request.path + query)
    kinds = (["region", "line"] if algorithm else []) + (["mask", "privacy"] if manages else [])
    context = {
        "camera": camera,
        "scene": scene,
        "form": form,
        "algorithm": algorithm,
        "algorithms": Algorithm.objects.filter(versions__is_listed=True).distinct().order_by("slug"),
        "rule": rule,
        "is_copy": is_copy,
        "manages": manages,
        "can_edit": request.principal.can("scenes.edit"),
        "region_picture_url": media_url("cover", camera.pk, request.principal) if camera.cover else "",
        "region_field": form["shapes"],
        "region_kinds": kinds,
        "region_preset": preset,
        "region_copies": _copies(request, camera, algorithm),
        "history": _history(request, scene, algorithm),
    }
    return render(request, "analysis/scene_form.html", context)


def _algorithm(request: HttpRequest) -> Algorithm | None:
    slug = request.GET.get("algorithm", "")
    return get_object_or_404(Algorithm, slug=slug) if slug else None


def _present_rule(
    request: HttpRequest, scene: Scene | None, algorithm: Algorithm | None
) -> tuple[SceneRule | None, bool]:
    """The own current rule; else the managers' as the default to copy (then True)."""
    if scene is None or algorithm is None:
        return None, False
    rules = SceneRule.objects.filter(scene=scene, algorithm=algorithm, is_current=True)
    own = rules.filter(owner_id=request.principal.organisation_id).first()
    if own is not None:
        return own, False
    theirs = rules.filter(owner_id=scene.camera.managing_organisation_id).first()
    return theirs, theirs is not None


def _initial(scene: Scene | None, rule: SceneRule | None, version: int | None) -> dict[str, Any]:
    shapes = {
        "regions": rule.regions if rule else [],
        "lines": rule.lines if rule else [],
        "masks": scene.masks if scene else [],
        "privacy": scene.privacy_masks if scene else [],
    }
    values: dict[str, Any] = {
        "shapes": json.dumps(shapes),
        "address": scene.address if scene else "",
        "seen_version": version if version is not None else (rule.version if rule else 0),
    }
    values.update({f"p_{name}": value for name, value in (rule.parameters if rule else {}).items()})
    return values


@transaction.atomic
def _save(
    request: HttpRequest,
    camera: Camera,
    preset: int,
    algorithm: Algorithm | None,
    form: SceneForm,
    manages: bool,
) -> None:
    values, by = form.cleaned_data, request.principal
    shapes = values["shapes"]
    if manages:
        services.save_scene(
            by=by,
            camera=camera,
            preset=preset,
            address=values["address"],
            masks=shapes["masks"],
            privacy_masks=shapes["privacy"],
        )
    if algorithm is not None:
        services.save_scene_rule(
            by=by,
            scene=services.ensure_scene(camera=camera, preset=preset),
            algorithm=algorithm,
            regions=shapes["regions"],
            lines=shapes["lines"],
            parameters=form.parameters,
            seen_version=values["seen_version"],
        )


def _copies(request: HttpRequest, camera: Camera, algorithm: Algorithm | None) -> list[tuple[str, str]]:
    if algorithm is None:
        return []
    rules = (
        SceneRule.objects.all()
        .visible_to(request.principal)
        .filter(algorithm=algorithm, is_current=True)
        .exclude(scene__camera=camera)
        .select_related("scene__camera")
        .order_by("-id")[:20]
    )
    return [(reverse("analysis:scene-shapes", args=[rule.pk]), rule.scene.camera.name) for rule in rules]


def _history(request: HttpRequest, scene: Scene | None, algorithm: Algorithm | None) -> Any:
    if scene is None or algorithm is None:
        return []
    rules = SceneRule.objects.all().visible_to(request.principal).filter(scene=scene, algorithm=algorithm)
    return rules.select_related("owner", "made_by").order_by("-id")[:10]


@login_required
def scene_shapes(request: HttpRequest, pk: UUID) -> JsonResponse:
    """The shapes of one rule, for copying into another scene."""
    rule = get_object_or_404(SceneRule.objects.all().visible_to(request.principal), pk=pk)
    return JsonResponse({"regions": rule.regions, "lines": rule.lines, "masks": [], "privacy": []})
