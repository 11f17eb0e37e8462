"""Refuse partitions that another asset of the project has too, without any tie to the search.

Dagster knows dynamic partitions only by name. What manages those of the asset would add keys
that the search tries as candidates, and the search would delete theirs. An asset that is made from
the search's assets may have one partition per candidate.
"""

from collections.abc import Iterable
from typing import Final

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.orchestration.names import names_of
from iris_hpo.spec import SearchSpec

_Graph = dict[dg.AssetKey, set[dg.AssetKey]]

_OWN: Final = ("raw_data", "split", "parameters", "models", "scores", "selection")


def check_partitions(spec: SearchSpec, assets: Iterable[dg.AssetsDefinition]) -> None:
    """Compare the partitions of a search with those of all assets of its project.

    Raises
    ------
    InputError
        If an asset without a tie to the search has them; the message names both.
    """
    names = names_of(spec)
    own = {names.asset(name) for name in _OWN}
    taken = {names.partitions.name, names.from_files.name, names.proposed.name}
    parents: _Graph = {}
    strangers = dict[dg.AssetKey, str]()
    for definition in assets:
        for one in definition.specs:
            parents[one.key] = {dep.asset_key for dep in one.deps}
            name = str(getattr(one.partitions_def, "name", ""))
            if name in taken and one.key not in own:
                strangers[one.key] = name
    if not strangers:
        return
    tied = _reached(own, parents) | _reached(own, _turned(parents))
    for key in sorted(strangers.keys() - tied):
        search = f"search {spec.name!r}" if spec.name else "search"
        raise InputError(
            f"the asset {key.to_user_string()} and the {search} have the same dynamic partitions "
            f"{strangers[key]!r}, so that each would try or delete what the other adds. Give those "
            "of the asset, or of the search (partitions), another name, or make the asset from "
            "those of the search"
        )


def _turned(graph: _Graph) -> _Graph:
    turned: _Graph = {}
    for key, linked in graph.items():
        for other in linked:
            turned.setdefault(other, set()).add(key)
    return turned


def _reached(start: set[dg.AssetKey], graph: _Graph) -> set[dg.AssetKey]:
    reached, left = set(start), list(start)
    while left:
        new = graph.get(left.pop(), set()) - reached
        reached |= new
        left.extend(new)
    return reached
