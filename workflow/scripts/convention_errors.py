"""Errors of the as-published Hessians of one training run."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.conventions import write_convention_errors
from vqc_landscape.studies.jobs import job

with job("{experiment} seed {seed}, convention".format(**snakemake.wildcards), snakemake.log[0]):
    write_convention_errors(
        Experiment(**snakemake.params.settings),
        snakemake.input.trajectory,
        snakemake.input.hessians,
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
