"""One figure, from exactly the tables that it was handed."""

from vqc_landscape.config import Config
from vqc_landscape.figures.draw import draw_figure
from vqc_landscape.figures.select import find_figure
from vqc_landscape.studies.jobs import job

figure = snakemake.params.figure
with job(figure, snakemake.log[0]):
    config = Config(**snakemake.params.settings)
    parts = {table: snakemake.input.get(table, []) for table in find_figure(figure, config)[0].reads}
    draw_figure(figure, config, parts, snakemake.output)
