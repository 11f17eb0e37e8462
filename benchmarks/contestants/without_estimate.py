"""``iris-hpo`` that selects without an estimate: no draws, no references, no learning curve."""

from typing import Any, Final

from iris_hpo import start_up
from iris_hpo.command.main import console

_REASON: Final = "the benchmark leaves it out"


def main() -> None:
    """Run the command; the estimate is left out once the first worker process starts."""
    start = start_up.start_worker_of_first_run

    def start_and_leave_out(*arguments: Any) -> None:
        start(*arguments)
        leave_out()

    setattr(start_up, start.__name__, start_and_leave_out)
    console()


def leave_out() -> None:
    """Take out of the asset `selection` what makes the estimate."""
    from iris_hpo.orchestration.assets import selection
    from iris_hpo.selection.estimates import Assessment, NoEstimate

    def assess(*_: object, **__: object) -> Assessment:
        return Assessment(NoEstimate(_REASON))

    def make(*_: object, **__: object) -> None:
        pass

    setattr(selection, assess.__name__, assess)
    setattr(selection.FinalFits, make.__name__, make)


if __name__ == "__main__":
    main()
