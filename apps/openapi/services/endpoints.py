"""Is this endpoint permitted? Asked when it is saved; the client asks again at each send."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit
from apps.core.errors import Refusal
from apps.core.outbound.client import Target
from apps.core.outbound.policy import OutboundRefused
from apps.core.outbound.settings import configured_policy
from apps.openapi.models import App


def vet_endpoint(*, by: Principal, app: App, url: str) -> None:
    """Raise Refusal (code `endpoint_refused`) unless the policy lets us connect to `url`.

    The form learns "not reachable or not permitted"; the policy's reason is an audit record. Call it outside the
    transaction of the change, or the record goes with the refusal.
    """
    try:
        target = Target.parse(url)
        configured_policy().vet(target.host, target.port)
    except OutboundRefused as error:
        reason = error.reason
    except ValueError as error:
        reason = str(error)
    else:
        return
    audit.record(
        by,
        "endpoint.refused",
        app,
        outcome="refused",
        owner_id=app.organisation_id,
        url=url[:300],
        reason=reason,
    )
    words = _("This address is not reachable or not permitted. Ask your platform administrator to open it.")
    raise Refusal("endpoint_refused", words, fields={"endpoint": words})
