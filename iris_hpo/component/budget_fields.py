"""The budget of a sampler in YAML."""

from iris_hpo.component.fields import Fields, setting_field
from iris_hpo.errors import at_field
from iris_hpo.run_settings import SETTINGS, BudgetSettings


class BudgetFields(Fields):
    """How many candidates a sampler proposes; what is reached first ends the search."""

    candidates: int = setting_field(SETTINGS["candidates"], examples=[200])
    seconds: float | None = setting_field(SETTINGS["seconds"], examples=[3600])
    until: float | None = setting_field(SETTINGS["until"], examples=[0.99])
    while_it_gains: bool = setting_field(SETTINGS["while_it_gains"], examples=[True])

    def settings(self) -> BudgetSettings:
        """Make the settings; errors name the field."""
        with at_field("budget"):
            return BudgetSettings(**self.model_dump())
