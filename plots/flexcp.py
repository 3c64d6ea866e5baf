"""Names of Flexible CP's arms, static setups and workloads in the runs of its figures."""

FLEXIBLE, OURS = "flexcp", "flexcp, calibrated"
MEGATRON, DEEPSPEED = "Megatron static", "DeepSpeed static"
OTHERS = ("flexsp", "megatron_hybrid", "bytescale")


def options_of(run):
    return dict(pair.split("=", 1) for pair in run["options"].split(",") if pair)


def arm_of(run):
    """(name, degree of a static setup or 0)"""
    options = options_of(run)
    degree = int(options.get("degree", 0))
    if run["strategy"] == "deepspeed_static":
        return DEEPSPEED, degree
    if run["strategy"] == "flexcp":
        if degree:
            return MEGATRON, degree
        return (OURS if "cost" in options else FLEXIBLE), 0
    return run["strategy"], 0


def arms(runs, value="iteration_seconds"):
    """{arm: (value, degree)}: of static setups the degree with the least sum over these runs.

    A degree that does not support all of them does not count.
    """
    values = {}
    for run in runs:
        values.setdefault(arm_of(run), []).append(run[value])
    every = max(map(len, values.values()), default=0)
    best = {}
    for (name, degree), of in values.items():
        if len(of) == every and (name not in best or sum(of) < best[name][0]):
            best[name] = (sum(of), degree)
    return best


def short(workload):
    """The workload's name without the bounds of a distribution."""
    return workload.split(",min")[0].replace("_", " ")
