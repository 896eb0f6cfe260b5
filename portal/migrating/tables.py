"""The tables that grow without end: what locks or rewrites one of them stops the platform."""

from apps.core.partitions import PARTITIONED

BIG = frozenset(
    {
        *PARTITIONED,
        "core_auditrecord",
        "core_push",
        "devices_capture",
        "events_event",
        "events_eventoccurrence",
        "events_eventaudience",
        "events_review",
        "openapi_delivery",
        "analysis_executionhour",
    }
)
