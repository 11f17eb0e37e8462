"""The entry point of ``python -m iris_hpo``: the command."""

from iris_hpo.command.main import console

if __name__ == "__main__":
    console()
