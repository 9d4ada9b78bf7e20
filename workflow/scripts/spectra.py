"""Spectra of all Hessians of one training run."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.spectra import write_spectra

with job("{experiment} seed {seed}, spectra".format(**snakemake.wildcards), snakemake.log[0]):
    write_spectra(
        Experiment(**snakemake.params.settings),
        snakemake.input.hessians,
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
