"""Write the versions of the whole environment into pyproject.toml: names and versions, nothing else.

`uv.lock` is not committed, because a lock file records download addresses. The list between the two marker lines of
`[tool.uv] constraint-dependencies` takes its place: with it, `uv run` resolves the same versions on every machine.

    python tools/pin.py            resolve the newest versions and write them
    python tools/pin.py --check    resolve under the pins as they are; exit 1 unless every package is pinned
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "  # pins: written by tools/pin.py\n"
END = "  # end of pins\n"
#: `name==version` and, if the version depends on the interpreter, the marker that says so.
LINE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>.+))?$")
INTERPRETER = re.compile(r"python_(?:full_)?version (<|>=|==|<=|>) '([0-9.]+)'")


def resolve(project: str) -> str:
    """Return uv's export of every group and extra of a pyproject.toml, resolved in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(project)
        # The pins of an active environment must not leak into the resolution.
        environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        command = "uv export --quiet --all-groups --all-extras --no-hashes --no-annotate --no-header --no-emit-project"
        try:
            done = subprocess.run(
                command.split(), cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
        except FileNotFoundError:
            sys.exit("pin.py: uv is missing; `pip install uv`")
    if done.returncode:
        sys.exit(f"pin.py: uv could not resolve the environment\n{done.stderr}")
    return done.stdout


def pins(exported: str) -> list[str]:
    r"""Turn an export into constraints, with a marker only where a package has several versions.

    Examples
    --------
    >>> pins("a==1.0\nb==2 ; sys_platform == 'win32'")
    ['a==1.0', 'b==2']
    >>> pins("c==1 ; python_full_version < '3.12'\nc==2 ; python_full_version >= '3.12'")
    ["c==1; python_version < '3.12'", "c==2; python_version >= '3.12'"]
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for line in exported.splitlines():
        if not line.strip():
            continue
        match = LINE.match(line)
        if match is None:
            sys.exit(f"pin.py: cannot read uv's line {line!r}")
        found.setdefault(match["name"], []).append((match["version"], match["marker"] or ""))
    lines = []
    for name, versions in sorted(found.items()):
        if len({version for version, _ in versions}) == 1:
            lines.append(f"{name}=={versions[0][0]}")
            continue
        for version, marker in versions:
            bounds = INTERPRETER.findall(marker)
            if not bounds:
                sys.exit(f"pin.py: {name} has several versions and they do not depend on Python: {marker!r}")
            lines.append(f"{name}=={version}; " + " and ".join(f"python_version {op} '{at}'" for op, at in bounds))
    return lines


def split(project: str) -> tuple[str, str, str]:
    """Return the text before, within and after the marker lines."""
    before, begin, rest = project.partition(BEGIN)
    within, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"pin.py: pyproject.toml must hold the lines {BEGIN.strip()!r} and {END.strip()!r}")
    return before + begin, within, end + after


def main() -> int:
    """Write the pins, or check them."""
    parser = argparse.ArgumentParser(description="Pin the versions of the whole environment in pyproject.toml.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a package is not pinned")
    check = parser.parse_args().check
    path = ROOT / "pyproject.toml"
    project = path.read_text()
    before, within, after = split(project)
    lines = pins(resolve(project if check else before + after))
    text = "".join(f'  "{line}",\n' for line in lines)
    if check:
        missing = sorted(set(text.splitlines()) - set(within.splitlines()))
        print("\n".join(["not pinned:", *missing]) if missing else f"{len(lines)} packages pinned")
        return 1 if missing else 0
    path.write_text(before + text + after)
    print(f"{len(lines)} packages pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
