"""The simulated international system: drawn from a stated model, written as the official files.

Modules, in the order of the work: `settings` and `coefficients` (what is asked for, what is true),
`states`, `power`, `treaties`, `history` and `wars` (the draws), `ledger` (who kept which pledge),
`layout` and `*_files` (the bytes), `truth` (what each study ought to find), `build` (all of it).

None of them imports a reader, a covariate or a model: what the pipeline says about the world is
checked against what the world itself knows.
"""
