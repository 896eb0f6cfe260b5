"""Streams: credentials sealed apart from the address, and the trial before one is saved."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.crypto import provider
from apps.core.errors import Refusal
from apps.core.outbound.settings import camera_policy
from apps.devices.choices import StreamRole, Transport
from apps.devices.models import Camera, Stream
from workers.vision.errors import SourceError, SourceFault
from workers.vision.live import browser_reason
from workers.vision.probe import Probe, probe
from workers.vision.sources import SourceOptions
from workers.vision.sources.files import inside
from workers.vision.sources.urls import mask_url, validate_url

logger = logging.getLogger(__name__)
TRIAL_SECONDS = 6.0


def fault_words(fault: str) -> str:
    """What happened and what to do, in the reader's language; a policy refusal reads like an unreachable address."""
    return {
        SourceFault.UNREACHABLE: _(
            "Not reachable or not permitted. Check address, port and network, "
            "or ask the platform administrator to open this network."
        ),
        SourceFault.TIMEOUT: _("The camera did not answer in time. Check that it is on and reachable."),
        SourceFault.UNAUTHORISED: _("The camera refused the user name or password."),
        SourceFault.NOT_FOUND: _("The camera has no stream under this path. Check the path."),
        SourceFault.UNSUPPORTED_SCHEME: _(
            "This kind of address is not supported. Use RTSP, RTMP, HTTP-FLV or HLS."
        ),
        SourceFault.UNSUPPORTED_CODEC: _("The picture's coding is not supported."),
        SourceFault.INVALID_URL: _(
            "This is not a complete address, for example rtsp://10.2.3.4:554/stream1."
        ),
        SourceFault.NO_VIDEO: _("There is sound or data, but no picture in this stream."),
        SourceFault.NO_KEYFRAME: _(
            "No complete picture came. The stream may be damaged or its keyframes far apart."
        ),
        SourceFault.CORRUPT: _("The pictures that came are damaged."),
        SourceFault.TOO_LARGE: _("The answer was larger than a camera sends."),
        SourceFault.ENDED: _("The stream ended."),
        SourceFault.CLOSED: _("The stream was closed."),
    }.get(SourceFault(shown_fault(fault)), _("The stream could not be opened."))


def shown_fault(fault: str) -> str:
    """The fault as a bureau sees it: what the policy refuses looks like what does not answer (S04)."""
    return SourceFault.UNREACHABLE.value if fault == SourceFault.REFUSED else str(fault)


def live_reason(codec: str) -> str:
    """Why a browser shows snapshots of this codec instead of the live stream; empty where it plays."""
    if not browser_reason(codec):
        return ""
    return _("Browsers do not play %(codec)s as a live stream; snapshots are shown instead.") % {
        "codec": codec.upper()
    }


def media_roots() -> tuple[Path, ...]:
    """Folders whose files may be sources."""
    return tuple(Path(root) for root in settings.VANTAGE_MEDIA_ROOTS)


def source_options(stream: Stream | None = None, transport: str = Transport.AUTO) -> SourceOptions:
    """How the vision library opens this stream."""
    wanted = stream.transport if stream is not None else transport
    return SourceOptions(
        transport="udp" if wanted == Transport.UDP else "tcp",
        file_roots=media_roots(),
        realtime=True,
        loop=True,
    )


_SECRET_NAME = re.compile(r"(?i)pass|pwd|token|secret|key|auth|sign|user|account")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What of a stream's URL is secret: `user:password` as written, and a query that names a secret."""

    login: str = ""
    query: str = ""

    def __bool__(self) -> bool:
        return bool(self.login or self.query)


def split_credentials(url: str) -> tuple[str, Credentials]:
    """(the address that may be shown, what is sealed apart from it)."""
    parts = urlsplit(url)
    login, _at, host = parts.netloc.rpartition("@")
    names = [name for name, _value in parse_qsl(parts.query, keep_blank_values=True)]
    query = parts.query if any(_SECRET_NAME.search(name) for name in names) else ""
    shown = parts._replace(netloc=host, query="" if query else parts.query)
    return urlunsplit(shown), Credentials(login, query)


def open_stream_url(stream: Stream) -> str:
    """The full address with its credentials, for workers only: never for a screen, a log or a message."""
    if not stream.credentials:
        return stream.address
    sealed = json.loads(provider().decrypt(stream.credentials, context=f"devices.stream:{stream.pk}"))
    parts = urlsplit(stream.address)
    netloc = f"{sealed['login']}@{parts.netloc}" if sealed["login"] else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query=sealed["query"] or parts.query))


def check_address(url: str, by: Principal) -> None:
    """Refuse a bad address with words for its field (code is the fault); nothing is contacted.

    Call it outside a transaction that the refusal rolls back: the policy's reason goes to the audit, not to the form.
    """
    try:
        parsed = validate_url(url, file_roots=media_roots())
        if parsed.scheme == "file":
            inside(Path(parsed.path), media_roots())
        else:
            camera_policy().vet(parsed.host, parsed.port)
    except SourceError as error:
        if error.fault == SourceFault.REFUSED:
            reason = error.detail or error.message
            audit.record(
                by,
                "stream.refused",
                outcome="refused",
                owner_id=by.organisation_id,
                name=mask_url(url)[:200],
                reason=reason,
            )
        words = fault_words(error.fault)
        raise Refusal(shown_fault(error.fault), words, fields={"stream_url": words}) from None


@dataclass(frozen=True, slots=True)
class StreamTrial:
    """What a trial found, or why it failed; `probe` is None on failure."""

    probe: Probe | None
    fault: str = ""
    words: str = ""


def try_stream(*, by: Principal, url: str, transport: str = Transport.AUTO) -> StreamTrial:
    """Open the address for some seconds and look. Never raises for a bad stream: the fault is the answer."""
    by.must("cameras.edit")
    try:
        check_address(url, by)
        found = probe(url, camera_policy(), TRIAL_SECONDS, options=source_options(transport=transport))
    except Refusal as refusal:
        return StreamTrial(None, refusal.code, str(refusal.message))
    except SourceError as error:
        audit.record(by, "stream.test", outcome="failed", name=mask_url(url)[:200], fault=error.fault.value)
        return StreamTrial(None, shown_fault(error.fault), fault_words(error.fault))
    audit.record(by, "stream.test", name=mask_url(url)[:200])
    return StreamTrial(found)


def save_stream(
    *,
    by: Principal,
    camera: Camera,
    url: str,
    role: str = StreamRole.MAIN,
    transport: str = Transport.AUTO,
    found: Probe | None = None,
) -> Stream:
    """Store a stream of the camera; credentials inside the URL are sealed apart from the address."""
    check_address(url, by)
    with transaction.atomic():
        return store_stream(by=by, camera=camera, url=url, role=role, transport=transport, found=found)


def store_stream(
    *, by: Principal, camera: Camera, url: str, role: str, transport: str, found: Probe | None
) -> Stream:
    """Write the row of an address that `check_address` let through, in the caller's transaction."""
    address, credentials = split_credentials(url)
    stream, _made = Stream.objects.select_for_update().get_or_create(
        camera=camera, role=role, defaults={"address": address}
    )
    moved = urlsplit(address).netloc != urlsplit(stream.address).netloc
    stream.address, stream.transport = address, transport
    if credentials:
        text = json.dumps({"login": credentials.login, "query": credentials.query})
        stream.credentials = provider().encrypt(text, context=f"devices.stream:{stream.pk}")
    elif moved:  # a password is never sent to a host it was not given for
        stream.credentials = ""
    if found is not None:
        stream.codec, stream.width, stream.height = found.codec, found.width, found.height
        stream.frame_rate, stream.gop, stream.clock_offset = found.fps, found.gop, found.clock_offset
        stream.probed_at = clock.now()
    stream.save()
    audit.record(by, "stream.save", camera, owner_id=camera.managing_organisation_id, role=role)
    return stream
