"""One step of the study: the function that the rule names, on the sections of the configuration that it lists."""

from vqc_landscape.studies.jobs import run_step

part = [f"{name} {value}" for name, value in snakemake.wildcards.items() if name != "experiment"]
title = f"{' '.join([snakemake.wildcards.experiment, *part])}, {snakemake.rule.replace('_', ' ')}"
run_step(title, snakemake.log[0], snakemake.params, snakemake.input, snakemake.output[0])
