"""The typed configuration: a closed schema with a description, unit and default for every key.

``config/config.yaml`` is the paper's study. An experiment is one entry under ``experiments``; what it
asks for (training, Hessians, predictions, scans, a landscape) decides which tables it gets.
"""

from vqc_landscape.config.experiment import Experiment
from vqc_landscape.config.model import (
    BundledData,
    CircuitConfig,
    Classification,
    DataConfig,
    Expectation,
    FileData,
    NetworkConfig,
    StatePreparation,
)
from vqc_landscape.config.read import ConfigError, load_config, parse_config, parse_data
from vqc_landscape.config.study import FIGURES, Config, FigureConfig
from vqc_landscape.config.tables import ShardsConfig
from vqc_landscape.config.training import GD, HLR, LBFGS, QNG, SGD, Adam, HLRThenQNG, Optimiser, TrainingConfig
from vqc_landscape.config.types import Section

__all__ = [
    "FIGURES",
    "GD",
    "HLR",
    "LBFGS",
    "QNG",
    "SGD",
    "Adam",
    "BundledData",
    "CircuitConfig",
    "Classification",
    "Config",
    "ConfigError",
    "DataConfig",
    "Expectation",
    "Experiment",
    "FigureConfig",
    "FileData",
    "HLRThenQNG",
    "NetworkConfig",
    "Optimiser",
    "Section",
    "ShardsConfig",
    "StatePreparation",
    "TrainingConfig",
    "load_config",
    "parse_config",
    "parse_data",
]
