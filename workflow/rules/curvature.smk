# One job differentiates a block of epochs, so that blocks run side by side and each works long enough.
use rule step as hessians with:
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
    resources:
        **needs("hessians"),
    params:
        **step("hessians", "problem"),
        epochs=epochs_of_block,
    message:
        "{wildcards.experiment} seed {wildcards.seed}: Hessians, block {wildcards.block}"


# The same for Hessians that are split: a job for every slice of samples and pair of parameter blocks, and their sum.
# The sum has the inputs of its shards, too: they decide whether it is current when the shards are gone.
use rule step as hessian_shard with:
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
    resources:
        **needs("hessian_shards"),
    params:
        **step("hessians", "problem", function="studies.hessians.write_shard"),
        number=lambda wildcards: int(wildcards.shard),
        epochs=epochs_of_block,
        shards=shards_of,
    message:
        "{wildcards.experiment} seed {wildcards.seed}: Hessians, block {wildcards.block}, shard {wildcards.shard}"


use rule step as hessian_sum with:
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
    resources:
        **needs("spectra"),
    params:
        **step("hessians", "problem", function="studies.hessians.add_shards"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: add up the Hessians of block {wildcards.block}"


use rule step as spectra with:
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
    resources:
        **needs("spectra"),
    params:
        **step("spectra", "problem"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: diagonalise the Hessians"


use rule step as scans with:
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
    resources:
        **needs("scans"),
    params:
        **step("scans", "problem", "scans"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: loss along eigenvectors"


use rule step as convention_errors with:
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
    resources:
        **needs("convention_errors"),
    params:
        **step("convention_errors", "problem"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: as-published Hessians against exact ones"


use rule step as planes with:
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
    resources:
        **needs("planes"),
    params:
        **step("planes", "problem", "planes"),
    message:
        "{wildcards.experiment} seed {wildcards.seed}: planes of the landscape"


use rule step as landscape with:
    output:
        table("landscapes"),
    log:
        logs("landscapes"),
    benchmark:
        benchmarks("landscapes")
    group:
        "analysis"
    resources:
        **needs("landscapes"),
    params:
        **step("landscapes", "problem", "landscape"),
    message:
        "{wildcards.experiment}: plane of the landscape"


use rule step as starts with:
    input:
        unpack(dataset_of),
    output:
        table("starts"),
    log:
        logs("starts"),
    benchmark:
        benchmarks("starts")
    resources:
        **needs("starts"),
    params:
        **step("starts", "problem", "init", "starts"),
        seed=seed_of,
    message:
        "{wildcards.experiment}: spectra at many initial points"


use rule step as shift_rule with:
    output:
        table("shift_rule"),
    log:
        logs("shift_rule"),
    benchmark:
        benchmarks("shift_rule")
    resources:
        **needs("shift_rule"),
    params:
        **step("shift_rule", "problem", "init", "shift_rule"),
        seed=seed_of,
    message:
        "{wildcards.experiment}: shift rule"


# Times, no table: they differ from run to run, and nothing reads them.
use rule step as timings with:
    output:
        f"{RESULTS}/timings/{{experiment}}-{{seed}}.tsv",
    log:
        logs("timings"),
    benchmark:
        benchmarks("timings")
    resources:
        **needs("shift_rule"),
    params:
        **step("shift_rule", "problem", "init", "shift_rule", function="studies.shift_rule.write_timings"),
        seed=seed_of,
    message:
        "{wildcards.experiment}: time Hessian and metric tensor"
