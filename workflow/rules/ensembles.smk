# Many seeds of one model: a job works on a block of them, because a start of Python costs as much as a small network.
use rule step as ensemble with:
    input:
        dataset=dataset_of_ensemble,
    output:
        table("ensembles", block="{block}"),
    log:
        logs("ensembles", "{experiment}-{block}"),
    benchmark:
        benchmarks("ensembles", "{experiment}-{block}")
    resources:
        **needs("ensembles"),
    params:
        **step("ensembles", "problem", "init", "training", "ensemble"),
        seeds=lambda wildcards: experiment_of(wildcards).seed_blocks[int(wildcards.block)],
        state_dir=f"{STUDY.state_dir}/experiment={{experiment}}",
        code=step("ensembles")["version"],
    message:
        "{wildcards.experiment}: train and differentiate seeds, block {wildcards.block}"


use rule step as samples with:
    input:
        dataset=dataset_of_ensemble,
        ensemble=table("ensembles", block="{block}"),
    output:
        table("samples", block="{block}"),
    log:
        logs("samples", "{experiment}-{block}"),
    benchmark:
        benchmarks("samples", "{experiment}-{block}")
    resources:
        **needs("samples"),
    params:
        **step("samples", "problem", "samples"),
    message:
        "{wildcards.experiment}: Hessians of single samples, block {wildcards.block}"
