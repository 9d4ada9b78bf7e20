"""Planes of the landscape of one training run."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.planes import write_planes

with job("{experiment} seed {seed}, planes".format(**snakemake.wildcards), snakemake.log[0]):
    write_planes(
        Experiment(**snakemake.params.settings),
        snakemake.input.trajectory,
        snakemake.input.get("spectra"),
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
