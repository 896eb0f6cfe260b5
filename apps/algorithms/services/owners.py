"""Whose an algorithm is: the organisation of its first package. Nobody else's package may change it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.algorithms.models import Algorithm, AlgorithmVersion
from apps.core.errors import Conflict


def owner_of(algorithm: Algorithm) -> Organisation | None:
    """The organisation whose package brought the algorithm first; None while no package holds it."""
    links = AlgorithmVersion.packages.through.objects.filter(algorithmversion__algorithm=algorithm)
    first = links.select_related("algorithmpackage__organisation").order_by("pk").first()
    return first.algorithmpackage.organisation if first else None


def must_be_free_for(organisation: Organisation, slugs: Iterable[str]) -> None:
    """Raise Conflict `algorithm_id_taken` where one of the ids belongs to somebody that `organisation` is not above."""
    for algorithm in Algorithm.objects.filter(slug__in=list(slugs)).order_by("slug"):
        owner = owner_of(algorithm)
        if owner is not None and not owner.path.startswith(organisation.path):
            words = _(
                "The algorithm id %(id)s belongs to %(owner)s. Choose another id, "
                "or let %(owner)s upload the package."
            ) % {"id": algorithm.slug, "owner": owner.name}
            raise Conflict("algorithm_id_taken", words, fields={"file": words})


def may_manage(by: Principal, algorithm: Algorithm) -> bool:
    """Whether the principal manages packages and the algorithm's owner is its organisation or below it."""
    if not by.can("packages.manage"):
        return False
    owner = owner_of(algorithm)
    return owner is None or owner.path.startswith(by.organisation_path)
