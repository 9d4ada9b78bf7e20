# Many seeds of one model: a job works on a block of them, because a start of Python costs as much as a small network.
rule ensemble:
    input:
        dataset=samples_of,
    output:
        table("ensembles", block="{block}"),
    log:
        logs("ensembles", "{experiment}-{block}"),
    benchmark:
        benchmarks("ensembles", "{experiment}-{block}")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("ensembles"),
        runtime=runtime("ensembles"),
    params:
        seeds=lambda wildcards: experiment_of(wildcards).seed_blocks[int(wildcards.block)],
        settings=settings("ensembles"),
        code=code("ensembles"),
        state=f"{STUDY.state_dir}/experiment={{experiment}}",
    message:
        "{wildcards.experiment}: train and differentiate seeds, block {wildcards.block}"
    script:
        "../scripts/ensemble.py"


rule samples:
    input:
        dataset=samples_of,
        ensemble=table("ensembles", block="{block}"),
    output:
        table("samples", block="{block}"),
    log:
        logs("samples", "{experiment}-{block}"),
    benchmark:
        benchmarks("samples", "{experiment}-{block}")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("samples"),
        runtime=runtime("samples"),
    params:
        settings=settings("samples"),
        code=code("samples"),
    message:
        "{wildcards.experiment}: Hessians of single samples, block {wildcards.block}"
    script:
        "../scripts/samples.py"
