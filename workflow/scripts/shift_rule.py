"""The shift rule and its cost in circuit runs, or the times of Hessian and metric tensor."""

from vqc_landscape.config import Experiment
from vqc_landscape.studies import shift_rule
from vqc_landscape.studies.jobs import job

with job("{experiment}, shift rule".format(**snakemake.wildcards), snakemake.log[0]):
    work = getattr(shift_rule, snakemake.params.job)
    work(Experiment(**snakemake.params.settings), int(snakemake.wildcards.seed), snakemake.output[0])
