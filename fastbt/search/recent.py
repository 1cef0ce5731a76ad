"""An Optuna study that forgets what its sampler no longer reads.

Optuna's genetic samplers and CMA-ES go over all trials of a study for each new one, though they use the last generation
and its parents only: here each trial costs the same, however many there were. No sampler reads failed ones. Imported
where Optuna is.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    import optuna


class RecentTrials(InMemoryStorage):
    """Trials in memory, of which only those that are kept are listed."""

    def __init__(self) -> None:
        super().__init__()
        self._listed: list[int] = []

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Make a trial; it is listed."""
        number = super().create_new_trial(study_id, template_trial)
        self._listed.append(number)
        return number

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials that are listed."""
        if deepcopy:
            return super().get_all_trials(study_id, deepcopy, states)
        found = [self.get_trial(number) for number in self._listed]
        return found if states is None else [each for each in found if each.state in states]

    def keep(self, numbers: set[int]) -> None:
        """List only these trials, and those that are not finished."""
        waiting = (TrialState.RUNNING, TrialState.WAITING)
        self._listed = [
            number for number in self._listed if number in numbers or self.get_trial(number).state in waiting
        ]


def join_generation(study: optuna.Study, trial: optuna.Trial) -> None:
    """Make a trial one of the current generation: without this, sets that were given to begin with are of none."""
    sampler: Any = study.sampler
    if hasattr(sampler, "get_parent_population"):
        sampler.get_trial_generation(study, study._storage.get_trial(trial._trial_id))


def forget(study: optuna.Study, storage: RecentTrials, population: int) -> None:
    """List only the trials that the study's sampler reads for its next ones.

    Parameters
    ----------
    study : optuna.Study
        All trials that were asked for are told.
    storage : RecentTrials
    population : int
        Of the sampler.
    """
    import optuna

    sampler: Any = study.sampler
    complete = study._storage.get_all_trials(study._study_id, deepcopy=False, states=(TrialState.COMPLETE,))
    if isinstance(sampler, optuna.samplers.CmaEsSampler):
        # The state is with the last trials, and a generation is spread over no more than this.
        storage.keep({each._trial_id for each in complete[-3 * population :]})
        return
    if not isinstance(sampler, optuna.samplers.NSGAIISampler | optuna.samplers.NSGAIIISampler):
        storage.keep({each._trial_id for each in complete})
        return
    # Optuna 4.2 has no such method, and takes trials from the list by their number: there everything is listed.
    if not hasattr(sampler, "get_parent_population") or not complete:
        return
    generation = max(sampler.get_trial_generation(study, each) for each in complete)
    used = [*sampler.get_population(study, generation), *sampler.get_parent_population(study, generation)]
    storage.keep({each._trial_id for each in used})
