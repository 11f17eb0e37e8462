"""`HyperparameterSearch`: a search from YAML, for projects that need no Python of their own."""

from collections.abc import Sequence
from typing import Any, Self, cast

import dagster as dg
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from iris_hpo.component.broken import BrokenSearch, Refused
from iris_hpo.component.edits import edit_finder
from iris_hpo.component.fields import StepFields
from iris_hpo.component.part_fields import part_of
from iris_hpo.component.places import (
    located_error,
    refuse_taken_name,
    refuse_what_is_misread,
    shown_name,
    source_tree,
    written_word,
)
from iris_hpo.component.problems import problems
from iris_hpo.component.scaffold import SearchScaffolder
from iris_hpo.component.search_fields import SearchFields
from iris_hpo.data.columns import Layout
from iris_hpo.data.marks import as_missing
from iris_hpo.data.named_splitters import BY_ROLES, choose_splitter, refuse_settings
from iris_hpo.data.no_table import refuse_splitter
from iris_hpo.data.splitters import SplitSettings
from iris_hpo.errors import InputError, at_field
from iris_hpo.orchestration.broken import build_broken, is_validating
from iris_hpo.orchestration.build import build_search
from iris_hpo.orchestration.resources import Storage
from iris_hpo.parts import Part
from iris_hpo.samplers import SAMPLERS
from iris_hpo.samplers.parameter_files import check_axis_files
from iris_hpo.spec import SearchSpec


@dg.scaffold_with(SearchScaffolder)
class HyperparameterSearch(dg.Component, SearchFields):
    """Tune the hyperparameters of a scikit-learn estimator, one tracked partition per candidate.

    Makes the assets raw_data, split, parameters, models, scores and selection, prefixed by the
    search's name, with their checks, jobs and sensors. The candidates come from parameter files:
    `<axis>_parameters*.txt`, one value a line, all axes crossed, and `*.csv`, one candidate a row;
    or from a sampler.
    """

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Validate the YAML by this very class: exact schema, exact lines.

        The model that Dagster would derive allows a template in every field, and so accepts a
        wrong literal and points at the wrong line.
        """
        return cls if is_validating() else _OrBroken

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What ``dg list components`` shows beside the description."""
        return dg.ComponentTypeSpec(
            tags=["machine-learning"], produces=["asset", "asset_check", "job", "sensor"]
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Load from YAML; a document without attributes is an error, not a default search."""
        if attributes is None:
            error = located_error(context, (), "the attributes are missing")
            if is_validating():
                raise error
            return cast("Self", BrokenSearch(context.path.name, str(error)))
        if isinstance(attributes, Refused):
            return cast("Self", attributes.explain(context))
        return cast("Self", attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Make the definitions of the search."""
        find_edit = edit_finder(context)
        try:
            refuse_what_is_misread(context)
            spec = self.spec(context)
            # Otherwise sensors and runs say so: values may come later.
            if is_validating() and spec.sampler.use in SAMPLERS:
                folder = Storage().parameters_folder(spec)
                with at_field("axes"):
                    check_axis_files(folder, spec.axes, spec.sampler.use)
            definitions = build_search(spec, find_edit=find_edit)
            refuse_taken_name(context, spec.name)
        except InputError as error:
            located = located_error(context, self._in_yaml(error.field), str(error))
        else:
            return definitions
        if is_validating() or source_tree(context) is None:
            raise located
        return build_broken(shown_name(context, self.name), str(located))

    def spec(self, context: dg.ComponentLoadContext) -> SearchSpec:
        """The search that the YAML describes."""
        self._check_one_objective()
        steps, scorings = self.steps, self._scorings()
        if self.estimator:
            steps = [StepFields(estimator=self.estimator, settings=self.settings)]
        layout = self._layout(context)
        return SearchSpec(
            name=self.name,
            home=context.project_root,
            data_file=self.data_file,
            axes=tuple(fields.axis(index) for index, fields in enumerate(self.axes)),
            steps=tuple(fields.step(index) for index, fields in enumerate(steps)),
            objective=part_of(self.objective, "objective") if self.objective else None,
            parameters_folder=self.parameters_folder,
            choices=tuple(fields.choice(index) for index, fields in enumerate(self.choices)),
            layout=layout,
            split=SplitSettings(**{name: getattr(self, name) for name in vars(SplitSettings())}),
            scoring=scorings[0],
            metrics=tuple(scorings[1:]),
            pos_label=self._pos_label(context),
            rule=self.rule,
            refit=self.refit,
            blocking_checks=tuple(self.blocking_checks),
            within=self.within,
            metric=self.metric,
            ensemble=self.ensemble,
            max_candidates=self.max_candidates,
            description=self.description,
            reports=tuple(part_of(fields, "reports", at) for at, fields in enumerate(self.reports)),
            engine=part_of(self.engine, "engine") if self.engine else None,
            splitter=self._splitter(layout),
            sampler=part_of(self.sampler, "sampler"),
            budget=self.budget.settings(),
            prepare=self.prepare,
            data_asset=self.data.asset if self.data else "",
            early_stopping=self.early_stopping.settings() if self.early_stopping else None,
        )

    def _scorings(self) -> Sequence[str | Part]:
        """The scorings, the one that decides first."""
        listed = self.scoring if isinstance(self.scoring, list) else [self.scoring]
        if not listed:
            raise InputError("name at least one scoring, or leave it out", field=("scoring",))
        fields = [("scoring", one) for one in listed] + [("metrics", one) for one in self.metrics]
        return [one if isinstance(one, str) else part_of(one, name) for name, one in fields]

    def _pos_label(self, context: dg.ComponentLoadContext) -> str | None:
        """The label as it is written; YAML reads ``yes`` as a truth value, ``1`` as a number."""
        label = self.pos_label
        if label is None or isinstance(label, str):
            return label
        return written_word(context, ("pos_label",)) or str(label)

    def _splitter(self, layout: Layout) -> Part:
        if self.splitter != BY_ROLES.use and not (self.data_file or self.data):
            refuse_splitter()
        with at_field("splitter"):
            part = choose_splitter(part_of(self.splitter, "splitter"), layout.row_roles)
        written = [name for name in vars(SplitSettings()) if name in self.model_fields_set]
        refuse_settings(part, written)
        return part

    def _check_one_objective(self) -> None:
        ways = {"estimator": self.estimator, "steps": self.steps, "objective": self.objective}
        given = [name for name, value in ways.items() if value]
        if len(given) != 1:
            raise InputError(
                "give either an estimator or steps, or an objective",
                field=(given[-1] if given else "steps",),
            )
        if self.objective and self.settings:
            raise InputError(
                "settings are those of the estimator; write those of the objective below it: "
                "objective: {use: ..., settings: {...}}",
                field=("settings",),
            )

    def _layout(self, context: dg.ComponentLoadContext) -> Layout:
        """Where things stand; a name that YAML took for a truth value is read as it is written."""
        target = self.target
        if isinstance(target, bool):
            target = written_word(context, ("target",)) or target
        return Layout(
            target,
            self.header,
            self.columns,
            self.without_target,
            self.skip_lines,
            self.encoding,
            as_missing(self.missing),
        )

    def _in_yaml(self, field: Sequence[str | int]) -> Sequence[str | int]:
        """Where a field of the spec is written: a single step stands without a list of steps."""
        if not self.steps and tuple(field[:2]) == ("steps", 0):
            return field[2:]
        if isinstance(self.scoring, list) and field:
            more = len(self.scoring) - 1
            if field[0] == "scoring" and self.scoring:
                return ("scoring", 0, *field[1:])
            if field[0] == "metrics" and len(field) > 1:
                at = int(field[1])
                place = ("scoring", at + 1) if at < more else ("metrics", at - more)
                return (*place, *field[2:])
        return field


class _OrBroken(HyperparameterSearch):
    """The same fields; what they refuse makes no error, so that other searches can be loaded."""

    model_config = ConfigDict(title="HyperparameterSearch")

    @model_validator(mode="wrap")
    @classmethod
    def _keep_problems(cls, attributes: Any, _: object) -> Self:
        try:
            component: object = HyperparameterSearch.model_validate(attributes)
        except ValidationError as error:
            name = attributes.get("name") if isinstance(attributes, dict) else None
            component = Refused(
                name=name if isinstance(name, str) else "",
                problems=problems(error, attributes, HyperparameterSearch),
            )
        return cast("Self", component)
