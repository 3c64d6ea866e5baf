"""What the structure tests look at: the repository's files, as git knows them, and the program."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("CPBENCH_BINARY_DIR", ROOT / "build")) / "cpbench"


def own_files(*patterns: str) -> list[Path]:
    """All files that git tracks or would track, sorted, as paths relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (Path(name) for name in sorted(set(listed.split("\0"))) if name)
    return [path for path in paths if (ROOT / path).is_file()]


def strategy_folders() -> list[Path]:
    """methods/<name> and baselines/<name>, relative to the root."""
    return sorted({p.parents[-3] for p in own_files("methods/*/*", "baselines/*/*")})
