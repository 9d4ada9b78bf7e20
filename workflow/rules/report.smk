# The page, from exactly what it shows.
REPORT = f"{RESULTS}/report.html"


rule report:
    input:
        **plan.files_by_stage(RESULTS, dict.fromkeys(part for parts in PARTS.values() for part in parts)),
        figures=[f"{RESULTS}/figures/{figure}.png" for figure in PARTS],
        claims=CLAIMS[:1],
        benchmarks=plan.benchmark_files(STUDY),
    output:
        REPORT,
    log:
        logs("report", "report"),
    benchmark:
        benchmarks("report", "report")
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=plan.report_settings(STUDY),
        code=plan.report_code(),
    message:
        "write the page"
    script:
        "../scripts/report.py"
