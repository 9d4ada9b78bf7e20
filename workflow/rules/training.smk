# Checkpoints are params, not outputs: Snakemake deletes the outputs of a job that failed.
use rule step as train with:
    input:
        unpack(dataset_of),
    output:
        table("trajectories"),
    log:
        logs("trajectories"),
    benchmark:
        benchmarks("trajectories")
    resources:
        **needs("trajectories"),
    params:
        **step("trajectories", "problem", "init", "training"),
        seed=seed_of,
        state_dir=f"{STUDY.state_dir}/experiment={{experiment}}/seed={{seed}}",
        code=step("trajectories")["version"],
    message:
        "{wildcards.experiment} seed {wildcards.seed}: train"


use rule step as predict with:
    input:
        unpack(dataset_of),
        trajectory=table("trajectories"),
    output:
        table("predictions"),
    log:
        logs("predictions"),
    benchmark:
        benchmarks("predictions")
    group:
        "analysis"
    resources:
        **needs("predictions"),
    params:
        **step("predictions", "problem", "predictions"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: prediction maps"
