"""Jesse's fitness, studies and DNAs: made by Jesse's own code, read and computed by ours."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from fastbt.data import CandleSet
from fastbt.metrics.names import METRICS
from fastbt.search.objectives import FITNESS_RATIOS, jesse_fitness
from fastbt.search.study_file import decode_dna, encode_dna, read_study, study_names
from fastbt.sweep import sweep

pytestmark = pytest.mark.jesse

#: As the example strategy declares them, and one of each other kind.
DECLARED = [
    {"name": "fast_period", "type": int, "min": 5, "max": 30, "step": 1, "default": 10},
    {"name": "slow_period", "type": int, "min": 40, "max": 120, "step": 5, "default": 50},
    {"name": "stop_loss", "type": float, "min": 0.01, "max": 0.06, "step": 0.005, "default": 0.03},
    {"name": "take_profit", "type": float, "min": 0.02, "max": 0.12, "default": 0.06},
]


def in_jesse(folder, code):
    """Run code in a process of its own, where Jesse may be imported; return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_fitness__is_that_of_jesse(tmp_path):
    result = sweep("strategies/SmaCrossover", "BTC-USD", timeframe="4h", finish="2019-05-01", n=60, seed=4)
    rows = [dict(zip(METRICS, row, strict=True)) for row in result.metrics.tolist()]
    (tmp_path / "metrics.json").write_text(json.dumps(rows))
    found = in_jesse(
        tmp_path,
        """
        import json
        from jesse.modes.optimize_mode import fitness
        rows = json.load(open("metrics.json"))
        fitness.logger.log_optimize_mode = lambda *each: None
        config = {"exchange": {"balance": 1, "fee": 0, "type": "futures"}, "warm_up_candles": 1}
        found = {}
        for ratio in ("sharpe", "calmar", "sortino", "omega", "serenity", "smart sharpe", "smart sortino"):
            for row in rows:
                # What the backtest of a trial has measured: the same rows for both.
                fitness.isolated_backtest = lambda *each, row=row, **more: {"metrics": row}
                score = fitness.get_fitness(
                    config, [{"exchange": "x"}], [], None, {}, {}, {}, {}, {}, 40, False, "", ratio
                )[0]
                found.setdefault(ratio, []).append(float(score))
        print(json.dumps(found))
        """,
    )
    assert set(found) == set(FITNESS_RATIOS)
    for ratio, scores in found.items():
        ours = jesse_fitness(result.metrics, ratio, 40)
        assert np.array_equal(ours, scores), ratio
    assert len(set(found["sharpe"])) > 10


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with trials that Jesse's optimiser has drawn and stored."""
    folder = tmp_path_factory.mktemp("study")
    about = in_jesse(
        folder,
        """
        import json
        import numpy as np
        import optuna
        from jesse.modes.optimize_mode.Optimize import Optimizer
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        np.random.seed(7)
        one = Optimizer.__new__(Optimizer)
        one.strategy_hp = [
            {"name": "fast_period", "type": int, "min": 5, "max": 30, "step": 1, "default": 10},
            {"name": "slow_period", "type": int, "min": 40, "max": 120, "step": 5, "default": 50},
            {"name": "stop_loss", "type": float, "min": 0.01, "max": 0.06, "step": 0.005, "default": 0.03},
            {"name": "take_profit", "type": float, "min": 0.02, "max": 0.12, "default": 0.06},
        ]
        storage = "sqlite:///./optuna_study.db"
        one.study = optuna.create_study(
            direction="maximize", storage=storage, study_name="SmaCrossover_optuna_ray_1", load_if_exists=True
        )
        drawn = []
        for number in range(12):
            params = one._generate_trial_params()
            metrics = {"total": number, "sharpe_ratio": 0.5}
            assert one._create_optuna_trial(number, params, 0.0001 + number / 10, metrics, {})
            drawn.append(params)
        another = Optimizer.__new__(Optimizer)
        another.strategy_hp = [
            {"name": "kind", "type": "categorical", "options": ["a", "b", True, 3], "default": "a"}
        ]
        another.study = optuna.create_study(direction="maximize", storage=storage, study_name="Kinds_optuna_ray_2")
        assert another._create_optuna_trial(0, {"kind": "b"}, 0.3, {}, {})
        assert another._create_optuna_trial(1, {"kind": True}, 0.3, {}, {})
        print(json.dumps([{key: np.asarray(value).item() for key, value in each.items()} for each in drawn]))
        """,
    )
    return folder / "optuna_study.db", about


def test_study__is_read_as_jesse_wrote_it(study):
    path, drawn = study
    assert study_names(path) == ["SmaCrossover_optuna_ray_1", "Kinds_optuna_ray_2"]
    found = read_study(path, "SmaCrossover_optuna_ray_1")
    assert found.strategy == "SmaCrossover"
    assert [each.params for each in found.trials] == drawn
    assert [type(each.params["slow_period"]) for each in found.trials] == [int] * 12
    assert [each.values[0] for each in found.trials] == [0.0001 + number / 10 for number in range(12)]
    assert found.trials[3].training_metrics == {"total": 3, "sharpe_ratio": 0.5}
    kinds = read_study(path, "Kinds_optuna_ray_2")
    assert [each.params["kind"] for each in kinds.trials] == ["b", True]


def test_study__is_run_again_in_one_sweep(study):
    from command_line import run_json

    path, drawn = study
    about = run_json(
        f"import-study {path} --name SmaCrossover_optuna_ray_1 --strategy strategies/SmaCrossover -t 4h "
        "--finish 2019-03-15 --top 3"
    )
    assert len(about["trials"]) == 12 and about["again"]["ok"] == 12
    prices = CandleSet.load("BTC-USD")
    again = sweep("strategies/SmaCrossover", prices, params=drawn, timeframe="4h", finish="2019-03-15")
    best = again.best("sharpe_ratio", 1).to_dicts()[0]
    assert about["again"]["best"][0]["sharpe_ratio"] == best["sharpe_ratio"]
    assert decode_dna(about["trials"][0]["dna"], []) == drawn[0]


def test_dna__is_decoded_as_jesse_does(tmp_path):
    older = ["(wO_", "wwww", "((((", "NPaZ"]
    newer = [encode_dna({"fast_period": 7, "slow_period": 45, "stop_loss": 0.015, "take_profit": 0.1})]
    (tmp_path / "dna.json").write_text(json.dumps(older + newer))
    found = in_jesse(
        tmp_path,
        """
        import json
        import jesse.helpers as jh
        declared = [
            {"name": "fast_period", "type": int, "min": 5, "max": 30},
            {"name": "slow_period", "type": int, "min": 40, "max": 120},
            {"name": "stop_loss", "type": float, "min": 0.01, "max": 0.06},
            {"name": "take_profit", "type": float, "min": 0.02, "max": 0.12},
        ]
        print(json.dumps([jh.dna_to_hp(declared, each) for each in json.load(open("dna.json"))]))
        """,
    )
    for text, theirs in zip(older + newer, found, strict=True):
        assert decode_dna(text, DECLARED) == theirs
