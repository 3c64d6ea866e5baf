"""The tables of a report: runs of one problem together, and only the columns that vary."""

import page
import results
import style


def short_number(value):
    for unit, name in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


# Metric, heading, function that makes a value's text.
COLUMNS = (
    ("iteration_seconds", "time", style.time_text),
    ("tflops_per_rank", "FLOP/s per rank", lambda value: short_number(value * 1e12)),
    ("mfu", "MFU", lambda value: f"{value:.1%}"),
    ("wire_bytes", "bytes sent", short_number),
    ("compute_imbalance", "compute max/mean", "{:.3f}".format),
    ("token_imbalance", "tokens max/mean", "{:.3f}".format),
    ("steps", "steps", short_number),
    ("peak_bytes", "peak bytes", short_number),
    ("max_error_output", "error of O", "{:.1e}".format),
    ("max_error_gradient", "error of gradients", "{:.1e}".format),
)
# Metrics with a column for their ratio to the baseline: as speed where less is better.
RATIOS = {"iteration_seconds": "speed", "wire_bytes": "bytes"}
INTERVAL = "iteration_seconds"  # the metric with a confidence interval


def source(run):
    if run.backend == "plan":
        return "planned"
    return "simulated" if run.simulated else "measured"


def baseline_of(runs, wanted):
    names = list(dict.fromkeys(run.strategy for run in runs))
    if wanted and wanted not in names:
        raise results.ResultError(
            f"--baseline: '{wanted}' is not among the strategies here: {', '.join(names)}"
        )
    return wanted or ("allgather" if "allgather" in names else names[0])


def named(run):
    text = page.html(run.label)
    return page.Markup(text + page.tag("simulated")) if run.simulated else text


def value_of(run, metric):
    return run.metrics.get(metric) if run.status == "ok" else None


def value_text(run, metric, text):
    value = value_of(run, metric)
    return "" if value is None else text(value)


def interval_text(run, metric, text):
    low, high = value_of(run, f"{metric}_low"), value_of(run, f"{metric}_high")
    return "" if low is None or high is None else f"{text(low)} to {text(high)}"


def ratio_text(run, metric, members, baseline):
    candidates = [other for other in members if other.strategy == baseline]
    candidates.sort(key=lambda other: other.options != "")
    value = value_of(run, metric)
    base = next((v for other in candidates if (v := value_of(other, metric))), None)
    if value is None or not base or (not value and RATIOS[metric] == "speed"):
        return ""
    ratio = base / value if RATIOS[metric] == "speed" else value / base
    return f"{ratio:.2f}x"


def parameters_in_common(runs):
    """ "tokens 4K", "ranks 8" and so on: what all runs share and a reader needs to repeat them."""
    found = []
    for key in results.GROUP_KEYS:
        values = {run.attributes[key] for run in runs}
        value = values.pop()
        unused = key in ("window", "cached") and value == "0"
        if not values and value != "" and not unused:
            text = results.size_text(value) if key == "tokens" else value
            found.append(f"{key.removesuffix('_name')} {text}")
    return found


def comparison(runs, baseline):
    _, groups = results.grouped(runs)
    columns = [page.Column("strategy"), page.Column("status")]
    for metric, heading, _ in COLUMNS:
        columns.append(page.Column(heading, number=True))
        if metric == INTERVAL:
            columns.append(page.Column("95% interval", number=True))
        if metric in RATIOS:
            columns.append(page.Column(f"{RATIOS[metric]} / {baseline}", number=True))
    tables = []
    for words, members in groups.items():
        rows = []
        for run in sorted(members, key=lambda run: style.order(run.label)):
            row = [named(run), run.status]
            for metric, _, text in COLUMNS:
                row.append(value_text(run, metric, text))
                if metric == INTERVAL:
                    row.append(interval_text(run, metric, text))
                if metric in RATIOS:
                    row.append(ratio_text(run, metric, members, baseline))
            rows.append(row)
        tables.append((", ".join(words), rows))
    columns, tables, same = without_constants(columns, tables)
    notes = [*parameters_in_common(runs), *same]
    text = page.element("p", "In all runs: " + ", ".join(notes)) if notes else ""
    return page.Markup(text + page.table(columns, tables))


def without_constants(columns, tables):
    """Drops columns whose rows all hold the same text, except the first; lists these texts."""
    rows = [row for _, members in tables for row in members]
    kept, same = [0], []
    for index in range(1, len(columns)):
        texts = {row[index] for row in rows}
        if len(texts) > 1 or (len(rows) == 1 and texts != {""}):
            kept.append(index)
        elif texts != {""}:
            same.append(f"{columns[index].name} {texts.pop()}")
    tables = [(heading, [[row[i] for i in kept] for row in members]) for heading, members in tables]
    return [columns[i] for i in kept], tables, same


def words_of(run):
    keys = ("workload", "tokens", "ranks", "backend")
    return ", ".join(results.words(run, keys))


def failures(runs):
    rows = [
        [named(run), words_of(run), run.status, run.error] for run in runs if run.status != "ok"
    ]
    if not rows:
        return ""
    names = ("strategy", "run", "status", "reason")
    return page.table([page.Column(name) for name in names], [(None, sorted(rows))])


def definitions(runs):
    described = {name: words for run in runs for name, words in run.descriptions.items()}
    rows = [
        [heading, metric, described[metric]]
        for metric, heading, _ in COLUMNS
        if metric in described
    ]
    names = ("column", "metric", "definition")
    return page.table([page.Column(name) for name in names], [(None, rows)]) if rows else ""


def every_run(runs, folder):
    rows = [
        [named(run), words_of(run), run.status, run.run_id, str(run.path.relative_to(folder))]
        for run in runs
    ]
    names = ("strategy", "run", "status", "run id", "file")
    return page.table([page.Column(name) for name in names], [(None, rows)])
