# What every step inherits.
rule step:
    log:
        f"{RESULTS}/logs/step.log",
    conda:
        "../envs/vqc-landscape.yaml"
    threads: 1
    script:
        "../scripts/step.py"
