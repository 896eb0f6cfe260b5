"""The data folder: private subfolders, secrets, and the lock that says who runs it."""

import fcntl
import hashlib
import os
import secrets
import stat
from pathlib import Path
from types import TracebackType

from portal.launcher.errors import LauncherError


def private_folder(path: Path) -> Path:
    """Make the folder with mode 0700; one that exists keeps the mode it has, and so do its parents."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads (0600), at once: a reader sees the old or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
    temporary.replace(path)


def read_secret(path: Path) -> str | None:
    """The secret in the file, or None where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def ensure_secret(path: Path, length: int = 32) -> str:
    """The secret in the file; made at random on the first call."""
    if known := read_secret(path):
        return known
    private_folder(path.parent)
    value = secrets.token_urlsafe(length)
    write_private(path, value + "\n")
    return value


def data_hash(data: Path) -> str:
    """A short name for a data folder, the same on every start."""
    return hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]


def runtime_folder(data: Path) -> Path:
    """A folder for sockets: short, without a space, 0700, ours. LauncherError where another holds it."""
    path = Path(f"/tmp/vantage-{os.geteuid()}-{data_hash(data)}")  # noqa: S108 - owner and mode are checked
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise LauncherError(
                f"{path} is there but is not our private folder; remove it and start again"
            ) from None
    return path


class DataLock:
    """One launcher per data folder: a lock that the kernel gives back when its holder dies."""

    def __init__(self, data: Path) -> None:
        self.path = private_folder(data) / "launcher.lock"
        self.descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, once; LauncherError names the process that has it."""
        if self.descriptor is not None:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise LauncherError(
                f"Vantage already runs on {self.path.parent} (process {holder}); stop it, or another --data"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self.descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def __enter__(self) -> "DataLock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
