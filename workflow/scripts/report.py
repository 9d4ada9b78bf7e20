"""The page, from exactly the figures, tables and benchmarks that it was handed."""

from vqc_landscape.config import Config
from vqc_landscape.report.page import write_report
from vqc_landscape.studies.jobs import job

with job("page", snakemake.log[0]):
    parts = {name: list(paths) for name, paths in snakemake.input.items()}
    figures, claims, benchmarks = (parts.pop(name) for name in ("figures", "claims", "benchmarks"))
    write_report(
        Config(**snakemake.params.settings),
        figures,
        parts,
        claims[0] if claims else None,
        benchmarks,
        snakemake.output[0],
    )
