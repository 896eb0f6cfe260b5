"""The front end's own checks, where there is one."""

from portal.launcher import frontend
from portal.launcher.checks.step import Outcome
from portal.launcher.errors import LauncherError
from portal.launcher.layout import ROOT, data_folder


def npm_script(name: str) -> Outcome:
    """Run a script of package.json with the modules of the lock."""
    if not (ROOT / "package.json").is_file():
        return Outcome("skipped", "no package.json here")
    data = data_folder(None)
    try:
        frontend.ensure_modules(ROOT, data, lambda line: None)
        frontend.run_npm(ROOT, data, ["run", "--silent", name], f"npm run {name}")
    except LauncherError as error:
        return Outcome("failed", str(error))
    return Outcome("ok")


def types_of_frontend() -> Outcome:
    """TypeScript's types."""
    return npm_script("typecheck")


def units_of_frontend() -> Outcome:
    """vitest."""
    return npm_script("test")
