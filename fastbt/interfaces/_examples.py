"""What comes with fastbt and what does not: example strategies, and Jesse."""

from __future__ import annotations

from pathlib import Path

import fastbt
from fastbt.errors import StrategyError, did_you_mean

_PACKAGE = Path(fastbt.__file__).parent


def examples_folder() -> Path:
    """Return the folder of the example strategies: in an installed package its own, else that of the checkout."""
    installed = _PACKAGE / "_strategies"
    return installed if installed.is_dir() else _PACKAGE.parent / "strategies"


def get_jesse(command: str) -> str:
    """Return what to type so that a command finds Jesse: in a clone its test environment has it."""
    in_a_clone = (_PACKAGE.parent / "pyproject.toml").is_file()
    return f"uv run --group test fastbt {command}" if in_a_clone else "pip install jesse==3.5.3"


def find_strategy(name: str) -> str:
    """Return the path of an example if `name` is the bare name of one and nothing here has that name.

    Raises
    ------
    StrategyError
        If there are no strategies here, and it is nearly the name of an example.

    Examples
    --------
    >>> Path(find_strategy("SmaCrossover")).name
    'SmaCrossover'
    >>> find_strategy("elsewhere/SmaCrossover")
    'elsewhere/SmaCrossover'
    """
    path = Path(name)
    if len(path.parts) != 1 or path.exists() or (Path("strategies") / path).exists():
        return name
    example = examples_folder() / path
    if (example / "__init__.py").is_file():
        return str(example)
    near = did_you_mean(name, [each.name for each in examples_folder().iterdir() if each.is_dir()])
    if near and not Path("strategies").is_dir():
        raise StrategyError(f"there is no strategy at {name}.{near}")
    return name
