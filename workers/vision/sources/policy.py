"""Who may be called: the address guard that every opening of a source asks."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from workers.vision.errors import SourceError, SourceFault


@runtime_checkable
class AddressPolicy(Protocol):
    """Resolves a host once and says which address may be connected to."""

    def vet(self, host: str, port: int) -> str:
        """Return the IP literal (without brackets) to connect to.

        Raises SourceError(SourceFault.REFUSED) for an address that is not permitted and
        SourceError(SourceFault.UNREACHABLE) for a name that does not resolve.
        """
        ...


class RefuseAll:
    """The policy where none is given: nothing may be called."""

    def vet(self, host: str, port: int) -> str:
        """Refuse every address."""
        raise SourceError(
            SourceFault.REFUSED,
            "The address is not reachable or not permitted.",
            detail="no address policy was given",
        )
