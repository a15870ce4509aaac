"""Raw bytes to validated, tidy tables: one module and one YAML a data set.

registry (what there is), resolve (where its files are), fetch (get them), reading and schema (what
they must be), ingest (make tables), tables (ask for them by name). Importing this loads no data
library.
"""
