"""Memory of a device: cells train side by side, and one that ran out of memory trains alone.

Whether a cell ran out because of its neighbours or because of itself shows only without neighbours:
its one more attempt has the device to itself. Where that succeeds, the device had one slot too
many; where it fails, the slots are as good as before.
"""

from __future__ import annotations

import threading


class SharedDevice:
    """One device and the slots on it. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._slots = 0
        self._inside = 0  # slots with a cell
        self._asking = 0  # slots that want the device, or have it, for one cell alone
        self._ran_out: set[str] = set()  # cells that had too little memory beside others

    def open_slot(self) -> None:
        """Count one more slot."""
        with self._changed:
            self._slots += 1

    def close_slot(self) -> None:
        """Count one slot less."""
        with self._changed:
            self._slots -= 1

    @property
    def slots(self) -> int:
        """How many are open."""
        with self._changed:
            return self._slots

    def enter(self) -> bool:
        """Take a place beside the others; False while a cell is to train alone."""
        with self._changed:
            if self._asking:
                return False
            self._inside += 1
            return True

    def wait(self) -> None:
        """Return when no cell is to train alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._asking)

    def be_alone(self) -> None:
        """Turn the place taken by `enter` into the whole device, once every other one is left."""
        with self._changed:
            self._asking += 1
            self._inside -= 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._inside)
            self._inside += 1

    def leave(self, *, alone: bool) -> None:
        """Give back the place, or the whole device."""
        with self._changed:
            self._inside -= 1
            self._asking -= alone
            self._changed.notify_all()

    def ran_out(self, cell: str) -> None:
        """Remember that a cell found too little memory beside its neighbours."""
        with self._changed:
            self._ran_out.add(cell)

    def fitted_alone(self, cell: str) -> bool:
        """Close a slot if this cell, which has just fitted alone, had not beside others.

        False when it had not run out here, or the slot is the device's last.
        """
        with self._changed:
            if cell not in self._ran_out or self._slots <= 1:
                return False
            self._slots -= 1
            return True
