"""A description of the machine and the versions, without names and paths of the machine."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

PACKAGES: Final = ("dagster", "scikit-learn", "numpy", "joblib", "optuna")


def describe_machine() -> dict[str, str]:
    """Processor, memory, kernel, versions and the date."""
    memory = psutil.virtual_memory().total / 1e9
    return {
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
