"""Edits of a search's YAML after it was loaded: runs read the file again, sensors do not."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import yaml
from dagster_shared.yaml_utils import parse_yamls_with_source_position

from iris_hpo.component.places import source_tree


def edit_finder(context: dg.ComponentLoadContext) -> Callable[[], str] | None:
    """Make what says whether the YAML is another one than was loaded; None without YAML.

    Comments, and other searches of the same file, do not matter.
    """
    tree = source_tree(context)
    if tree is None:
        return None
    path = Path(tree.source_position_tree.position.filename).absolute()
    loaded = repr(tree.value)  # 1, 1.0 and true differ; .nan does not equal itself

    def find_edit() -> str:
        present = _documents(path)
        if present is None or loaded in present:
            return ""
        return (
            f"{path} was edited since this code location was loaded: "
            "reload the code location, in the UI or by a restart"
        )

    return find_edit


def _documents(path: Path) -> list[str] | None:
    """The documents of a YAML file as it is now; none of a wrong file, None if it is not read."""
    if not path.is_file():
        return None
    try:
        trees = parse_yamls_with_source_position(path.read_text("utf-8"))
    except OSError:
        return None
    except (ValueError, yaml.YAMLError):
        return []
    return [repr(tree.value) for tree in trees]
