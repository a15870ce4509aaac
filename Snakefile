# The whole line in one page: source files -> tables -> panel and studies -> comparison -> report.
#
# A rule is one foedus command with what it reads and writes; run the command by hand and you get the
# same file. What each step depends on (declarations, tables, our own modules) is worked out by
# foedus.lineage, so that a changed module or study re-runs what uses it and nothing else.
# Start it with `make report`, or: snakemake --profile config/profiles/local --cores 2

import os
import sys

from foedus.lineage import modules, plan
from foedus.stamps import stamp

os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]

RESULTS = str(config.get("results", "results"))
PLAN = plan(RESULTS)
LOGS = os.path.join("logs", os.path.basename(os.path.normpath(RESULTS)))
STUDIES = list(PLAN.studies)
CURVES = [name for name, step in PLAN.studies.items() if step.has_curve]


def made(*names):
    """Return files of the results folder by their names in it."""
    return [os.path.join(RESULTS, name) for name in names]


def stamped(step, files):
    """Return the file that holds the checksums of a step's code: one input for some hundreds."""
    return stamp(os.path.join(RESULTS, "lineage"), step, files)


include: "workflow/rules/ingest.smk"
include: "workflow/rules/panel.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/database.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        rules.panel.output,
        rules.collect.output,
        rules.report.output,
        rules.database.output,
    message:
        "everything is made"
