# Every table, panel and result as a view of one DuckDB file, for SQL. It holds no data of its own.


rule database:
    input:
        tables=made(*(name for step in PLAN.sources.values() for name in step.tables)),
        panel=rules.panel.output,
        curves=made(*(f"curves/{name}.parquet" for name in CURVES)),
        numbers=rules.collect.output,
        code=stamped("database", modules("foedus.database")),
    output:
        made("foedus.duckdb"),
    log:
        f"{LOGS}/database.log",
    message:
        "database: everything made as views"
    shell:
        "foedus database --data {RESULTS:q} --offline > {log:q} 2>&1"
