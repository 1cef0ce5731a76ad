"""The strategies that come with fastbt are found from a checkout and from a wheel."""

import tomllib
from pathlib import Path

from fastbt.interfaces import _examples

ROOT = Path(__file__).resolve().parents[3]


def test_examples_folder__is_that_of_the_checkout_or_of_the_wheel(monkeypatch, tmp_path):
    assert _examples.examples_folder() == ROOT / "strategies"
    package = tmp_path / "fastbt"
    (package / "_strategies" / "One").mkdir(parents=True)
    (package / "_strategies" / "One" / "__init__.py").write_text("")
    monkeypatch.setattr(_examples, "_PACKAGE", package)
    assert _examples.examples_folder() == package / "_strategies"
    assert _examples.find_strategy("One") == str(package / "_strategies" / "One")


def test_find_strategy__prefers_what_is_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert _examples.find_strategy("SmaCrossover") == str(ROOT / "strategies" / "SmaCrossover")
    assert _examples.find_strategy("Unknown") == "Unknown"
    assert _examples.find_strategy("strategies/SmaCrossover") == "strategies/SmaCrossover"
    (tmp_path / "strategies" / "SmaCrossover").mkdir(parents=True)
    assert _examples.find_strategy("SmaCrossover") == "SmaCrossover"


def test_get_jesse__fits_a_clone_and_an_installed_package(monkeypatch, tmp_path):
    assert _examples.get_jesse("demo") == "uv run --group test fastbt demo"
    monkeypatch.setattr(_examples, "_PACKAGE", tmp_path / "fastbt")
    assert _examples.get_jesse("demo") == "pip install jesse==3.5.3"


def test_wheel__carries_the_strategies():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["only-include"] == ["fastbt", "strategies"]
    assert wheel["sources"] == {"strategies": "fastbt/_strategies"}
