"""A block of seeds of an ensemble: training and spectra."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.ensembles import write_ensemble
from vqc_landscape.studies.jobs import job
from vqc_landscape.training.progress import ProgressLines

title = "{experiment} seeds, block {block}".format(**snakemake.wildcards)
with job(title, snakemake.log[0]) as progress:
    write_ensemble(
        Experiment(**snakemake.params.settings),
        snakemake.params.seeds,
        snakemake.input.dataset[0],
        snakemake.output[0],
        state_dir=snakemake.params.state,
        code=snakemake.params.code,
        report=ProgressLines(progress),
    )
