# The default panel: every directed dyad-year with the covariates that the config lists, and its codebook.


rule panel:
    input:
        tables=made(*PLAN.panel.tables),
        files=PLAN.panel.files,
        code=stamped("panel", PLAN.panel.code),
    output:
        made(
            f"panels/{PLAN.panel.unit}.parquet",
            f"panels/{PLAN.panel.unit}.codebook.html",
            f"panels/{PLAN.panel.unit}.codebook.md",
        ),
    log:
        f"{LOGS}/panel.log",
    resources:
        mem_mb=4000,
    params:
        unit=PLAN.panel.unit,
        years=PLAN.panel.years,
        covariates=PLAN.panel.covariates,
    message:
        "panel of {params.unit}"
    shell:
        "foedus panel {params.unit} --years {params.years} --covariates {params.covariates}"
        " --out {output[0]:q} --data {RESULTS:q} --offline > {log:q} 2>&1"
