rule dataset:
    input:
        lambda wildcards: plan.own_inputs(experiment_of(wildcards)),
    output:
        table("datasets"),
    log:
        logs("datasets"),
    benchmark:
        benchmarks("datasets")
    group:
        "samples"
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("datasets"),
        runtime=runtime("datasets"),
    params:
        settings=settings("datasets"),
        code=code("datasets"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: draw the samples"
    script:
        "../scripts/dataset.py"
