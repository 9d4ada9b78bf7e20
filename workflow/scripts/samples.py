"""Hessians of single samples for a block of seeds of an ensemble."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.samples import write_samples

with job("{experiment} single samples, block {block}".format(**snakemake.wildcards), snakemake.log[0]):
    write_samples(
        Experiment(**snakemake.params.settings),
        snakemake.input.ensemble,
        snakemake.input.dataset[0],
        snakemake.output[0],
    )
