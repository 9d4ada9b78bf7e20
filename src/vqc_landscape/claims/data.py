"""What a claim is measured from: its experiments and the rows of the tables that it was handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vqc_landscape.config import Experiment

if TYPE_CHECKING:
    import pandas as pd


def has_circuit(experiment: Experiment) -> bool:
    return experiment.circuit is not None


def has_network(experiment: Experiment) -> bool:
    return experiment.network is not None


CIRCUIT, NETWORK = {"a circuit": has_circuit}, {"a network": has_network}  # what a claim needs


@dataclass(frozen=True)
class ClaimData:
    """Everything that one claim sees, in one convention.

    Attributes:
        experiments: name -> experiment, in the order of the configuration.
        tables: stage -> rows of that table with columns ``experiment`` and ``seed``, all experiments together.
    """

    experiments: Mapping[str, Experiment]
    tables: Mapping[str, pd.DataFrame]

    @property
    def first(self) -> str:
        """Name of the first experiment; many claims have no other."""
        return next(iter(self.experiments))

    def which(self, wanted: Callable[[Experiment], bool]) -> list[str]:
        """Names of the experiments that are wanted, in the order of the configuration."""
        return [name for name, experiment in self.experiments.items() if wanted(experiment)]

    def rows(
        self, stage: str, experiment: str | None = None, *, seed: int | None = None, epoch: int | None = None
    ) -> pd.DataFrame:
        """Rows of one table for one experiment (default: the first), all seeds and epochs unless one is named.

        Raises:
            ValueError: there are none.
        """
        name = self.first if experiment is None else experiment
        table = self.tables[stage]
        chosen = table["experiment"] == name
        for key, value in (("seed", seed), ("epoch", epoch)):
            if value is not None:
                chosen &= table[key] == value
        if not chosen.any():
            at = "".join(f", {key} {value}" for key, value in (("seed", seed), ("epoch", epoch)) if value is not None)
            raise ValueError(f"Table `{stage}` has no rows for experiment {name}{at}.")
        return table[chosen]

    def last_epoch(self, experiment: str | None = None) -> int:
        """Number of the last epoch of an experiment (default: the first)."""
        training = self.experiments[self.first if experiment is None else experiment].training
        assert training is not None
        return training.n_epochs
