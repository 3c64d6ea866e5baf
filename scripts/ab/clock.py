"""Tells whether the machine was throttled while a program ran, so that its times are not usable.

with ClockWatch() as watch:
    subprocess.run(...)
watch.throttled        # True, False, or None where no clock can be read
"""

import shutil
import subprocess
import threading
from pathlib import Path

THROTTLED_BELOW = 0.75  # of the base clock: turbo is above it, throttling below it
SAMPLE_SECONDS = 0.2
REASONS = "clocks_throttle_reasons.hw_slowdown,clocks_throttle_reasons.sw_thermal_slowdown"


def cpu_clock_shares(root=Path("/sys/devices/system/cpu")):
    """Clock over base clock of the fastest core, as idle ones are slow; None if unknown."""
    shares = []
    for folder in root.glob("cpu[0-9]*/cpufreq"):
        try:
            now = int((folder / "scaling_cur_freq").read_text())
            base = int((folder / "base_frequency").read_text())
        except (OSError, ValueError):
            continue
        shares.append(now / base)
    return max(shares) if shares else None


def gpu_throttled():
    """Whether a GPU reports that it slows down for heat or power; None without nvidia-smi."""
    if not shutil.which("nvidia-smi"):
        return None
    done = subprocess.run(
        ["nvidia-smi", f"--query-gpu={REASONS}", "--format=csv,noheader"],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        return None
    words = done.stdout.replace("\n", ",").split(",")
    return any(word.strip() == "Active" for word in words)


class ClockWatch:
    def __init__(self, cpu=cpu_clock_shares, gpu=gpu_throttled):
        self._cpu, self._gpu = cpu, gpu
        self._over = threading.Event()
        self._samples = []

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(SAMPLE_SECONDS):
            share, slow = self._cpu(), self._gpu()
            if share is None and slow is None:
                return
            self._samples.append(bool(slow) or (share is not None and share < THROTTLED_BELOW))

    @property
    def throttled(self):
        """Whether most samples were slow: a core that wakes up is slow for a moment."""
        if not self._samples:
            return None
        return sum(self._samples) * 2 > len(self._samples)
