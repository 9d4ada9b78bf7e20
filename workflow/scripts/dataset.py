"""Samples of one experiment."""

from vqc_landscape.config import parse_data
from vqc_landscape.studies.datasets import write_dataset
from vqc_landscape.studies.jobs import job

with job("{experiment} seed {seed}, samples".format(**snakemake.wildcards), snakemake.log[0]):
    write_dataset(parse_data(snakemake.params.settings["data"]), snakemake.output[0])
