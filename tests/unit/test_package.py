"""The names of the package."""

import pickle
import subprocess
import sys

import pytest

import fastbt


@pytest.mark.parametrize("name", fastbt.__all__)
def test_names__are_what_they_say(name):
    value = getattr(fastbt, name)
    assert callable(value)
    assert value.__name__ == name
    assert value.__module__.startswith("fastbt.")
    assert pickle.loads(pickle.dumps(value)) is value


def test_names__are_not_hidden_by_modules_of_the_same_name():
    code = (
        "import fastbt\n"
        "from fastbt.backtest import Session\n"
        "from fastbt.sweep import Space, executor\n"
        "import fastbt.sweep.executor\n"
        "print(fastbt.sweep.__name__, fastbt.backtest.__name__, fastbt.verify.__name__, executor.__name__)\n"
        "print(type(fastbt.sweep).__name__, type(fastbt.backtest).__name__, fastbt.backtest is fastbt.backtest)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["sweep backtest verify fastbt.sweep.executor", "function function True"]


def test_names__are_not_hidden_by_modules_of_the_same_name__in_any_package():
    # A package's lazy name loads a module; whoever asks for another name of that module must not hide the first.
    code = (
        "import importlib, pkgutil\n"
        "from types import ModuleType\n"
        "for name in ('', '.data', '.metrics', '.oracle', '.search', '.sweep'):\n"
        "    package = 'fastbt' + name\n"
        "    there = importlib.import_module(package)\n"
        "    for module in pkgutil.iter_modules(there.__path__, package + '.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
        "    print([name for name in there.__all__ if isinstance(getattr(there, name), ModuleType)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]"] * 6


def test_names__unknown_ones_are_told():
    with pytest.raises(AttributeError, match="module 'fastbt' has no attribute 'sweeep'"):
        _ = fastbt.sweeep
