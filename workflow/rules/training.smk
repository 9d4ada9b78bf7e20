# Checkpoints are params, not outputs: Snakemake deletes the outputs of a job that failed.
rule train:
    input:
        unpack(dataset_of),
    output:
        table("trajectories"),
    log:
        logs("trajectories"),
    benchmark:
        benchmarks("trajectories")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("trajectories"),
        runtime=runtime("trajectories"),
    params:
        settings=settings("trajectories"),
        code=code("trajectories"),
        state=f"{STUDY.state_dir}/experiment={{experiment}}/seed={{seed}}",
    message:
        "{wildcards.experiment} seed {wildcards.seed}: train"
    script:
        "../scripts/train.py"


rule predict:
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
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("predictions"),
        runtime=runtime("predictions"),
    params:
        settings=settings("predictions"),
        code=code("predictions"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: prediction maps"
    script:
        "../scripts/predict.py"
