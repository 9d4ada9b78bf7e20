"""Spectra at many initial points of one experiment."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.starts import write_starts

with job("{experiment}, initial points".format(**snakemake.wildcards), snakemake.log[0]):
    write_starts(
        Experiment(**snakemake.params.settings),
        int(snakemake.wildcards.seed),
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
