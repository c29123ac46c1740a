"""Compiled objects on disk, which later processes load instead of compiling again.

They are native code: a folder or a file that somebody else could have written is not used. Entries are written beside
their place and moved into it, so that processes may read and write at the same time; each carries a checksum, and one
that does not hold is as good as none. Beyond a size, what was used longest ago is removed.

TAPEFLOW_CACHE names another folder, or is `off`.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from ...core.logs import warning

LIMIT = 256 << 20  # bytes of all entries together
_MAGIC = b"tapeflow object 1\n"
_DIGEST = 32
_told: set[str] = set()  # one line each


def get(key: str) -> bytes | None:
    """The object of a key, if there is a sound one."""
    folder = _folder()
    if folder is None:
        return None
    path = os.path.join(folder, key)
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:  # a symbolic link among others
        _tell(f"The compiled function {path} is not used: {error.strerror or error}.")
        return None
    with open(file, "rb") as opened:
        status = os.fstat(file)
        wrong = _unsafe(status, stat.S_ISREG(status.st_mode))
        if wrong is not None:
            _tell(f"The compiled function {path} is not used: it {wrong}.")
            return None
        data = opened.read()
    start = len(_MAGIC) + _DIGEST
    found = data[start:]
    if data[: len(_MAGIC)] != _MAGIC or data[len(_MAGIC) : start] != digest(found):
        return None  # cut short or damaged: it is compiled again, and then replaced
    with contextlib.suppress(OSError):
        os.utime(path)  # its last use, for `_shrink`
    return found


def put(key: str, data: bytes) -> None:
    """Keeps an object. A disk that is full or cannot be written to is no error."""
    folder = _folder()
    if folder is None:
        return
    temporary = os.path.join(folder, f"{key}.{os.getpid()}.{os.urandom(4).hex()}.new")
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(file, "wb") as opened:
            opened.write(_MAGIC + digest(data) + data)
        os.replace(temporary, os.path.join(folder, key))
        _shrink(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        _tell(f"Compiled functions are not kept in {folder}: {error.strerror or error}.")


def digest(*parts: bytes) -> bytes:
    """A checksum of 32 bytes."""
    try:
        from _blake2 import blake2b
    except ImportError:  # `hashlib` has it on every Python, but loads OpenSSL for the others: 3 ms
        from hashlib import blake2b

    total = blake2b(digest_size=_DIGEST)
    for part in parts:
        total.update(part)
    return total.digest()


def _shrink(folder: str) -> None:
    """Removes entries, those used longest ago first, until they fit in LIMIT."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # another process may have removed it
                status = entry.stat(follow_symlinks=False)
                found.append((status.st_mtime_ns, status.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= LIMIT:
            break
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size


def _folder() -> str | None:
    """The folder, made if need be; None where there is to be none, or where it is not safe."""
    setting = os.environ.get("TAPEFLOW_CACHE", "").strip()
    if setting.lower() in ("off", "0"):
        return None
    folder = os.path.abspath(setting) if setting else _default()
    if folder is None:
        return None
    try:
        above = os.path.dirname(folder)
        if not os.path.isdir(above):
            os.makedirs(above, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, mode=0o700)
        status = os.lstat(folder)
        wrong = _unsafe(status, stat.S_ISDIR(status.st_mode)) or _unsafe_above(folder)
    except OSError as error:
        wrong = f"cannot be made: {error.strerror or error}"
    if wrong is not None:
        _tell(f"Compiled functions are not kept: the folder {folder} {wrong}.")
        return None
    return folder


def _default() -> str | None:
    home = os.path.expanduser("~")
    if not os.path.isabs(home):  # nobody's
        return None
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "tapeflow", "objects")
    base = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(base if os.path.isabs(base) else os.path.join(home, ".cache"), "tapeflow", "objects")


def _unsafe(status: os.stat_result, kind: bool) -> str | None:
    """Why a folder or file could hold what somebody else wrote; None where it cannot."""
    if not kind:
        return "is a symbolic link or something else than it should be"
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "may be written to by others"
    return None


def _unsafe_above(folder: str) -> str | None:
    """The same of the folders above, in which another user could put a folder of his own in the place of ours."""
    above = os.path.realpath(folder)
    while (above := os.path.dirname(above)) != "/":
        status = os.stat(above)
        if status.st_uid not in (0, os.geteuid()):
            return f"lies in {above}, which belongs to another user"
        own_group = status.st_gid == status.st_uid  # a group of this user alone, as many systems make them
        others = status.st_mode & stat.S_IWOTH or status.st_mode & stat.S_IWGRP and not own_group
        if others and not status.st_mode & stat.S_ISVTX:
            return f"lies in {above}, which may be written to by others"
    return None


def _tell(line: str) -> None:
    if line not in _told:
        _told.add(line)
        warning("%s", line)
