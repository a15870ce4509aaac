# One rule a study: estimates, comparison with print, and its specification curve if it has choices.
# One job makes both, so that what they share (columns, models) is made once.


MOST = PLAN.project.curve_length

for step in PLAN.studies.values():

    rule:
        name:
            f"study_{step.id}"
        input:
            files=step.files,
            tables=made(*step.tables),
            code=stamped(f"study_{step.id}", step.code),
        output:
            made(
                f"estimates/{step.id}.parquet",
                f"comparison/{step.id}.parquet",
                f"studies/{step.id}.json",
                f"studies/{step.id}_rows.parquet",
                f"studies/{step.id}_trials.parquet",
                f"studies/{step.id}_portraits.parquet",
                *([f"curves/{step.id}.parquet"] if step.has_curve else []),
            ),
        log:
            f"{LOGS}/study_{step.id}.log",
        resources:
            mem_mb=4000,
        params:
            id=step.id,
            most=MOST,
        message:
            "study {params.id}"
        shell:
            "foedus study run {params.id} --curve {params.most} --data {RESULTS:q} --offline"
            " > {log:q} 2>&1"
