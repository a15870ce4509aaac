# One job a study: estimates and comparison with print; one more for its specification curve.


STUDY_CODE = {
    name: stamped(f"study_{name}", step.code) for name, step in PLAN.studies.items()
}
CURVE_CODE = stamped("curve", modules("foedus.studies.curve"))


rule study:
    input:
        files=lambda wildcards: PLAN.studies[wildcards.study].files,
        tables=lambda wildcards: made(*PLAN.studies[wildcards.study].tables),
        code=lambda wildcards: STUDY_CODE[wildcards.study],
    output:
        made(
            "estimates/{study}.parquet",
            "comparison/{study}.parquet",
            "studies/{study}.json",
            "studies/{study}_rows.parquet",
            "studies/{study}_trials.parquet",
            "studies/{study}_portraits.parquet",
        ),
    log:
        f"{LOGS}/study_{{study}}.log",
    resources:
        mem_mb=4000,
    message:
        "study {wildcards.study}"
    shell:
        "foedus study run {wildcards.study} --data {RESULTS:q} --offline > {log:q} 2>&1"


rule curve:
    input:
        files=lambda wildcards: PLAN.studies[wildcards.study].files,
        tables=lambda wildcards: made(*PLAN.studies[wildcards.study].tables),
        code=lambda wildcards: STUDY_CODE[wildcards.study],
        curve=CURVE_CODE,
    output:
        made("curves/{study}.parquet"),
    log:
        f"{LOGS}/curve_{{study}}.log",
    resources:
        mem_mb=4000,
    params:
        most=PLAN.project.config.curves.max_specifications,
    message:
        "specification curve of {wildcards.study}"
    shell:
        "foedus curve {wildcards.study} --max {params.most} --data {RESULTS:q} --offline"
        " > {log:q} 2>&1"
