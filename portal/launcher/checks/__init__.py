"""The steps of `./vantage check`, cheapest first."""

from portal.launcher.checks.artefacts import live_migrations, lock_in_step, migrations, schema_snapshot
from portal.launcher.checks.step import Outcome, Step, program
from portal.launcher.checks.web import types_of_frontend, units_of_frontend

__all__ = ["Outcome", "Step", "all_steps"]


def all_steps() -> list[Step]:
    """Every step in the order it is run."""
    return [
        Step("ruff", "Python's lint rules", program(["ruff", "check", "."], mend="ruff check --fix .")),
        Step("format", "Python's form", program(["ruff", "format", "--check", "."], mend="ruff format .")),
        Step("layers", "imports only go down", program(["lint-imports", "--no-cache"])),
        Step(
            "templates",
            "templates' lint rules",
            program(["djlint", "templates", "--lint", "--quiet"], needs="templates"),
        ),
        Step("types", "types of the pure parts", program(["mypy"])),
        Step("migrations", "models without a migration", migrations),
        Step("live", "migrations may run beside the version before", live_migrations),
        Step("schema", "docs/openapi.yaml is the API's", schema_snapshot),
        Step("lock", "requirements*.txt follow pyproject.toml", lock_in_step),
        Step("tsc", "types of the front end", types_of_frontend),
        Step("vitest", "unit tests of the front end", units_of_frontend),
    ]
