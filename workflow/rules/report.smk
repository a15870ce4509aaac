# All studies' numbers in one table each with their provenance, then figures, tables, site and PDF.


PDF = ["report/report.pdf"] if PLAN.project.config.report.pdf else []


rule collect:
    input:
        studies=[
            file
            for name in STUDIES
            for file in made(
                f"estimates/{name}.parquet",
                f"comparison/{name}.parquet",
                f"studies/{name}.json",
            )
        ],
        curves=made(*(f"curves/{name}.parquet" for name in CURVES)),
        tables=made(*(name for step in PLAN.sources.values() for name in step.tables)),
        code=stamped("collect", modules("foedus.studies.collect")),
    output:
        made(
            "estimates.csv",
            "estimates.parquet",
            "comparison.csv",
            "comparison.parquet",
            "provenance.json",
            "ro-crate-metadata.json",
        ),
    log:
        f"{LOGS}/collect.log",
    params:
        revision=PLAN.revision,
        config=PLAN.project.config.model_dump_json(),
    message:
        "collect estimates, comparison and provenance"
    shell:
        "foedus collect --data {RESULTS:q} --offline > {log:q} 2>&1"


rule report:
    input:
        numbers=rules.collect.output,
        panel=rules.panel.output,
        curves=made(*(f"curves/{name}.parquet" for name in CURVES)),
        portraits=made(*(f"studies/{name}_portraits.parquet" for name in STUDIES)),
        declared=stamped(
            "declared",
            [
                *PLAN.report,
                *(file for step in PLAN.studies.values() for file in step.files),
            ],
        ),
        code=stamped("report", modules("foedus.report.build")),
    output:
        made("report/index.html", *PDF),
        directory(made("figures")),
    log:
        f"{LOGS}/report.log",
    threads: 2
    resources:
        mem_mb=2000,
    params:
        options=PLAN.project.config.report.model_dump_json(),
    message:
        "report: figures, tables, site and PDF"
    shell:
        "foedus report --jobs {threads} --data {RESULTS:q} --offline > {log:q} 2>&1"
