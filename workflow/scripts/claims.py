"""Every verdict, from exactly the tables that it was handed."""

from vqc_landscape.claims.write import write_claims
from vqc_landscape.config import Config
from vqc_landscape.studies.jobs import job

with job("claims", snakemake.log[0]):
    paths = {stage: list(files) for stage, files in snakemake.input.items() if stage != "other_seeds"}
    write_claims(Config(**snakemake.params.settings), paths, snakemake.output.parquet, snakemake.output.markdown)
