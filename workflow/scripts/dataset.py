"""Samples of one experiment."""

from vqc_landscape.config import DataConfig
from vqc_landscape.studies.datasets import write_dataset
from vqc_landscape.studies.jobs import job

with job("{experiment} seed {seed}, samples".format(**snakemake.wildcards), snakemake.log[0]):
    write_dataset(DataConfig(**snakemake.params.settings["data"]), snakemake.output[0])
