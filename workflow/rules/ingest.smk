# One rule a source: its files where they were found, its YAML, and the modules that read it.

for step in PLAN.sources.values():

    rule:
        name:
            step.rule
        input:
            raw=step.raw,
            facts=step.facts,
            code=stamped(step.rule, step.code),
        output:
            made(*step.tables),
        log:
            f"{LOGS}/ingest_{step.id}.log",
        resources:
            mem_mb=2000,
        params:
            id=step.id,
            accepted=step.id in PLAN.project.config.accept_unpinned,
        message:
            "{params.id}: raw files to tables"
        shell:
            "foedus ingest {params.id} --data {RESULTS:q} --offline > {log:q} 2>&1"
