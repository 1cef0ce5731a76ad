"""What README.md and docs/ show is run."""

import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from command_line import run, run_json

import fastbt

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: These need Jesse or minutes, and have tests of their own.
ELSEWHERE = ("fastbt verify", "fastbt bench", "fastbt demo")

compiled = pytest.mark.compiled


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Return line number and text of each fenced block of a language."""
    found, begun, lines = [], None, []
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if begun is None and line.startswith("```"):
            begun, lines = (number, line.removeprefix("```").strip()), []
        elif line == "```":
            assert begun is not None
            if begun[1] == language:
                found.append((begun[0], "\n".join(lines)))
            begun = None
        else:
            lines.append(line)
    assert begun is None, f"{page.name}: the block of line {begun} has no end"
    return found


def commands() -> list[str]:
    lines = [line for page in PAGES for _, text in blocks(page, "sh") for line in text.splitlines()]
    return list(dict.fromkeys(line for line in lines if line))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A folder with the strategies and a candle file, as the pages assume it."""
    (tmp_path / "strategies").symlink_to(ROOT / "strategies")
    minutes = fastbt.CandleSet.load("BTC-USD").between("2019-02-01", "2019-02-15").array
    names = ["timestamp", "open", "close", "high", "low", "volume"]
    pl.DataFrame(minutes, schema=names).write_csv(tmp_path / "btcusdt_1m.csv")
    monkeypatch.chdir(tmp_path)


@compiled
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python__of_the_pages_runs(folder, page, capsys):
    namespace = {}
    for line, text in blocks(page, "python"):
        # As many lines above, so that a traceback names the line of the page.
        exec(compile("\n" * line + text, str(page), "exec"), namespace)
        comments = re.findall(r"print\(.*\)  # (.*)", text)
        said = capsys.readouterr().out
        for comment in comments:
            for part in comment.split(" ..."):
                assert part.strip() in said, f"{page.name}, line {line}: {part!r} was not printed:\n{said}"


@compiled
@pytest.mark.parametrize("line", [line for line in commands() if not line.startswith(ELSEWHERE)])
def test_commands__of_the_pages_run(folder, line):
    assert line.startswith("fastbt ")
    if line.startswith("fastbt runs"):
        # The pages have made one before.
        assert run("sweep SmaCrossover --finish 2019-02-15 --n 5 --run first").exit_code == 0
    if "--plan" not in line:
        # A million sets run in the bench.
        line = line.replace("--n 1000000", "--n 20000")
    done = run(shlex.join(shlex.split(line, comments=True)[1:]))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith(ELSEWHERE)])
def test_commands__that_are_run_elsewhere_have_known_options(line):
    words = shlex.split(line, comments=True)[1:]
    known = run(f"{words[0]} --help").stdout
    for word in words:
        assert not word.startswith("-") or f"{word} " in known


@compiled
def test_readme__shows_the_sets_that_the_demo_finds():
    shown = (ROOT / "README.md").read_text().split("<!-- demo -->")[1].split("<!-- end of demo -->")[0]
    rows = [line.split() for line in shown.splitlines() if re.match(r" *\d+ +\d+ +\d+ +0\.\d+ ", line)]
    best = run_json("demo --no-jesse")["best"]
    assert len(rows) == len(best) == 10
    for row, found in zip(rows, best, strict=True):
        names = ("set", "fast_period", "slow_period", "stop_loss", "take_profit")
        assert [float(text) for text in row[:5]] == [found[name] for name in names]
        profit, _, sharpe, drawdown, _, trades, wins, _ = row[5:]
        assert [float(profit), float(sharpe), float(drawdown), int(trades), float(wins)] == [
            round(found["net_profit_percentage"], 2),
            round(found["sharpe_ratio"], 2),
            round(found["max_drawdown"], 2),
            found["total"],
            pytest.approx(found["win_rate"] * 100, abs=0.051),
        ]


def test_pages__link_to_files_that_exist():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_pages__never_name_the_other_project():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        assert not re.search(r"(pip|uv) (install|add) ([^\n&]* )?fastbt\b", page.read_text()), page.name
