# All verdicts in one job of seconds: a changed threshold or sentence runs this one again, and no study.
CLAIMS = [f"{RESULTS}/claims.{ending}" for ending in ("parquet", "md")] if STUDY.claims else []

if STUDY.claims:

    rule claims:
        input:
            **plan.files_by_stage(RESULTS, CLAIM_PARTS),
            other_seeds=STUDY.other_seeds or [],
        output:
            parquet=CLAIMS[0],
            markdown=CLAIMS[1],
        log:
            logs("claims", "claims"),
        benchmark:
            benchmarks("claims", "claims")
        group:
            "figures"
        conda:
            "../envs/vqc-landscape.yaml"
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: attempt * LIGHT_MB,
            runtime=10,
        params:
            settings=plan.claim_settings(STUDY, CLAIM_PARTS),
            code=plan.claims_code(),
        message:
            "measure the claims"
        script:
            "../scripts/claims.py"
