"""Prediction maps of one training run."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.predictions import write_predictions

with job("{experiment} seed {seed}, predictions".format(**snakemake.wildcards), snakemake.log[0]):
    write_predictions(
        Experiment(**snakemake.params.settings),
        snakemake.input.trajectory,
        snakemake.input.dataset,
        snakemake.output[0],
    )
