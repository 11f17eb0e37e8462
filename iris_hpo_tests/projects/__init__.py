"""Small projects for tests: make one in a folder, work on it, read what it has made.

A `ShippedProject` is the search that comes with the package, through its command. A `YamlProject`
is what a user makes: searches in YAML, and no Python. A `SpecProject` is a search given in Python,
on an instance that a test opens, worked by runs in this process.
"""

from iris_hpo_tests.projects.command import Answer, Process, finish
from iris_hpo_tests.projects.files import (
    REPOSITORY_DATA,
    SETTINGS_OF_THE_MACHINE,
    Row,
    files_below,
)
from iris_hpo_tests.projects.recorded import copy_record
from iris_hpo_tests.projects.shipped import ShippedProject
from iris_hpo_tests.projects.spec import (
    CANDIDATES,
    KEYS,
    ONE_SLOT,
    QUIET,
    SOURCES,
    SpecProject,
    failure_text,
    small_spec,
    succeed,
)
from iris_hpo_tests.projects.yaml import DAGSTERS_WARNINGS, YamlProject, cause_of, run_jobs

__all__ = [
    "CANDIDATES",
    "DAGSTERS_WARNINGS",
    "KEYS",
    "ONE_SLOT",
    "QUIET",
    "REPOSITORY_DATA",
    "SETTINGS_OF_THE_MACHINE",
    "SOURCES",
    "Answer",
    "Process",
    "Row",
    "ShippedProject",
    "SpecProject",
    "YamlProject",
    "cause_of",
    "copy_record",
    "failure_text",
    "files_below",
    "finish",
    "run_jobs",
    "small_spec",
    "succeed",
]
