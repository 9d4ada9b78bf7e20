# What every rule says about itself. `stage` is a table, a key of plan.STAGES.


def experiment_of(wildcards):
    return STUDY.experiments[wildcards.experiment]


def table(stage, block="0"):
    """Pattern of a table's part files."""
    return part_file(RESULTS, stage, "{experiment}", "{seed}", block)


def dataset_of(wildcards):
    """The samples of an experiment; none for state preparation."""
    return {"dataset": table("datasets").format(**wildcards)} if experiment_of(wildcards).data else {}


def hessians_of(wildcards):
    """The Hessians of an experiment, one part per block of epochs."""
    blocks = range(len(experiment_of(wildcards).hessian_blocks))
    return [table("hessians", block).format(**wildcards) for block in blocks]


def spectra_of(wildcards):
    """The spectra of an experiment, if its planes lie along eigenvectors."""
    wanted = "eigenvectors" in experiment_of(wildcards).planes.axes
    return {"spectra": table("spectra").format(**wildcards)} if wanted else {}


def settings(stage):
    """All of the configuration that the step may read: when it changes, the job runs again."""
    return lambda wildcards: plan.settings(experiment_of(wildcards), stage)


def code(stage):
    """Hash over the modules that the step runs: Snakemake does not see edits in the package."""
    return lambda wildcards: plan.code_of(experiment_of(wildcards), stage)


def logs(stage, part="{experiment}-{seed}"):
    return f"{RESULTS}/logs/{stage}/{part}.log"


def benchmarks(stage, part="{experiment}-{seed}"):
    return f"{RESULTS}/benchmarks/{stage}/{part}.tsv"
