"""Plane of the landscape of one experiment."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.landscapes import write_landscape

with job("{experiment}, landscape".format(**snakemake.wildcards), snakemake.log[0]):
    write_landscape(Experiment(**snakemake.params.settings), snakemake.output[0])
