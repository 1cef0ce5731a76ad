"""Results as Optuna's studies: exported for its dashboard, and asked which hyper-parameters matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastbt.errors import SettingsError
from fastbt.search.objectives import Objective
from fastbt.search.optuna_sampler import quiet_optuna
from fastbt.search.trial import Trial
from fastbt.sweep.space import Dimension, Space

if TYPE_CHECKING:
    import optuna

    from fastbt.search.optimize_result import OptimizeResult

#: Different sets below which importances are noise.
_FEWEST = 4
#: Sets that importances are told from, at most: evenly taken ones.
_MOST = 4000


def _distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    """Return the distribution of a hyper-parameter in its own values."""
    from optuna import distributions

    if dimension.type == "categorical":
        return distributions.CategoricalDistribution([_choice(each) for each in dimension.options])
    size = dimension.size
    if size is None:
        return distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    last, step = dimension.value(size - 1), dimension.step or 0
    if dimension.type == "int" and dimension.low == int(dimension.low) and step == int(step):
        return distributions.IntDistribution(int(dimension.low), int(last), log=dimension.log, step=int(step) or 1)
    # Optuna wants the bounds to be whole steps apart, which binary fractions are not always.
    return distributions.FloatDistribution(float(dimension.low), float(last))


def _choice(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def _frozen(
    trial: Trial, dimensions: Sequence[Dimension], about: dict[str, Any] | None = None
) -> optuna.trial.FrozenTrial:
    """Return a trial as Optuna has it."""
    import optuna
    from optuna.trial import TrialState

    told = trial.values is not None and (trial.state == "complete" or any(each > 0 for each in trial.violations))
    more: dict[str, Any] = {}
    if trial.violations:
        if hasattr(optuna.Trial, "set_constraint"):
            more["constraints"] = {str(i): each for i, each in enumerate(trial.violations)}
        else:
            more["system_attrs"] = {"constraints": list(trial.violations)}
    return optuna.create_trial(
        state=TrialState.COMPLETE if told else TrialState.FAIL,
        values=list(trial.values) if told and trial.values is not None else None,
        params={
            each.name: _choice(trial.params[each.name]) if each.type == "categorical" else trial.params[each.name]
            for each in dimensions
        },
        distributions={each.name: _distribution(each) for each in dimensions},
        user_attrs=about or {},
        **more,
    )


def _study(objectives: Sequence[Objective], **where: Any) -> optuna.Study:
    import optuna

    return optuna.create_study(
        directions=["maximize" if each.maximize else "minimize" for each in objectives],
        sampler=optuna.samplers.RandomSampler(seed=0),
        **where,
    )


def importances(trials: Sequence[Trial], space: Space, objectives: Sequence[Objective]) -> dict[str, dict[str, float]]:
    """Return how much of the spread of each objective each hyper-parameter explains.

    Parameters
    ----------
    trials : sequence of Trial
        The complete ones are used, evenly taken if there are very many.
    space : Space
    objectives : sequence of Objective

    Returns
    -------
    dict of dict of float
        By objective, the most important first; they add up to 1. Nothing for an objective that too few trials have, or
        that is the same everywhere.

    References
    ----------
    .. [1] Watanabe, Bansal, Hutter (2023): PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
       Subspaces. By Optuna's ``PedAnovaImportanceEvaluator``.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    used = [each for each in trials if each.state == "complete"]
    used = used[:: math.ceil(len(used) / _MOST) or 1]
    found: dict[str, dict[str, float]] = {}
    if len(used) < _FEWEST:
        return found
    with quiet_optuna():
        study = _study(objectives)
        study.add_trials([_frozen(each, space.dimensions) for each in used])
        for i, objective in enumerate(objectives):
            if len({(each.values or ())[i] for each in used}) < 2:
                continue
            sign = -objective.sign  # PED-ANOVA takes the least values of a target for the best.

            def target(trial: optuna.trial.FrozenTrial, i: int = i, sign: float = sign) -> float:
                return sign * float(trial.values[i])

            values = get_param_importances(
                study, evaluator=PedAnovaImportanceEvaluator(), target=target, params=[d.name for d in space.dimensions]
            )
            if all(math.isfinite(each) for each in values.values()):
                found[objective.name] = {name: float(each) for name, each in values.items()}
    return found


def check_storage(storage: str) -> None:
    """Refuse what Optuna cannot open.

    Parameters
    ----------
    storage : str
        As Optuna names it: `sqlite:///study.db`. The file is made if there is none.

    Raises
    ------
    SettingsError
        If it cannot be opened.
    """
    from optuna.storages import get_storage

    with quiet_optuna():
        try:
            get_storage(storage)
        except Exception as error:
            reason = str(error).splitlines()[0]
            raise SettingsError(
                f"{storage!r} cannot be opened by Optuna; wanted such as sqlite:///study.db: {reason}"
            ) from None


def export_study(result: OptimizeResult, storage: str, name: str | None = None) -> str:
    """Write a result as a study of Optuna; return its name.

    Parameters
    ----------
    result : OptimizeResult
    storage : str
        As Optuna names it: `sqlite:///study.db`. Optuna writes about 10 trials a second there.
    name : str, optional

    Raises
    ------
    SettingsError
        If there is such a study already, or the storage cannot be opened.
    """
    import optuna

    check_storage(storage)
    chosen = name or f"{result.market.strategy}-{result.id}"
    space = Space.of(result.space)
    with quiet_optuna():
        try:
            study = _study(result.goals, storage=storage, study_name=chosen)
        except optuna.exceptions.DuplicatedStudyError:
            raise SettingsError(f"there is a study {chosen!r} in {storage} already") from None
        study.set_metric_names([each.name for each in result.goals])
        study.set_user_attr("fastbt", {"id": result.id, "market": result.market.model_dump()})
        for each in result.trials:
            about = {} if each.reason is None else {"reason": each.reason}
            study.add_trial(_frozen(each, space.dimensions, about))
    return chosen
