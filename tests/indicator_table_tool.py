"""The tool that writes docs/indicators.md, as a module."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load_tool() -> ModuleType:
    """Return it; `tools` is no package."""
    spec = importlib.util.spec_from_file_location("indicator_table", ROOT / "tools" / "indicator_table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
