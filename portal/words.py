"""The words that scripts show. They are translated here, since the front end holds no text of its own."""

from __future__ import annotations

from django.utils.translation import gettext as _


def script_words() -> dict[str, str]:
    """Key → translated text; `{name}` is filled in by the script. Keys are used by t("key") in frontend/."""
    return {**_common(), **_live(), **_player(), **_drawing(), **_review(), **_chart()}


def _common() -> dict[str, str]:
    return {
        "undo": _("Undo"),
        "undone": _("Undone"),
        "undo_failed": _("This could not be undone: the time has passed or the object changed since."),
        "copied": _("Copied"),
        "copy_failed": _("The browser refused to copy. Select the text and copy it by hand."),
        "request_failed": _(
            "The server did not answer as expected ({status}). Try again; nothing was changed."
        ),
        "network_failed": _("The server cannot be reached. Check the network and try again."),
        "error_id": _("Error id {id}"),
        "just_now": _("just now"),
        "seconds_ago": _("{count} s ago"),
        "minutes_ago": _("{count} min ago"),
        "hours_ago": _("{count} h ago"),
        "days_ago": _("{count} d ago"),
        "in_seconds": _("in {count} s"),
        "in_minutes": _("in {count} min"),
        "in_hours": _("in {count} h"),
        "in_days": _("in {count} d"),
        "selected_count": _("{count} selected"),
        "uploading": _("Uploading: {percent} %"),
        "upload_checking": _("Uploaded. The server is checking the file."),
        "file_too_large": _("This file has {size}; at most {limit} are allowed."),
        "file_wrong_kind": _("This kind of file is not accepted here. Allowed: {kinds}."),
        "testing_for": _("Testing for {seconds} s"),
        "stale_since": _("Not updated for {seconds} s"),
        "theme_auto": _("Theme: as the system"),
        "theme_light": _("Theme: light"),
        "theme_dark": _("Theme: dark"),
    }


def _live() -> dict[str, str]:
    return {
        "live_connected": _("Live"),
        "live_connecting": _("Connecting"),
        "live_lost": _("Connection lost; trying again in {seconds} s"),
        "live_refused": _("Live news is not available for this session. Log in again."),
        "live_gap": _("Some news was missed while the connection was down. Reload to see everything."),
        "live_filled": _("Connection is back; {count} missed messages were filled in."),
        "new_items": _("{count} new"),
    }


def _player() -> dict[str, str]:
    return {
        "player_live": _("Live"),
        "player_snapshots": _("Snapshots"),
        "player_connecting": _("Connecting"),
        "player_delay": _("{seconds} s behind"),
        "player_stale": _("This picture is {seconds} s old; the camera sends nothing new."),
        "player_stopped": _("Stopped"),
        "player_watermark": _("The player stopped because its watermark was removed. Reload the page."),
        "player_unsupported": _("This browser cannot play the stream; snapshots are shown instead."),
        "player_codec": _(
            "The browser has no decoder for this codec ({codec}); snapshots are shown instead."
        ),
        "player_network": _("The live stream broke off; snapshots are shown until it is back."),
        "player_no_url": _("This camera has no live stream; snapshots are shown instead."),
        "player_no_snapshot": _("No snapshot could be loaded."),
        "player_refused": _("You are not allowed to watch this camera now."),
        "player_paused": _("Paused"),
    }


def _drawing() -> dict[str, str]:
    return {
        "map_no_basemap": _("The base map could not be loaded; cameras are shown without it."),
        "map_cameras_failed": _("The cameras could not be loaded. Move the map to try again."),
        "map_cluster": _("{count} cameras, {online} online"),
        "map_zoom_in": _("Zoom in"),
        "map_zoom_out": _("Zoom out"),
        "region_region": _("Region {number}"),
        "region_line": _("Line {number}"),
        "region_mask": _("Mask {number}"),
        "region_privacy": _("Privacy mask {number}"),
        "region_points": _("{count} points"),
        "region_hint_draw": _("Click to set points; double-click or Enter closes the shape, Esc cancels."),
        "region_hint_edit": _(
            "Drag a point to move it, click an edge's middle to add one, Delete removes it."
        ),
        "region_no_picture": _("The reference picture could not be loaded."),
        "region_crosses": _("The outline crosses itself; move a point."),
        "box_score": _("{label} {score}"),
    }


def _review() -> dict[str, str]:
    return {
        "review_confirmed": _("Confirmed"),
        "review_false_alarm": _("False alarm"),
        "review_unsure": _("Unsure: sent to a second reviewer"),
        "review_skipped": _("Skipped"),
        "review_locked": _("Somebody else is judging this event; the next one is shown."),
        "review_empty": _("Nothing is waiting. Well done."),
        "review_failed": _("The verdict was not saved; the event is back in the queue."),
    }


def _chart() -> dict[str, str]:
    return {"chart_empty": _("No data in this time."), "chart_failed": _("The figures could not be loaded.")}
