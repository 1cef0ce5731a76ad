"""`fastbt optimize`, `walk-forward`, `batch` and `import-study`: what they print, take and refuse."""

import json
import subprocess
import sys

import pytest
from command_line import refused, run, run_json
from searching import write_strategy

from fastbt.search import OptimizeResult, load_result

SMALL = "--candles prices.csv -t 1h --fee 0 --warm-up-candles 24"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a strategy and twelve days of candles."""
    import polars as pl
    from searching import candles

    write_strategy(tmp_path)
    names = ["timestamp", "open", "close", "high", "low", "volume"]
    pl.DataFrame(candles(12, planted=0.02).array, schema=names).write_csv(tmp_path / "prices.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_optimize__prints_and_writes(here):
    line = f"optimize Momentum.py {SMALL} --sampler random -n 20 --min-trades 3 --out found.json"
    shown = run(line)
    assert shown.exit_code == 0, shown.output
    assert "best of 20 trials by sharpe_ratio" in shown.stdout
    about = run_json(line.replace("--out found.json", ""))
    result = OptimizeResult.load(here / "found.json")
    assert about["id"] == result.id
    assert about["best"]["set"] == result.best_set
    assert len(about["convergence"]) == 20
    again = run_json(f"optimize Momentum.py {SMALL} --sampler nsga2 -n 12 --from found.json --fix share=0.5")
    assert again["best"]["values"][0] >= about["best"]["values"][0] or again["best"]["set"]["share"] == 0.5


def test_optimize__goes_on_in_its_folder(here):
    line = f"optimize Momentum.py {SMALL} --sampler nsga2 -n 30 --batch-size 10 --run kept"
    first = run_json(line)
    assert "already" in refused(line)
    assert run_json(f"{line} --resume")["id"] == first["id"]
    assert load_result(here / "kept").id == first["id"]
    assert run_json(f"{line} --fork")["id"] == first["id"]
    assert (here / "kept-2" / "log.jsonl").exists()
    assert "request.search.seed: was 0, is 1" in refused(f"{line} --resume --seed 1")


def test_optimize__several_metrics(here):
    about = run_json(f"optimize Momentum.py {SMALL} --sampler nsga2 -n 30 --metric net_profit --metric max_drawdown")
    profits = [each["net_profit"] for each in about["front"]]
    drawdowns = [each["max_drawdown"] for each in about["front"]]
    assert profits == sorted(profits, reverse=True) and drawdowns == sorted(drawdowns)


def test_walk_forward__prints_and_writes(here):
    line = (
        f"walk-forward Momentum.py {SMALL} --in-sample 4 --out-of-sample 2 --purge 0 --embargo 0 --sampler random "
        "-n 10 --out walked.json"
    )
    shown = run(line)
    assert shown.exit_code == 0, shown.output
    assert "is there an edge?" in shown.stdout and "3 windows in" in shown.stdout
    about = run_json(line)
    assert about["id"] == load_result(here / "walked.json").id
    assert len(about["windows"]) == 3
    assert "no room for a window" in refused(line.replace("--in-sample 4", "--in-sample 40"))
    assert "wanted days or auto" in refused(line.replace("--purge 0", "--purge long"))


def test_batch__prints_and_writes(here):
    line = f"batch Momentum.py {SMALL} --n 5 --period 2019-01-03/2019-01-05 --period 2019-01-05/2019-01-30 --out b.json"
    shown = run(line)
    assert shown.exit_code == 0, shown.output
    assert "best sharpe_ratio" in shown.stdout and "is available from" in shown.stdout
    about = run_json(line)
    assert about["id"] == load_result(here / "b.json").id
    assert [each["status"] == "ok" for each in about["cells"]] == [True, False]
    assert "before the finish" in refused(f"batch Momentum.py {SMALL} --period 2019-01-05/2019-01-03")


def test_import_study__lists_and_refuses(here):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize", storage="sqlite:///study.db", study_name="Momentum_optuna_ray_7",
        sampler=optuna.samplers.RandomSampler(seed=1),
    )  # fmt: skip
    for _ in range(5):
        trial = study.ask()
        study.tell(trial, trial.suggest_int("hour", 0, 23) + trial.suggest_float("share", 0.1, 0.9, step=0.2))
    about = run_json("import-study study.db")
    assert (about["strategy"], len(about["trials"])) == ("Momentum", 5)
    assert [each["params"] for each in about["trials"]] == [each.params for each in study.trials]
    shown = run(f"import-study study.db --strategy Momentum.py {SMALL}")
    assert shown.exit_code == 0 and "5 sets by sharpe_ratio" in shown.stdout
    dna = about["trials"][0]["dna"]
    alone = run_json(f"import-study --dna {dna} --strategy Momentum.py {SMALL}")
    assert alone["sets"] == [study.trials[0].params]
    assert "is no SQLite file" in refused("import-study prices.csv")
    assert "there is no file" in refused("import-study absent.db")
    assert "neither" in refused("import-study")
    assert "has no study 'Other'" in refused("import-study study.db --name Other")


def test_mistakes__are_told_before_the_search(here):
    # Each search would take minutes: what is told comes first.
    long = f"Momentum.py {SMALL} -n 10000000 --batch-size 1"
    assert "wanted such as sqlite:///study.db" in refused(f"optimize {long} --export-optuna study.db")
    (here / "file").write_text("")
    assert "file" in refused(f"optimize {long} --out file/found.json")
    assert "file" in refused(f"walk-forward {long} --out file/found.json")
    assert "Did you mean 'mean'" in refused(f"batch Momentum.py {SMALL} --n 10000000 --by meen")
    assert "Momentun.py" in refused(f"batch Momentum.py ./Momentun.py {SMALL} --n 10000000")
    assert "Did you mean 'SmaCrossover'" in refused(f"optimize SmaCrosover {SMALL}")


def test_help__imports_nothing_heavy():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from fastbt.interfaces.cli import app\n"
        "for line in (['--help'], ['optimize', '--help'], ['walk-forward', '--help']):\n"
        "    assert CliRunner().invoke(app, line).exit_code == 0\n"
        "heavy = ('numba', 'optuna', 'fastbt.search.requests', 'polars', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_progress__is_printed_and_json_is_json(here):
    shown = run(f"optimize Momentum.py {SMALL} --sampler random -n 10 --top 2 --json")
    assert json.loads(shown.stdout)["trials"] == 10
