# One rule a figure, named after it: `snakemake --cores 4 fig09` makes this one and what it needs.
for figure, parts in PARTS.items():

    rule:
        name:
            figure
        input:
            **plan.files_by_stage(RESULTS, parts),
        output:
            png=report(
                f"{RESULTS}/figures/{figure}.png",
                category=find_figure(figure, STUDY)[0].category,
                labels={"figure": figure},
                caption=caption_file(figure),
            ),
            pdf=f"{RESULTS}/figures/{figure}.pdf",
        log:
            logs("figures", figure),
        benchmark:
            benchmarks("figures", figure)
        group:
            "figures"
        conda:
            "../envs/vqc-landscape.yaml"
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: attempt * LIGHT_MB,
            runtime=10,
        params:
            figure=figure,
            settings=plan.figure_settings(STUDY, figure, parts),
            code=plan.figure_code(find_figure(figure, STUDY)[0].draw),
        message:
            f"draw {figure}"
        script:
            "../scripts/figure.py"


rule figures:
    input:
        [f"{RESULTS}/figures/{figure}.{ending}" for figure in PARTS for ending in ("png", "pdf")],
    localrule: True
    message:
        "Every figure is there."
