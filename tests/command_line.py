"""Run the command line inside this process, so that what is compiled once stays compiled."""

import json
import shlex

from typer.testing import CliRunner, Result

from fastbt.interfaces.cli import app

#: Two months of the sample, the second of them traded: runs in milliseconds.
SHORT = "--start 2019-02-01 --finish 2019-03-01"


def run(line: str) -> Result:
    """Run `fastbt LINE`."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, shlex.split(line), catch_exceptions=False)


def run_json(line: str, exit_code: int = 0) -> dict:
    """Run `fastbt LINE --json`; stdout must be one JSON document, in the strict sense."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    done = run(f"{line} --json")
    assert done.exit_code == exit_code, done.output
    return json.loads(done.stdout, parse_constant=refuse)


def refused(line: str) -> str:
    """Run `fastbt LINE`, which must be wrong use, and return the one sentence that it says."""
    done = run(line)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ")
    return done.stderr.removeprefix("Error: ").rstrip("\n")
