"""What a disk holds after the power failed: a program's file operations, recorded and replayed.

`strace` records what a program and its children do to the files of a folder. `Recording.crash`
then rebuilds that folder as it may be found after a power cut at any moment: what an fsync had
covered is there; of the rest any part may be, in sectors of 512 bytes. Entries of a folder follow
the journal: those not yet synced are kept up to some point and not beyond it. Folders themselves
are taken as kept. Memory-mapped files are not seen: of SQLite's that is the `-shm` file, which it
makes anew from the log.
"""

from __future__ import annotations

import codecs
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512

CALLS = (
    "openat,open,creat,write,pwrite64,ftruncate,fallocate,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat"
)

_FD = r"\d+<(?P<path>[^>]*)>"
_DATA = r'"(?P<data>(?:[^"\\]|\\.)*)"'
_PATTERNS = {
    "open": re.compile(r"(?:openat|open|creat)\(.*?(?P<flags>O_[A-Z_|]+).* = " + _FD),
    "write": re.compile(rf"write\({_FD}, {_DATA}, \d+\) += (?P<count>\d+)"),
    "pwrite": re.compile(rf"pwrite64\({_FD}, {_DATA}, \d+, (?P<at>\d+)\) += (?P<count>\d+)"),
    "truncate": re.compile(rf"ftruncate\({_FD}, (?P<length>\d+)\) += 0"),
    "allocate": re.compile(rf"fallocate\({_FD}, \d+, (?P<at>\d+), (?P<count>\d+)\) += 0"),
    "sync": re.compile(rf"f(?:data)?sync\({_FD}\) += 0"),
    "rename": re.compile(r'rename\w*\(.*?"(?P<path>[^"]*)".*?"(?P<to>[^"]*)".*\) += 0'),
    "unlink": re.compile(r'unlink\w*\(.*?"(?P<path>[^"]*)".*\) += 0'),
}


def prefix(log: Path) -> tuple[str, ...]:
    """What to put before a command so that its file operations are recorded in `log`."""
    options = ("-f", "--seccomp-bpf", "-qq", "-y", "-s", str(2**22), "-e", "signal=none")
    return ("strace", *options, "-e", f"trace={CALLS}", "-o", str(log))


@dataclass
class Inode:
    """A file's content as operations in order: (moment, offset, data) or (moment, length, None)."""

    operations: list[tuple[int, int, bytes | None]] = field(default_factory=list)
    syncs: list[tuple[int, int]] = field(default_factory=list)  # begun, returned


@dataclass
class Folder:
    """Changes of a folder's entries in order: (moment, name, inode or None for "removed")."""

    changes: list[tuple[int, tuple[tuple[str, Inode | None], ...]]] = field(default_factory=list)
    syncs: list[tuple[int, int]] = field(default_factory=list)


class Recording:
    """A recorded run: its files, what it printed, and the moments something happened."""

    def __init__(self, log: Path, folder: Path) -> None:
        self.folder = folder
        self.folders: dict[Path, Folder] = defaultdict(Folder)
        self.printed: list[tuple[int, str]] = []  # when it was told, and the line
        self._there: dict[Path, Inode] = {}
        self._position: dict[Path, int] = {}
        for begun, returned, call in _calls(log):
            self._take(begun, returned, call)

    def moments(self) -> list[int]:
        """Every moment at which the disk, or what must be on it, changed."""
        found = {when for when, _ in self.printed}
        for folder in self.folders.values():
            found |= {when for when, _ in folder.changes} | {end for _, end in folder.syncs}
            for inode in _inodes(folder):
                found |= {when for when, _, _ in inode.operations}
                found |= {end for _, end in inode.syncs}
        return sorted(found)

    def kept_from(self, name: str) -> list[tuple[int, str]]:
        """Names in the pattern `name` and the moment from which no power cut can take them away."""
        found = []
        for folder in self.folders.values():
            for when, entries in folder.changes:
                for entry, inode in entries:
                    synced = [end for begun, end in folder.syncs if begun >= when]
                    if inode is not None and synced and re.fullmatch(name, entry):
                        found.append((min(synced), entry))
        return found

    def crash(self, moment: int, target: Path, dice: random.Random | None, keep: bool) -> None:
        """Rebuild the folder in `target` as a power cut right after `moment` may leave it.

        Args:
            moment: One of `moments`.
            target: An empty folder.
            dice: Decide by chance which unsynced operations are kept; None: `keep` says.
            keep: Whether all unsynced operations are kept.
        """
        for path, folder in self.folders.items():
            there: dict[str, Inode] = {}
            changes = [change for change in folder.changes if change[0] <= moment]
            safe = sum(when <= _covered(folder.syncs, moment) for when, _ in changes)
            if dice is not None:
                safe = dice.randint(safe, len(changes))
            for _, entries in changes if keep else changes[:safe]:
                for name, inode in entries:
                    if inode is None:
                        there.pop(name, None)
                    else:
                        there[name] = inode
            place = target / path.relative_to(self.folder)
            place.mkdir(parents=True, exist_ok=True)
            for name, inode in there.items():
                (place / name).write_bytes(_content(inode, moment, dice, keep))

    def _take(self, begun: int, returned: int, call: str) -> None:
        matches = ((kind, pattern.match(call)) for kind, pattern in _PATTERNS.items())
        kind, found = next(((k, match) for k, match in matches if match), ("", None))
        if found is None:
            return
        path = Path(found["path"])
        if kind == "write" and call.startswith("write(1<"):
            text = _bytes(found["data"]).decode(errors="replace")
            self.printed += [(returned, line) for line in text.splitlines() if line]
        if not path.is_relative_to(self.folder) or path.name.endswith(("-shm", ".log")):
            return
        if kind == "sync" and path not in self._there:  # a folder
            self.folders[path].syncs.append((begun, returned))
        elif kind == "open":
            self._open(path, found["flags"], returned)
        elif kind in ("rename", "unlink"):
            self._move(path, Path(found["to"]) if kind == "rename" else None, returned)
        elif path in self._there:
            self._change(kind, found, self._there[path], (begun, returned))

    def _open(self, path: Path, flags: str, returned: int) -> None:
        if "O_CREAT" in flags and path not in self._there:
            self._there[path] = Inode()
            self.folders[path.parent].changes.append((returned, ((path.name, self._there[path]),)))
        if path in self._there and "O_TRUNC" in flags:
            self._there[path].operations.append((returned, 0, None))
        self._position[path] = 0

    def _move(self, path: Path, to: Path | None, returned: int) -> None:
        inode = self._there.pop(path, None)
        if inode is None:
            return
        entries: list[tuple[str, Inode | None]] = [(path.name, None)]
        if to is not None:
            assert to.parent == path.parent, "a rename between folders is not modelled"
            self._there[to] = inode
            entries.append((to.name, inode))
        self.folders[path.parent].changes.append((returned, tuple(entries)))

    def _change(self, kind: str, found: re.Match[str], inode: Inode, span: tuple[int, int]) -> None:
        path = Path(found["path"])
        if kind == "sync":
            inode.syncs.append(span)
        elif kind == "truncate":
            inode.operations.append((span[1], int(found["length"]), None))
        elif kind == "allocate":
            end = int(found["at"]) + int(found["count"])
            inode.operations.append((span[1], end, b""))
        else:
            data = _bytes(found["data"])[: int(found["count"])]
            at = int(found["at"]) if kind == "pwrite" else self._position[path]
            self._position[path] = at + len(data)
            inode.operations.append((span[1], at, data))


def _calls(log: Path) -> Iterator[tuple[int, int, str]]:
    """When each call began and returned (as line numbers), and the call as strace writes it."""
    waiting: dict[str, tuple[int, str]] = {}
    with log.open(encoding="latin-1") as lines:
        for number, line in enumerate(lines):
            pid, _, text = line.rstrip("\n").partition(" ")
            text = text.lstrip()
            if text.endswith("<unfinished ...>"):
                waiting[pid] = (number, text.removesuffix("<unfinished ...>").rstrip())
            elif text.startswith("<... "):
                begun, before = waiting.pop(pid)
                rest = text.partition("resumed>")[2]
                yield begun, number, before + rest
            else:
                yield number, number, text


def _bytes(escaped: str) -> bytes:
    return codecs.escape_decode(escaped.encode("latin-1"))[0]  # type: ignore[attr-defined,no-any-return]


def _inodes(folder: Folder) -> list[Inode]:
    every = (inode for _, entries in folder.changes for _, inode in entries if inode is not None)
    return list({id(inode): inode for inode in every}.values())


def _covered(syncs: list[tuple[int, int]], moment: int) -> int:
    """Up to which moment everything was synced: a sync covers what had returned as it began."""
    return max((begun for begun, returned in syncs if returned <= moment), default=-1)


def _content(inode: Inode, moment: int, dice: random.Random | None, keep: bool) -> bytes:
    content = bytearray()
    covered = _covered(inode.syncs, moment)
    for when, at, data in inode.operations:
        if when > moment:
            break
        fate = "kept"
        if when > covered and not keep:
            fate = "dropped" if dice is None else dice.choice(("kept", "kept", "dropped", "torn"))
        if fate == "dropped":
            continue
        if data is None:
            content[at:] = bytes(max(0, at - len(content)))
            continue
        content.extend(bytes(max(0, at + len(data) - len(content))))
        for start in range(0, len(data), SECTOR):
            if fate == "kept" or (dice is not None and dice.random() < 0.5):
                piece = data[start : start + SECTOR]
                content[at + start : at + start + len(piece)] = piece
    return bytes(content)


def can_trace() -> str:
    """Why operations cannot be recorded here; empty where they can."""
    import shutil
    import subprocess

    if shutil.which("strace") is None:
        return "strace is missing: apt-get install strace"
    tried = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "true"], capture_output=True
    )
    return "" if tried.returncode == 0 else f"strace may not trace: {tried.stderr.decode()}"
