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
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        epochs=lambda wildcards: experiment_of(wildcards).hessian_blocks[int(wildcards.block)],
        settings=settings("hessians"),
        code=code("hessians"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: Hessians, block {wildcards.block}"
    script:
        "../scripts/hessians.py"


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
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
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
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
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
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
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
        mem_mb=1000,
        runtime=60,
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
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        settings=settings("landscapes"),
        code=code("landscapes"),
    message:
        "{wildcards.experiment}: plane of the landscape"
    script:
        "../scripts/landscape.py"
