"""Hessians of a block of epochs, from their shards."""

from vqc_landscape.studies.hessians import add_shards
from vqc_landscape.studies.jobs import job

with job("{experiment} seed {seed}, sum of Hessians {block}".format(**snakemake.wildcards), snakemake.log[0]):
    add_shards(snakemake.input.shards, snakemake.output[0])
