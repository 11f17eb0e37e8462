"""The description of a new search in YAML, with every field that there is and what it means."""

from collections.abc import Mapping
from typing import Any

from iris_hpo.new_project.start import Start, target_of


def describe(start: Start) -> str:
    """Write the description of the search, with every field that there is and what it means."""
    from pydantic import BaseModel

    from iris_hpo.component.search_fields import SearchFields

    given = _given(start)
    parts = [
        "# Every field of a search: those that this one leaves at their default begin with #.",
        "type: iris_hpo.HyperparameterSearch",
        "",
        "attributes:",
    ]
    for name, field in SearchFields.model_fields.items():
        parts.append(_comment(field.description or ""))
        if name in given:
            parts.append(_yaml({name: given[name]}))
        else:
            default = field.get_default(call_default_factory=True)
            if isinstance(default, BaseModel):
                default = default.model_dump()
            parts.append(_yaml({name: default}).replace("  ", "  # ", 1).replace("\n  ", "\n  # "))
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def parameter_files(start: Start) -> Mapping[str, str]:
    """Return the values to search: the text of each parameter file by its name."""
    return {
        f"{axis.name}_parameters.txt": "".join(f"{value}\n" for value in axis.values)
        for axis in start.curated.axes
    }


def _given(start: Start) -> Mapping[str, Any]:
    curated = start.curated
    estimator = curated.estimators[start.task]
    prefix = f"{estimator.rpartition('.')[2].lower()}__" if curated.is_scaled else ""
    axes = [
        {
            "name": axis.name,
            "symbol": axis.symbol,
            **({"parameter": f"{prefix}{axis.name}"} if prefix else {}),
            "type": axis.type,
            **({"positive": True} if axis.type != "str" else {}),
            **({"nullable": True} if axis.nullable else {}),
        }
        for axis in curated.axes
    ]
    settings = {"settings": dict(curated.settings)} if curated.settings else {}
    model = (
        {
            "steps": [
                {"estimator": "sklearn.preprocessing.StandardScaler"},
                {"estimator": estimator, **settings},
            ]
        }
        if curated.is_scaled
        else {"estimator": estimator, **settings}
    )
    return {
        "name": start.name,
        "data_file": start.data_file,
        "target": target_of(start.target),
        **start.written,
        **model,
        "axes": axes,
        **(
            {"description": f"{start.task.capitalize()}: {start.why_task}."}
            if start.why_task
            else {}
        ),
    }


def _yaml(value: object) -> str:
    import yaml

    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=90)
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())


def _comment(text: str) -> str:
    import textwrap

    return "\n".join(f"  # {line}" for line in textwrap.wrap(" ".join(text.split()), 92))
