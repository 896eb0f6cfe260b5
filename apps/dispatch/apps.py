from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DispatchConfig(AppConfig):
    """Nodes, placement, the chain page."""

    name = "apps.dispatch"
    label = "dispatch"
    verbose_name = _("Dispatch")

    def ready(self) -> None:
        from apps.dispatch import metrics, receivers
        from apps.dispatch.registry import frame_stages, links
        from apps.dispatch.selectors import chain, frame
        from apps.events.signals import event_changed

        event_changed.connect(receivers.on_event_changed, dispatch_uid="dispatch.log")
        links.add("1-fetch", chain.fetch_link)
        links.add("2-decode", chain.decode_link)
        links.add("3-queue", chain.queue_link)
        links.add("4-inference", chain.inference_link)
        links.add("6-event", chain.event_link)
        frame_stages.add("1-capture", frame.capture_stages)
        frame_stages.add("2-inference", frame.inference_stages)
        frame_stages.add("3-write", frame.write_stages)
        frame_stages.add("5-event", frame.event_stages)
        frame_stages.add("6-push", frame.push_stages)
        metrics.register()
