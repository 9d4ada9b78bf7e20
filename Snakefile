# The front door: `snakemake --cores 4` makes everything. The workflow itself is in workflow/.
include: "workflow/Snakefile"


workflow.default_target = "all"
