"""Times, states and form fields as every page shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.utils.translation import override

from apps.core.templatetags.tones import AMBER, BLUE, GREEN, GREY, RED, Tone, tone_of
from apps.core.templatetags.vantage import relative_text

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (-timedelta(minutes=5), "in 5 minutes"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(age: timedelta, expected: str) -> None:
    with override("en"):
        assert relative_text(NOW - age, NOW) == expected


def test_a_moment_is_shown_in_the_city_and_carried_in_utc() -> None:
    html = render("{% local_time moment %}", moment=NOW)
    assert "2026-11-21 14:00:00" in html
    assert 'datetime="2026-11-21T06:00:00.000+00:00"' in html
    assert 'data-controller="relative-time"' in html


def test_no_moment_is_a_dash() -> None:
    assert "—" in render("{% local_time moment %}", moment=None)


@pytest.mark.parametrize(
    ("code", "tone"),
    [
        ("online", GREEN),
        ("confirmed", GREEN),
        ("delivered", GREEN),
        ("offline", GREY),
        ("skipped", GREY),
        ("event", RED),
        ("failed", RED),
        ("expired", RED),
        ("pending", AMBER),
        ("degraded", AMBER),
        ("retrying", AMBER),
        ("selected", BLUE),
        ("NOT_ANALYSED", AMBER),
        ("invented-tomorrow", GREY),
    ],
)
def test_a_colour_means_one_thing(code: str, tone: Tone) -> None:
    assert tone_of(code) is tone


def test_a_state_is_colour_shape_and_word() -> None:
    html = render('{% status_badge "dead" word %}', word="<b>Dead</b>")
    assert "state-red" in html
    assert "#alert-octagon" in html
    assert "&lt;b&gt;Dead&lt;/b&gt;" in html


class _Form(forms.Form):
    width = forms.IntegerField(
        help_text="Pixels of the picture", widget=forms.NumberInput(attrs={"class": "wide"})
    )
    active = forms.BooleanField(required=False)


def test_a_wrong_field_says_so_to_everybody() -> None:
    html = render('{% field form.width unit="px" %}', form=_Form({"width": "x"}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_width_help id_width_error"' in html
    assert 'id="id_width_error"' in html
    assert 'class="form-control wide is-invalid"' in html
    assert ">px<" in html


def test_a_checkbox_has_its_words_beside_it() -> None:
    assert "form-check-input" in render("{% field form.active %}", form=_Form())


def test_json_in_an_attribute_cannot_leave_it() -> None:
    html = render('<p data-x="{{ value|to_json }}">', value={"name": '"><script>alert(1)</script>'})
    assert "<script>" not in html
    assert html.count('"') == 2
