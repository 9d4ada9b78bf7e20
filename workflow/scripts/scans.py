"""Loss along eigenvectors of one training run."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.scans import write_scans

with job("{experiment} seed {seed}, scans".format(**snakemake.wildcards), snakemake.log[0]):
    write_scans(
        Experiment(**snakemake.params.settings),
        snakemake.input.trajectory,
        snakemake.input.spectra,
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
