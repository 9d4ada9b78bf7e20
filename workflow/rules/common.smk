# What every rule says about itself. `stage` is a table, a key of tables.registry.TABLES.


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


def step(stage, *sections, function=None):
    """What a step works with: when a section of the configuration or a module that it runs changes, it runs again.

    Sections are keys of an experiment; "problem" is its model, objective and data. `function` is for a step that writes
    another file than the table's.
    """
    return {
        "step": function or TABLES[stage].step,
        "settings": lambda wildcards: plan.settings(experiment_of(wildcards), *sections),
        "version": lambda wildcards: plan.code_of(experiment_of(wildcards), stage),
    }


def seed_of(wildcards):
    return int(wildcards.seed)


@functools.cache
def check_planned():
    """The experiments that have jobs to do, against the machine that does them."""
    names = {getattr(job.wildcards, "experiment", None) for job in workflow.dag.needrun_jobs()}
    # a dry run does not say where the jobs would run: profiles of clusters say how many (`jobs`), one's own machine `cores`
    here = workflow.local_exec and not (workflow.dryrun and workflow.resource_settings.nodes)
    try:
        check_sizes({k: v for k, v in STUDY.experiments.items() if k in names}, this_machine() if here else CLUSTER)
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def needs(stage):
    """Memory and minutes of a step, and as much again at every further attempt."""

    def mem_mb(wildcards, attempt):
        if workflow.is_main_process:  # asked for the first time when every job is planned, and none has begun
            check_planned()
        return attempt * memory_mb(experiment_of(wildcards), stage)

    return {
        "mem_mb": mem_mb,
        "runtime": lambda wildcards, attempt: attempt * runtime_minutes(experiment_of(wildcards), stage),
    }


def one_of(names):
    """Regular expression that matches these names, and nothing if there are none."""
    return "|".join(sorted(names)) or "(?!)"


def logs(stage, part="{experiment}-{seed}"):
    return f"{RESULTS}/logs/{stage}/{part}.log"


def benchmarks(stage, part="{experiment}-{seed}"):
    return f"{RESULTS}/benchmarks/{stage}/{part}.tsv"


def dataset_of_ensemble(wildcards):
    (dataset,) = plan.part_files(STUDY, "datasets", wildcards.experiment)
    return dataset


# Experiments whose Hessians are split over jobs.
SPLIT = [name for name, experiment in STUDY.experiments.items() if plan.shard_files("", experiment, name, 0, 0)]


def epochs_of_block(wildcards):
    return experiment_of(wildcards).hessian_blocks[int(wildcards.block)]


def shards_of_block(wildcards):
    experiment, seed, block = wildcards.experiment, wildcards.seed, wildcards.block
    return plan.shard_files(RESULTS, experiment_of(wildcards), experiment, seed, block)


def shards_of(wildcards):
    """How the Hessians are split."""
    return experiment_of(wildcards).hessian.shards


def caption_file(figure):
    """A file with the caption of a figure: Snakemake's own report wants one."""
    path = Path(".snakemake/captions", f"{figure}.rst").absolute()
    if workflow.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(find_figure(figure, STUDY)[0].caption + "\n", encoding="utf-8")
    return path
