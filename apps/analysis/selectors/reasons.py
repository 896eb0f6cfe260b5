"""Reason codes of waiting, capturing and analysing, in words that say what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _


def reason_words(code: str) -> str:
    """The words of a reason code; an unknown code stands for itself, no code is an empty text."""
    if code.startswith("quality_"):
        return _QUALITY().get(code.removeprefix("quality_"), _("The picture was not fit for analysis."))
    return _WORDS().get(code, code)


def _QUALITY() -> dict[str, str]:
    return {
        "corrupt": _("The picture was damaged."),
        "grey": _("The picture was grey: data were missing."),
        "torn": _("The picture was torn."),
        "black": _("The picture was black."),
        "white": _("The picture was white."),
        "blank": _("The picture was blank."),
        "blurred": _("The picture was out of focus."),
    }


def _WORDS() -> dict[str, str]:
    return {
        "": "",
        "outside_plan": _("Outside its time plan."),
        "camera_disabled": _("The camera is switched off here."),
        "no_stream": _("The camera has no stream. Add its address."),
        "package_not_ready": _("No checked package of the algorithm fits a node."),
        "item_unmapped": _("The algorithm's detection items have no accepted event type yet."),
        "node_offline": _("No compute node is alive. Start one or look at Nodes."),
        "not_placed": _("Waiting for a node."),
        "slow_gop": _("The interval is shorter than the camera's keyframe interval."),
        "takes_turns": _(
            "The node cannot look at every picture of all its cameras: they take turns, in between keyframes are"
            " looked at."
        ),
        "no_worker": _("No capture worker took it in time."),
        "worker_lost": _("The capture worker was lost and the interval was over."),
        "analysis_late": _("Captured, but not analysed in time."),
        "frame_lost": _("The picture was lost before it was analysed."),
        "frame_store": _("The node's frame store could not be written."),
        "frame_corrupt": _("The picture was damaged."),
        "capture_error": _("The capture failed; the log says why."),
        "capture_crashed": _("The picture ended the process that took it, three times; it was given up."),
        "analysis_crashed": _(
            "The picture ended the process that analysed it, three times; it was given up."
        ),
        "engine_crashed": _("The picture ended the inference engine, three times; it was given up."),
        "credentials_unreadable": _("The stored password of the stream cannot be read. Enter it again."),
        "execution_ended": _("The task was stopped meanwhile."),
        "engine_unavailable": _("The inference engine did not answer."),
        "engine_error": _("The inference engine failed; the log says why."),
        "engine_busy": _("The inference engine was busy."),
        "preempted": _("Its room on the device was given to a task of a higher priority."),
        "engine_restarted": _("The inference engine was restarted."),
        "bad_spec": _("The package or the scene rule cannot be run."),
        "model_missing": _("The model's file is missing on the node."),
        "model_corrupt": _("The model's file is damaged on the node."),
        "model_refused": _("The model was refused by the engine."),
        "model_error": _("The model failed on this picture."),
        "out_of_memory": _("Not enough memory for the model."),
        "output_mismatch": _("The model's output does not fit its decoder."),
        "learning": _("The analyser is still learning the scene."),
        "scene_change": _("The scene changed; the analyser learns it again."),
        "out_of_order": _("The picture came out of order."),
        "no_region": _("No region is drawn. Draw one in the scene."),
        "unchanged": _("Nothing had changed since the last look, which found nothing."),
        "refused": _("Not reachable or not permitted."),
        "unreachable": _("The camera was not reachable."),
        "timeout": _("The camera did not answer in time."),
        "unauthorised": _("The camera refused the user name or password."),
        "not_found": _("The camera has no stream under its path."),
        "unsupported_codec": _("The picture's coding is not supported."),
        "no_video": _("There was no picture in the stream."),
        "no_keyframe": _("No complete picture came."),
        "corrupt": _("The pictures that came were damaged."),
        "ended": _("The stream ended."),
        "closed": _("The stream was closed."),
    }
