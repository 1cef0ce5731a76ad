"""Rules of the house that a linter does not know."""

import doctest
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_pin():
    spec = importlib.util.spec_from_file_location("pin", ROOT / "tools" / "pin.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_import__is_light():
    code = "import fastbt, fastbt.oracle, sys; print(sorted({'numba', 'jesse', 'polars', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pyproject__pins_names_and_versions_only():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    constraints = project["tool"]["uv"]["constraint-dependencies"]
    assert len(constraints) > 100
    assert [line for line in constraints if "==" not in line or "/" in line or "@" in line] == []
    names = {line.split("==")[0] for line in constraints}
    groups = project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *groups["lint"], *(x for x in groups["test"] if isinstance(x, str))]
    assert {line.split(">")[0].split("=")[0].lower() for line in asked} <= names


def test_pin__reads_what_uv_writes():
    pin = load_pin()
    assert doctest.testmod(pin).failed == 0
    with pytest.raises(SystemExit, match="cannot read uv's line 'a @ file"):
        pin.pins("a @ file:///a")
    with pytest.raises(SystemExit, match="several versions"):
        pin.pins("a==1 ; sys_platform == 'win32'\na==2 ; sys_platform != 'win32'")


def test_pin__finds_its_place():
    pin = load_pin()
    before, within, after = pin.split("x\n" + pin.BEGIN + "old\n" + pin.END + "y\n")
    assert (before, within, after) == ("x\n" + pin.BEGIN, "old\n", pin.END + "y\n")
    with pytest.raises(SystemExit, match="must hold the lines"):
        pin.split("x\n")


def test_files__stay_below_800_lines():
    long = [
        str(path.relative_to(ROOT))
        for folder in ("fastbt", "tests", "bench", "tools", "strategies")
        for path in (ROOT / folder).rglob("*.py")
        # The bench makes other environments under peers.
        if "peers" not in path.parts and len(path.read_text().splitlines()) > 800
    ]
    assert long == []
