"""docs/what-compiles.md says what the tests show."""

import subprocess
import sys
from pathlib import Path

import corpus_check
import pytest

ROOT = Path(__file__).parents[3]


def test_page__names_every_strategy_of_the_corpus():
    text = (ROOT / "docs" / "what-compiles.md").read_text()
    for strategy in corpus_check.strategies():
        file, name = strategy.split(":")
        assert f"`{Path(file).stem}.{name}`" in text, "run tools/language_table.py"


@pytest.mark.slow
def test_page__is_what_the_tool_writes():
    command = [sys.executable, str(ROOT / "tools" / "language_table.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
