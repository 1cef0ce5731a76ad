"""What Jesse's optimisation leaves behind: its study, a SQLite file of Optuna's, and DNAs.

The file is read with SQL alone: Optuna refuses files of another version of its schema, but the tables that hold trials
have not changed since Optuna 3.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fastbt.engine.routes import hyperparameters_from_dna
from fastbt.errors import SettingsError, did_you_mean
from fastbt.types import JsonDict

#: Of Optuna's schema.
_TABLES: Final = ("studies", "trials", "trial_params", "trial_values", "trial_user_attributes")


@dataclass(frozen=True)
class StudyTrial:
    """One trial of a study.

    Attributes
    ----------
    number : int
    state : str
        Optuna's: complete, fail, pruned, running or waiting.
    values : tuple of float
        Jesse's fitness, as a rule.
    params : dict
    training_metrics, testing_metrics : dict
        As Jesse kept them; empty if it did not.
    """

    number: int
    state: str
    values: tuple[float, ...]
    params: dict[str, Any]
    training_metrics: JsonDict = field(default_factory=dict)
    testing_metrics: JsonDict = field(default_factory=dict)

    @property
    def dna(self) -> str:
        """As Jesse writes it."""
        return encode_dna(self.params)


@dataclass(frozen=True)
class StudyFile:
    """One study of a file.

    Attributes
    ----------
    name : str
        Jesse's: strategy, "_optuna_ray_", session.
    trials : list of StudyTrial
    """

    name: str
    trials: list[StudyTrial]

    @property
    def strategy(self) -> str:
        """The strategy that Jesse's name tells."""
        return self.name.partition("_optuna")[0]

    def sets(self) -> list[dict[str, Any]]:
        """Return the different hyper-parameter sets, in the order of their trials."""
        found: dict[str, dict[str, Any]] = {}
        for each in self.trials:
            if each.params:
                found.setdefault(json.dumps(each.params, sort_keys=True), each.params)
        return list(found.values())


def study_names(path: str | Path) -> list[str]:
    """Return the names of the studies of a file.

    Raises
    ------
    SettingsError
        If there is no such file, or it is no study of Optuna's.
    """
    with closing(_open(Path(path))) as file:
        return [str(row[0]) for row in file.execute("SELECT study_name FROM studies ORDER BY study_id")]


def read_study(path: str | Path, name: str | None = None) -> StudyFile:
    """Return a study of Jesse's `optuna_study.db`.

    Parameters
    ----------
    path : str or Path
        In a Jesse project: `storage/temp/optuna/optuna_study.db`.
    name : str, optional
        Wanted if the file has several studies.

    Raises
    ------
    SettingsError
        If there is no such file or study, or several and none is named.

    References
    ----------
    .. [1] ``jesse/modes/optimize_mode/Optimize.py`` of Jesse 3.5.3: ``_create_optuna_trial``.
    """
    names = study_names(path)
    if not names:
        raise SettingsError(f"{str(path)!r} holds no study")
    if name is None and len(names) > 1:
        raise SettingsError(f"{str(path)!r} holds {len(names)} studies; name one of {', '.join(names)}")
    chosen = names[0] if name is None else name
    if chosen not in names:
        raise SettingsError(
            f"{str(path)!r} has no study {chosen!r}; it has {', '.join(names)}.{did_you_mean(chosen, names)}"
        )
    with closing(_open(Path(path))) as file:
        ((study,),) = file.execute("SELECT study_id FROM studies WHERE study_name = ?", (chosen,))
        return StudyFile(chosen, _trials(file, study))


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise SettingsError(f"there is no file {str(path)!r}")
    file = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        file.close()
        raise SettingsError(f"{str(path)!r} is no SQLite file") from None
    absent = [each for each in _TABLES if each not in tables]
    if absent:
        file.close()
        raise SettingsError(f"{str(path)!r} is no study of Optuna's: it has no table {absent[0]!r}")
    return file


def _trials(file: sqlite3.Connection, study: int) -> list[StudyTrial]:
    params: dict[int, dict[str, Any]] = {}
    values: dict[int, list[float]] = {}
    attributes: dict[int, JsonDict] = {}
    within = "WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?)"
    query = f"SELECT trial_id, param_name, param_value, distribution_json FROM trial_params {within} ORDER BY param_id"
    for trial, name, value, distribution in file.execute(query, (study,)):
        params.setdefault(trial, {})[name] = _value(value, distribution)
    kinds = {row[1] for row in file.execute("PRAGMA table_info(trial_values)")}
    kind = "value_type" if "value_type" in kinds else "'FINITE'"
    query = f"SELECT trial_id, value, {kind} FROM trial_values {within} ORDER BY objective"
    infinite = {"INF_POS": float("inf"), "INF_NEG": float("-inf")}
    for trial, value, word in file.execute(query, (study,)):
        values.setdefault(trial, []).append(infinite.get(word, value))
    query = f"SELECT trial_id, key, value_json FROM trial_user_attributes {within}"
    for trial, key, text in file.execute(query, (study,)):
        attributes.setdefault(trial, {})[key] = json.loads(text)
    found = []
    query = "SELECT trial_id, number, state FROM trials WHERE study_id = ? ORDER BY number"
    for trial, number, state in file.execute(query, (study,)):
        about = attributes.get(trial, {})
        found.append(
            StudyTrial(
                number,
                str(state).lower(),
                tuple(values.get(trial, ())),
                params.get(trial, {}),
                about.get("training_metrics") or {},
                about.get("testing_metrics") or {},
            )
        )
    return found


def _value(value: float, distribution: str) -> Any:
    """Return what Optuna's number of a parameter stands for."""
    about = json.loads(distribution)
    kind, attributes = about["name"], about.get("attributes", {})
    if kind == "CategoricalDistribution":
        return attributes["choices"][int(value)]
    return int(value) if kind.startswith("Int") else float(value)


def encode_dna(params: Mapping[str, Any]) -> str:
    """Return hyper-parameters as Jesse's DNA: JSON with sorted names, in base64.

    Examples
    --------
    >>> decode_dna(encode_dna({"slow": 50, "fast": 10}), [])
    {'fast': 10, 'slow': 50}
    """
    return base64.b64encode(json.dumps(dict(params), sort_keys=True).encode()).decode()


def decode_dna(dna: str, hyperparameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the hyper-parameters of a DNA, in base64 or in Jesse's older code of one character each.

    Parameters
    ----------
    dna : str
    hyperparameters : sequence of mapping
        As the strategy declares them: the older code needs their order and ranges.

    Raises
    ------
    SettingsError
        If it is neither.

    References
    ----------
    .. [1] ``jesse.helpers.dna_to_hp`` of Jesse 3.5.3; compared with it in ``tests/parity/test_search_parity.py``.

    Examples
    --------
    >>> fast = {"name": "fast", "type": int, "min": 5, "max": 30}
    >>> decode_dna("(w", [fast, {"name": "stop", "type": float, "min": 0, "max": 1}])
    {'fast': 5, 'stop': 1.0}
    """
    try:
        found = hyperparameters_from_dna([dict(each) for each in hyperparameters], dna)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"DNA {dna!r}: {error}") from None
    if not isinstance(found, dict) or (len(found) < len(hyperparameters) and len(dna) < len(hyperparameters)):
        raise SettingsError(
            f"DNA {dna!r}: wanted base64 of JSON, or one character for each of {len(hyperparameters)} hyper-parameters"
        )
    return found
