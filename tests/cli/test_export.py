"""Results for other programs: traces are read back, and their graph is replayed."""

import csv
from collections import Counter, deque
from itertools import groupby

import chakra_reader as chakra
import h5py
import pytest
from conftest import TINY, assert_refused, run, run_json

SIMULATE = [
    *("--workload", "documents:3K+4K+1K", "--tokens", "8K", "--backend", "simulate"),
    *("--cluster", "h100"),
]


def simulated(results, *words):
    done, rows = run_json("run", *SIMULATE, *words, "--output", results)
    assert done.returncode == 0 and rows[0]["status"] == "ok", done.stderr
    return rows[0]


def traces_of(row, folder):
    done = run("export", "chakra", row["file"], "--output", folder)
    if "without protobuf" in done.stderr:
        assert_refused(done, "libprotobuf-dev")
        assert not folder.exists()
        pytest.skip("built without protobuf (libprotobuf-dev, protobuf-compiler)")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    paths = [folder / f"{row['file'].split('/')[-1][:-3]}.{r}.et" for r in range(row["ranks"])]
    assert sorted(folder.iterdir()) == sorted(paths)
    traces = [chakra.read_trace(path) for path in paths]
    assert {version for version, _ in traces} == {"0.0.4"}
    return [nodes for _, nodes in traces]


def replay(traces):
    """Orders of the nodes of each rank in which nothing runs before what it waits for.

    A receive also waits for its send, and a collective for all of its ranks.
    """
    sends, calls, followers = {}, {}, {}
    waiting = {}
    for rank, nodes in enumerate(traces):
        known = {node.id for node in nodes}
        assert len(known) == len(nodes)
        for node in nodes:
            here = (rank, node.id)
            before = [(rank, other) for other in node.control + node.data]
            assert {other for _, other in before} <= known
            about = node.attributes
            if node.type in (chakra.SEND, chakra.RECEIVE):
                key = tuple(about[f"comm_{what}"] for what in ("src", "dst", "tag", "size"))
                assert rank == about["comm_src" if node.type == chakra.SEND else "comm_dst"]
                sends.setdefault(key, {})[node.type] = here
            if node.type == chakra.COLLECTIVE:
                calls.setdefault((about["pg_name"], node.name), []).append(here)
            waiting[here] = before
    assert all(len(ends) == 2 for ends in sends.values())  # every message has both ends
    for ends in sends.values():
        waiting[ends[chakra.RECEIVE]].append(ends[chakra.SEND])
    for (ranks, _), members in calls.items():
        assert sorted(rank for rank, _ in members) == sorted(map(int, ranks.split(",")))
    left = {}
    for here, before in waiting.items():
        left[here] = len(before)
        for other in before:
            followers.setdefault(other, []).append(here)
    ready = deque(here for here, count in left.items() if count == 0)
    order = []
    while ready:
        here = ready.popleft()
        order.append(here)
        for other in followers.get(here, []):
            left[other] -= 1
            if left[other] == 0:
                ready.append(other)
    assert len(order) == len(waiting), "the graph has a cycle"
    by_id = [{node.id: node for node in nodes} for nodes in traces]
    return [[by_id[r][i] for rank, i in order if rank == r] for r in range(len(traces))]


def matrix_of(row, folder):
    file = folder / "bytes.csv"
    assert run("export", "matrix", row["file"], "--output", file).returncode == 0
    with open(file) as lines:
        rows = list(csv.DictReader(lines))
    return Counter({(int(r["from"]), int(r["to"])): int(r["bytes"]) for r in rows})


def sent(traces):
    total = Counter()
    for nodes in traces:
        for node in nodes:
            if node.type == chakra.SEND:
                about = node.attributes
                total[about["comm_src"], about["comm_dst"]] += about["comm_size"]
    return total


KERNELS = ("attention", "layer")


def kernels_of_timeline(row, rank):
    """[(name, seconds)] of the simulated kernels of a rank, in the order of their starts."""
    with h5py.File(row["file"]) as file:
        group = file["pack_0/timeline"]
        names = ("rank", "pass", "step", "activity", "start_seconds", "end_seconds")
        events = sorted(zip(*(group[n][:] for n in names), strict=True), key=lambda e: e[4])
    words = {0: "attention", 5: "layer"}
    return [
        (f"{words[e[3]]} {'backward' if e[1] else 'forward'} step {e[2]}", e[5] - e[4])
        for e in events
        if e[0] == rank and e[3] in words
    ]


def in_a_row(kernels):
    """Kernels of one name that follow one another count as one, because a timeline joins them."""
    return [(name, sum(s for _, s in some)) for name, some in groupby(kernels, key=lambda k: k[0])]


@pytest.mark.parametrize(
    "words",
    [
        ("--strategy", "ring", "--ranks", "4", "--shape", "flashcp_h32"),
        ("--strategy", "zigzag", "--ranks", "16", "--shape", "llama3_8b"),
        ("--strategy", "fcp", "--ranks", "8"),
        ("--strategy", "magi:stages=2", "--ranks", "3"),
        ("--strategy", "ulysses", "--ranks", "8", "--direction", "forward"),
    ],
    ids=lambda words: words[1],
)
def test_traces_have_the_order_and_the_bytes_of_the_program(words, results, tmp_path):
    row = simulated(results, *words)
    traces = traces_of(row, tmp_path / "traces")
    bytes_between = matrix_of(row, tmp_path)
    assert sent(traces) == bytes_between
    assert sum(bytes_between.values()) == row["metrics"]["counted_bytes"]
    for rank, nodes in enumerate(replay(traces)):
        found = [
            (node.name, node.attributes["duration_seconds"])
            for node in nodes
            if node.type == chakra.COMP and node.name.startswith(KERNELS)
        ]
        found, expected = in_a_row(found), in_a_row(kernels_of_timeline(row, rank))
        assert [name for name, _ in found] == [name for name, _ in expected]
        assert [s for _, s in found] == pytest.approx([s for _, s in expected], rel=1e-6)


def test_a_collective_of_the_library_is_one_node_on_each_rank(results, tmp_path):
    row = simulated(results, "--strategy", "allgather", "--ranks", "8")
    traces = traces_of(row, tmp_path / "traces")
    replay(traces)
    for nodes in traces:
        calls = [node for node in nodes if node.type == chakra.COLLECTIVE]
        assert [node.attributes["comm_type"] for node in calls] == [2, 7]  # gather, reduce-scatter
        assert {node.attributes["pg_name"] for node in calls} == {"0,1,2,3,4,5,6,7"}
        assert not any(node.type in (chakra.SEND, chakra.RECEIVE) for node in nodes)
    blocks = [n.attributes["comm_size"] for n in traces[0] if n.type == chakra.COLLECTIVE]
    assert sum(blocks) * 8 * 7 == row["metrics"]["counted_bytes"]


def test_one_rank_exchanges_nothing(results, tmp_path):
    row = simulated(results, "--strategy", "ring", "--ranks", "1")
    (nodes,) = traces_of(row, tmp_path / "traces")
    assert nodes and all(node.type == chakra.COMP for node in nodes)
    assert matrix_of(row, tmp_path) == Counter()


def test_what_cannot_be_exported_is_refused(results, tmp_path):
    _, rows = run_json("run", "--strategy", "ring", *TINY, "--output", results)
    _, plans = run_json(
        *("run", "--strategy", "ring", "--workload", "pile", "--backend", "plan"),
        *("--output", results),
    )
    file, plan, out = rows[0]["file"], plans[0]["file"], tmp_path / "out"
    assert_refused(run("export", "chakra", file, "--output", out), file, "--backend simulate")
    assert_refused(run("export", "matrix", plan, "--output", out), plan, "only the plan was made")
    assert_refused(run("export", "nothing", file, "--output", out), "chakra or matrix")
    assert_refused(run("export", "matrix", file, "--output", out, "--pack", "1"), "from 0 to 0")
    assert_refused(run("export", "chakra", tmp_path / "no.h5", "--output", out), "no.h5")
    assert not out.exists()
    assert run("export", "matrix", file, "--output", out).returncode == 0  # measured bytes
