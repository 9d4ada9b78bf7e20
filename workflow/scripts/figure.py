"""One figure, from exactly the tables that it was handed."""

from vqc_landscape.config import Config
from vqc_landscape.figures.registry import draw_figure, look_up
from vqc_landscape.studies.jobs import job

figure = snakemake.params.figure
with job(figure, snakemake.log[0]):
    config = Config(**snakemake.params.settings)
    parts = {stage: snakemake.input.get(stage, []) for stage in look_up(figure, config).reads}
    draw_figure(figure, config, parts, snakemake.output)
