"""The launcher's commands: `./vantage COMMAND …` arrives here inside the environment."""

import argparse
import importlib
import signal
import sys

from portal.launcher.console import complain
from portal.launcher.errors import LauncherError

COMMANDS = {
    "demo": ("demo", "the demo city on this machine: everything from nothing, until Ctrl-C"),
    "up": ("up", "production: on DATABASE_URL and REDIS_URL, refuses demo secrets"),
    "backup": ("backup", "one archive: database, list of stored files, head of the audit chain"),
    "restore": ("restore", "an archive back into an empty database, compared with what it says"),
    "audit": ("audit", "verify the audit trail; names the first broken record"),
    "doctor": ("doctor", "what is there, what is missing, and the line that mends it"),
    "check": ("check", "linters, types, layers, migrations, lock, API schema, front end"),
    "test": ("testing", "the test suite on embedded services; arguments go to pytest"),
    "bench": ("bench", "measure ratios on this machine"),
    "soak": ("soak", "break the running road at random, then check that nothing was lost"),
    "build": ("build", "build the front end"),
    "manage": ("managed", "Django's commands on the services of the data folder"),
}


def parser_for(names: list[str]) -> argparse.ArgumentParser:
    """The parser of the named commands; only their modules are loaded."""
    parser = argparse.ArgumentParser(
        prog="./vantage", description="Vantage: a city's cameras and vision algorithms."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module_name, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, add_help=name != "manage")
        if name in names:
            module = importlib.import_module(f"portal.launcher.{module_name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """`test`'s own options, and what belongs to pytest, untouched."""
    own = {"test", "--no-build", "--faults"} | ({"-h", "--help"} if len(arguments) == 2 else set())
    ours = [arguments[0], *(word for word in arguments[1:] if word in own - {"test"})]
    return ours, [word for word in arguments[1:] if word not in own - {"test"}]


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    if not arguments:
        parser_for([]).print_help()
        return 2
    try:
        parser = parser_for([arguments[0]])
        # Everything of `test` that is not ours goes to pytest in its own order, which argparse would change.
        ours, rest = split_arguments(arguments) if arguments[0] == "test" else (arguments, [])
        options = parser.parse_args(ours)
        options.pytest = rest
        status: int = options.run(options)
    except LauncherError as error:
        complain(f"vantage: {error}")
        return 1
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
