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
    InitConfig,
    NetworkConfig,
    Problem,
    StatePreparation,
)
from vqc_landscape.config.read import ConfigError, load_config, parse_config, parse_sections
from vqc_landscape.config.study import Config, FigureConfig
from vqc_landscape.config.tables import (
    EnsembleConfig,
    LandscapeConfig,
    PlanesConfig,
    PredictionsConfig,
    SamplesConfig,
    ScansConfig,
    ShardsConfig,
    ShiftRuleConfig,
    StartsConfig,
)
from vqc_landscape.config.training import GD, HLR, LBFGS, QNG, SGD, Adam, HLRThenQNG, Optimiser, TrainingConfig
from vqc_landscape.config.types import Section

__all__ = [
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
    "EnsembleConfig",
    "Expectation",
    "Experiment",
    "FigureConfig",
    "FileData",
    "HLRThenQNG",
    "InitConfig",
    "LandscapeConfig",
    "NetworkConfig",
    "Optimiser",
    "PlanesConfig",
    "PredictionsConfig",
    "Problem",
    "SamplesConfig",
    "ScansConfig",
    "Section",
    "ShardsConfig",
    "ShiftRuleConfig",
    "StartsConfig",
    "StatePreparation",
    "TrainingConfig",
    "load_config",
    "parse_config",
    "parse_sections",
]
