# One job differentiates a block of epochs, so that blocks run side by side and each works long enough.
rule hessians:
    input:
        unpack(dataset_of),
        trajectory=table("trajectories"),
    output:
        table("hessians", block="{block}"),
    log:
        logs("hessians", "{experiment}-{seed}-{block}"),
    benchmark:
        benchmarks("hessians", "{experiment}-{seed}-{block}")
    wildcard_constraints:
        experiment=one_of(set(STUDY.experiments) - set(SPLIT)),
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("hessians"),
        runtime=runtime("hessians"),
    params:
        epochs=epochs_of_block,
        settings=settings("hessians"),
        code=code("hessians"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: Hessians, block {wildcards.block}"
    script:
        "../scripts/hessians.py"


# The same for Hessians that are split: a job for every slice of samples and pair of parameter blocks, and their sum.
# The sum has the inputs of its shards, too: they decide whether it is current when the shards are gone.
rule hessian_shard:
    input:
        unpack(dataset_of),
        trajectory=table("trajectories"),
    output:
        temp(plan.shard_file(RESULTS, "{experiment}", "{seed}", "{block}", "{shard}")),
    log:
        logs("hessian_shards", "{experiment}-{seed}-{block}-{shard}"),
    benchmark:
        benchmarks("hessian_shards", "{experiment}-{seed}-{block}-{shard}")
    wildcard_constraints:
        experiment=one_of(SPLIT),
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("hessian_shards"),
        runtime=runtime("hessian_shards"),
    params:
        epochs=epochs_of_block,
        settings=settings("hessians"),
        shards=shards_of,
        code=code("hessians"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: Hessians, block {wildcards.block}, shard {wildcards.shard}"
    script:
        "../scripts/hessian_shard.py"


rule hessian_sum:
    input:
        unpack(dataset_of),
        trajectory=table("trajectories"),
        shards=shards_of_block,
    output:
        table("hessians", block="{block}"),
    log:
        logs("hessians", "{experiment}-{seed}-{block}"),
    benchmark:
        benchmarks("hessians", "{experiment}-{seed}-{block}")
    wildcard_constraints:
        experiment=one_of(SPLIT),
    group:
        "analysis"
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("spectra"),
        runtime=runtime("spectra"),
    params:
        settings=settings("hessians"),
        code=code("hessians"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: add up the Hessians of block {wildcards.block}"
    script:
        "../scripts/hessian_sum.py"


rule spectra:
    input:
        unpack(dataset_of),
        hessians=hessians_of,
    output:
        table("spectra"),
    log:
        logs("spectra"),
    benchmark:
        benchmarks("spectra")
    group:
        "analysis"
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("spectra"),
        runtime=runtime("spectra"),
    params:
        settings=settings("spectra"),
        code=code("spectra"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: diagonalise the Hessians"
    script:
        "../scripts/spectra.py"


rule scans:
    input:
        unpack(dataset_of),
        trajectory=table("trajectories"),
        spectra=table("spectra"),
    output:
        table("scans"),
    log:
        logs("scans"),
    benchmark:
        benchmarks("scans")
    group:
        "analysis"
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("scans"),
        runtime=runtime("scans"),
    params:
        settings=settings("scans"),
        code=code("scans"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: loss along eigenvectors"
    script:
        "../scripts/scans.py"


rule convention_errors:
    input:
        unpack(dataset_of),
        trajectory=table("trajectories"),
        hessians=hessians_of,
    output:
        table("convention_errors"),
    log:
        logs("convention_errors"),
    benchmark:
        benchmarks("convention_errors")
    group:
        "analysis"
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("convention_errors"),
        runtime=runtime("convention_errors"),
    params:
        settings=settings("convention_errors"),
        code=code("convention_errors"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: as-published Hessians against exact ones"
    script:
        "../scripts/convention_errors.py"


rule planes:
    input:
        unpack(dataset_of),
        unpack(spectra_of),
        trajectory=table("trajectories"),
    output:
        table("planes"),
    log:
        logs("planes"),
    benchmark:
        benchmarks("planes")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("planes"),
        runtime=runtime("planes"),
    params:
        settings=settings("planes"),
        code=code("planes"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: planes of the landscape"
    script:
        "../scripts/planes.py"


rule landscape:
    output:
        table("landscapes"),
    log:
        logs("landscapes"),
    benchmark:
        benchmarks("landscapes")
    group:
        "analysis"
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("landscapes"),
        runtime=runtime("landscapes"),
    params:
        settings=settings("landscapes"),
        code=code("landscapes"),
    message:
        "{wildcards.experiment}: plane of the landscape"
    script:
        "../scripts/landscape.py"


rule starts:
    input:
        unpack(dataset_of),
    output:
        table("starts"),
    log:
        logs("starts"),
    benchmark:
        benchmarks("starts")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("starts"),
        runtime=runtime("starts"),
    params:
        settings=settings("starts"),
        code=code("starts"),
    message:
        "{wildcards.experiment}: spectra at many initial points"
    script:
        "../scripts/starts.py"


rule shift_rule:
    output:
        table("shift_rule"),
    log:
        logs("shift_rule"),
    benchmark:
        benchmarks("shift_rule")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("shift_rule"),
        runtime=runtime("shift_rule"),
    params:
        settings=settings("shift_rule"),
        code=code("shift_rule"),
        job="write_shift_rule",
    message:
        "{wildcards.experiment}: shift rule"
    script:
        "../scripts/shift_rule.py"


# Times, no table: they differ from run to run, and nothing reads them.
rule timings:
    output:
        f"{RESULTS}/timings/{{experiment}}-{{seed}}.tsv",
    log:
        logs("timings"),
    benchmark:
        benchmarks("timings")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=memory("shift_rule"),
        runtime=runtime("shift_rule"),
    params:
        settings=settings("shift_rule"),
        code=code("shift_rule"),
        job="write_timings",
    message:
        "{wildcards.experiment}: time Hessian and metric tensor"
    script:
        "../scripts/shift_rule.py"
