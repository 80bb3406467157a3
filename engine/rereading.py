"""How every process hears that the configuration is to be read anew."""

from __future__ import annotations

from typing import Protocol


class RereadingTx(Protocol):
    """A number that rises with each time that it was asked for."""

    def ask_reload(self) -> int:
        """Ask every process; the number from now on."""
        ...

    def reloads_asked(self) -> int:
        """The number now."""
        ...
