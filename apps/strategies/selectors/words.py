"""Components, reasons and graphs in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.strategies.engine.base import Words
from apps.strategies.engine.registry import COMPONENTS


def said(words: Words) -> str:
    """The text in the active language; English where it is not Chinese."""
    return words.zh if (get_language() or "").startswith("zh") else words.en


def component_title(name: str) -> str:
    """The component's title, or its name where this release does not know it."""
    component = COMPONENTS.get(name)
    return said(component.title) if component else name


def reason_words(component: str, reason: str) -> str:
    """Why something was stopped, in words; an unknown reason is shown as it is."""
    general = {
        "no_strategy": _("No strategy is bound to this camera and event type"),
        "unmapped_item": _("The detection item has no accepted event type"),
        "process_died": _("The process died three times while judging it"),
    }
    if reason in general:
        return general[reason]
    known = COMPONENTS.get(component)
    if known is not None and reason in known.reasons:
        return said(known.reasons[reason])
    return reason


def verdict_words(step: Mapping[str, Any]) -> str:
    """What a component did, for a step that needs no reason."""
    known = {"passed": _("passed"), "stopped": _("stopped"), "merged": _("merged"), "raised": _("raised")}
    return known.get(step["verdict"], str(step["verdict"]))


def detail_in_words(detail: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What a component saw, as (name, value); numbers to three places, names of later components as they are."""
    names = {
        "code": _("event type"),
        "event": _("main event"),
        "frames": _("pictures needed"),
        "gap_s": _("seconds since its last sight"),
        "height": _("height"),
        "kept": _("targets left"),
        "lasted_s": _("seen for (s)"),
        "min": _("minimum"),
        "of": _("of"),
        "regions": _("regions"),
        "repeat": _("a repeat of its main event"),
        "score": _("confidence"),
        "seconds": _("seconds needed"),
        "seen": _("pictures seen"),
        "targets": _("targets"),
        "width": _("width"),
        "window_s": _("merge window (s)"),
    }
    return [(names.get(name, name), _value(value)) for name, value in detail.items()]


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def steps_in_words(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a trace with titles and reasons in words."""
    return [
        {
            **step,
            "title": component_title(step["component"]),
            "why": reason_words(step["component"], step["reason"]) if step["reason"] else verdict_words(step),
            "saw": detail_in_words(step["detail"]),
        }
        for step in steps
    ]


def drawn_graph(
    graph: Mapping[str, Any],
    *,
    counts: Mapping[str, Mapping[str, int]] | None = None,
    verdicts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A graph for the strategy-view controller: titles, and counts or verdicts per node."""
    nodes = []
    for node in graph.get("nodes", []):
        shown = {**node, "label": component_title(str(node.get("component", "")))}
        if counts is not None:
            seen = counts.get(node["id"], {})
            shown["counts"] = {_("passed"): seen.get("passed", 0), _("stopped"): seen.get("stopped", 0)}
        if verdicts and node["id"] in verdicts:
            shown["verdict"] = verdicts[node["id"]]
        nodes.append(shown)
    return {"nodes": nodes, "edges": list(graph.get("edges", []))}


def parameters_in_words(graph: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per node its title and its parameters with title, value and unit; defaults are marked."""
    rows = []
    for node in graph.get("nodes", []):
        component = COMPONENTS.get(str(node.get("component", "")))
        if component is None:
            continue
        given = node.get("params", {})
        values = []
        for name, spec in component.parameters.items():
            if name not in given and "default" not in spec:
                continue
            value = given.get(name, spec.get("default"))
            values.append(
                {
                    "title": _language(spec.get("x-title", {}), spec["title"]),
                    "value": value,
                    "unit": _language(spec.get("x-unit", {}), ""),
                    "is_default": name not in given,
                }
            )
        rows.append(
            {"id": node["id"], "title": said(component.title), "component": component.name, "values": values}
        )
    return rows


def _language(words: Mapping[str, str], otherwise: str) -> str:
    return words.get("zh" if (get_language() or "").startswith("zh") else "en", otherwise)


def in_order(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its keys as the contract writes them; the database keeps no order."""
    keys = ("schema", "nodes", "edges", "id", "component", "params", "at", "from", "to")

    def sorted_keys(part: Any) -> Any:
        if isinstance(part, list):
            return [sorted_keys(item) for item in part]
        if not isinstance(part, dict):
            return part
        first = [key for key in keys if key in part]
        return {key: sorted_keys(part[key]) for key in [*first, *(k for k in part if k not in keys)]}

    ordered: dict[str, Any] = sorted_keys(dict(graph))
    return ordered
