"""One figure, from exactly the tables that it was handed."""

from vqc_landscape.config import Config
from vqc_landscape.figures.registry import FIGURES, draw_figure
from vqc_landscape.studies.jobs import job

figure = snakemake.params.figure
with job(figure, snakemake.log[0]):
    parts = {stage: snakemake.input.get(stage, []) for stage in FIGURES[figure].needs}
    draw_figure(figure, Config(**snakemake.params.settings), parts, snakemake.output)
