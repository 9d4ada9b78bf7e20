"""Training of one seed."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies.jobs import job
from vqc_landscape.studies.trajectories import write_trajectory
from vqc_landscape.training.progress import ProgressLines

title = "{experiment} seed {seed}, training".format(**snakemake.wildcards)
with job(title, snakemake.log[0]) as progress:
    write_trajectory(
        Experiment(**snakemake.params.settings),
        int(snakemake.wildcards.seed),
        snakemake.input.get("dataset"),
        snakemake.output[0],
        state_dir=snakemake.params.state,
        code=snakemake.params.code,
        report=ProgressLines(progress),
    )
