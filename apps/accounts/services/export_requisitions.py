"""More than the quota of exports: asked for with a reason, decided by somebody else, used once.

The one approval engine for all kinds of requisitions (1-domain, part 4) is not built; this is the smallest flow of
one step, with its states and words.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.choices import RequisitionState as S
from apps.accounts.models import ExportRequisition, Organisation, User
from apps.accounts.permissions import ABILITIES, Principal
from apps.accounts.services.notify import MOST_TOLD, notify
from apps.core import audit, clock
from apps.core.errors import Conflict, NotAllowed, NotFound, Refusal
from apps.core.moves import MoveTable, locked, move
from apps.core.sealing import is_sound

ABILITY = "grants.manage"
MOST_ROWS = 1_000_000
LIFE = timedelta(days=7)  # of an approval that nobody uses
MOVES: MoveTable = {
    S.SUBMITTED: frozenset({S.APPROVED, S.REJECTED, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.USED, S.WITHDRAWN}),
}


def request_export(*, by: Principal, rows: int, reason: str) -> ExportRequisition:
    """Ask for `rows` (1 to MOST_ROWS) more than the quota. One request waits at a time (code `requisition_open`)."""
    if by.kind != "user":
        raise NotAllowed("people_only", _("Only a person can ask for more exports."))
    if not 1 <= rows <= MOST_ROWS:
        raise Refusal("rows_out_of_range", _("Ask for 1 to 1,000,000 rows."), fields={"rows": ""})
    if not reason.strip():
        raise Refusal("reason_missing", _("Say what the rows are for."), fields={"reason": ""})
    try:
        with transaction.atomic():
            row = ExportRequisition.objects.create(user_id=by.id, rows=rows, reason=reason)
            audit.record(by, "export.request", row, owner_id=by.organisation_id, rows=rows, reason=reason)
            _tell_deciders(by, rows)
    except IntegrityError as error:
        raise Conflict(
            "requisition_open", _("Your last request waits for a decision. Withdraw it to ask anew.")
        ) from error
    return row


@transaction.atomic
def decide_export(
    *, by: Principal, requisition: ExportRequisition, approve: bool, opinion: str = ""
) -> ExportRequisition:
    """Approve or reject, for the person's own organisation or one above it; nobody decides for themselves.

    Raises NotFound, NotAllowed (`ability_missing`, `own_requisition`), Refusal (`opinion_missing`), Conflict.
    """
    by.must(ABILITY)
    row = locked(requisition)
    if not row.user.organisation.path.startswith(by.organisation_path):
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    if row.user_id == by.id:
        raise NotAllowed("own_requisition", _("Nobody decides what they asked for. Ask a colleague."))
    if not approve and not opinion.strip():
        raise Refusal(
            "opinion_missing", _("Say why, so that the person knows what to change."), fields={"opinion": ""}
        )
    _must_be_sound(row)
    moment = clock.now()
    row = move(
        row,
        S.APPROVED if approve else S.REJECTED,
        MOVES,
        decider_id=by.id,
        decider_name=by.name,
        opinion=opinion,
        decided_at=moment,
        valid_to=moment + LIFE if approve else None,
    )
    action = "export.approve" if approve else "export.reject"
    audit.record(by, action, row, owner_id=row.user.organisation_id, rows=row.rows, opinion=opinion)
    _tell_asker(row, approve)
    return row


@transaction.atomic
def withdraw_export(*, by: Principal, requisition: ExportRequisition) -> ExportRequisition:
    """Take back what one asked for, before it was used."""
    if requisition.user_id != by.id:
        raise NotAllowed("not_own_requisition", _("Only who asked can take it back."))
    _must_be_sound(locked(requisition))
    row = move(requisition, S.WITHDRAWN, MOVES)
    audit.record(by, "export.withdraw", row, owner_id=by.organisation_id, rows=row.rows)
    return row


def approved_for(user: User, rows: int) -> ExportRequisition | None:
    """The smallest sound approval of this person that covers `rows` now; call under the lock of the person's row."""
    waiting = ExportRequisition.objects.select_for_update(of=("self",)).filter(
        user=user, state=S.APPROVED, valid_to__gt=clock.now(), rows__gte=rows
    )
    return next((row for row in waiting.order_by("rows", "pk") if is_sound(row)), None)


def use_up(requisition: ExportRequisition) -> None:
    """It served; it gives nothing more."""
    move(requisition, S.USED, MOVES, used_at=clock.now())


def _must_be_sound(row: ExportRequisition) -> None:
    if not is_sound(row):
        raise Conflict(
            "requisition_broken",
            _("This request was changed past the platform. Ask anew; the trail knows of it."),
        )


def _tell_deciders(by: Principal, rows: int) -> None:
    """Who may decide: the nearest organisation on the way up that has somebody else who may."""
    deciders = User.objects.filter(is_active=True, role_bindings__role__in=ABILITIES[ABILITY]).exclude(
        pk=by.id
    )
    for end in range(len(by.organisation_path), 0, -Organisation.steplen):
        found = list(deciders.filter(organisation__path=by.organisation_path[:end]).distinct()[:MOST_TOLD])
        if found:
            with translation.override("zh-hans"):
                title = _("Somebody asks to export more")
                body = _("%(who)s asks for %(rows)d rows beyond the quota.") % {"who": by.name, "rows": rows}
                link = reverse("accounts:requisition-list")
                notify(found, kind="export.request", title=title, body=body, link=link)
            return


def _tell_asker(row: ExportRequisition, approve: bool) -> None:
    with translation.override("zh-hans"):
        title = _("More exports were approved") if approve else _("More exports were not approved")
        body = row.opinion or _("%(rows)d rows, once, within seven days.") % {"rows": row.rows}
        link = reverse("accounts:requisition-list")
        notify([row.user], kind="export.decided", title=title, body=body, link=link)
