"""Figures of papers, published values next to ours: `cpbench reproduce METHOD` draws them.

Adding one is adding the file papers/<method>_<figure>.py, for the suite
workloads/suites/reproduce/<method>_<figure>.toml. It has

    TITLE              the heading of its tables
    compare(folder)    returns rows (published.Row) from <folder>/<figure>.csv, which has our runs
    draw(rows, notes)  returns the figure; `notes` belong into its footer
    counts(row)        optional: whether the row enters the error per strategy
    table(rows)        optional: the rows as Markdown, if error_tables.table does not suit them
    claims(rows)       optional: what the paper says of it, and whether it holds (claims.Claim)
    notes(parts)       optional: which of the models' names and errors to state
    closing(rows)      optional: what the summary says instead of that error
"""
