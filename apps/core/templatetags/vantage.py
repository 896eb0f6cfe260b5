"""Tags every page uses: built assets, icons, times, states, form fields. Loaded for all templates."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.templatetags.assets import dist_url, entry_files, icon_sprite
from apps.core.templatetags.tones import tone_of

register = template.Library()


@register.simple_tag
def vite_asset(entry: str = "frontend/main.ts") -> SafeString:
    """Style links, module preloads and the module script of a built entry; a comment where nothing is built."""
    files = entry_files(entry)
    if files is None:
        return format_html("<!-- {} is not built: npm run build -->", entry)
    return (
        format_html_join(
            "", '<link rel="stylesheet" href="{}">', ((dist_url(name),) for name in files.styles)
        )
        + format_html_join(
            "", '<link rel="modulepreload" href="{}">', ((dist_url(n),) for n in files.preloads)
        )
        + format_html('<script type="module" src="{}"></script>', dist_url(files.script))
    )


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """A Tabler icon from the sprite, hidden from readers unless it has a `label`. The build collects its name."""
    described = (
        format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    )
    classes = f"icon {css}".strip()
    target = f"{icon_sprite()}#{name}"
    return format_html(
        '<svg class="{}" {} focusable="false"><use href="{}"/></svg>', classes, described, target
    )


@register.simple_tag
def icon_sprite_url() -> str:
    """Address of the sprite, for icons made in the browser."""
    return icon_sprite()


@register.simple_tag
def local_time(value: datetime | None, show: str = "both") -> SafeString:
    """A moment in the site's time zone. `show`: both, absolute, relative; nothing is shown as a dash."""
    if value is None:
        return format_html('<span class="text-secondary">{}</span>', "—")
    local = timezone.localtime(value)
    absolute = local.strftime("%Y-%m-%d %H:%M:%S")
    relative = relative_text(value, timezone.now())
    iso = value.astimezone(UTC).isoformat(timespec="milliseconds")
    if show == "absolute":
        return format_html('<time datetime="{}" title="{}">{}</time>', iso, relative, absolute)
    ticking = format_html(
        '<time datetime="{}" title="{}" data-controller="relative-time">{}</time>', iso, absolute, relative
    )
    if show == "relative":
        return ticking
    return format_html('<span class="moment"><span>{}</span> <small>{}</small></span>', absolute, ticking)


def relative_text(value: datetime, now: datetime) -> str:
    """How long ago, or in how long, in the largest fitting unit; under five seconds is "just now"."""
    seconds = round((now - value).total_seconds())
    size = abs(seconds)
    if size < 5:
        return _("just now")
    if size < 60:
        amount = ngettext("%(count)d second", "%(count)d seconds", size) % {"count": size}
    elif size < 3600:
        amount = ngettext("%(count)d minute", "%(count)d minutes", size // 60) % {"count": size // 60}
    elif size < 86400:
        amount = ngettext("%(count)d hour", "%(count)d hours", size // 3600) % {"count": size // 3600}
    else:
        amount = ngettext("%(count)d day", "%(count)d days", size // 86400) % {"count": size // 86400}
    return (
        _("%(amount)s ago") % {"amount": amount} if seconds > 0 else _("in %(amount)s") % {"amount": amount}
    )


@register.simple_tag
def status_badge(state: Any, label: str = "", title: str = "") -> SafeString:
    """A state as colour, shape and word. `label` defaults to the choice's own label, then to its code."""
    code = str(getattr(state, "value", state) or "unknown")
    word = label or str(getattr(state, "label", code))
    tone = tone_of(code)
    return format_html(
        '<span class="state state-{}" title="{}">{}<span>{}</span></span>',
        tone.name,
        title,
        icon(tone.icon),
        word,
    )


@register.simple_tag
def tone(state: Any) -> str:
    """The colour name of a state: green, grey, red, amber, blue."""
    return tone_of(str(getattr(state, "value", state) or "unknown")).name


@register.filter
def to_json(value: Any) -> str:
    """JSON for a data- attribute; autoescaping makes it safe there."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


@register.filter
def short_id(value: Any) -> str:
    """The last eight characters of an id: UUIDv7 begins with the time, so only its end tells rows apart."""
    return str(value)[-8:]


@register.filter
def item(mapping: Any, key: str) -> Any:
    """`mapping[key]`, or nothing where it is missing."""
    return mapping.get(key, "") if hasattr(mapping, "get") else getattr(mapping, key, "")


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, unit: str = "", wide: bool = False) -> dict[str, Any]:
    """One form field with label, control, unit, help and errors, tied together for screen readers."""
    widget = bound.field.widget
    css = "form-control"
    if isinstance(widget, CheckboxInput):
        css = "form-check-input"
    elif isinstance(widget, CheckboxSelectMultiple | RadioSelect):
        css = ""
    elif isinstance(widget, Select):
        css = "form-select"
    attrs: dict[str, Any] = {"class": " ".join(filter(None, [css, widget.attrs.get("class", "")]))}
    if bound.errors:
        attrs["class"] += " is-invalid"
        attrs["aria-invalid"] = "true"
    described = [f"{bound.auto_id}_help"] * bool(bound.help_text) + [f"{bound.auto_id}_error"] * bool(
        bound.errors
    )
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attrs),
        "check": isinstance(widget, CheckboxInput),
        "unit": unit,
        "wide": wide,
    }
