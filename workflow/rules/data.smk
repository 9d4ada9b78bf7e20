use rule step as dataset with:
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
    resources:
        **needs("datasets"),
    params:
        **step("datasets", "data"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: draw the samples"
