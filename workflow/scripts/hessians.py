"""Hessians of one training run at a block of epochs."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.hessians import write_hessians
from vqc_landscape.studies.jobs import job

with job("{experiment} seed {seed}, Hessians {block}".format(**snakemake.wildcards), snakemake.log[0]):
    write_hessians(
        Experiment(**snakemake.params.settings),
        snakemake.params.epochs,
        snakemake.input.trajectory,
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
