"""``python -m iris_hpo``."""

from iris_hpo.command.main import console

if __name__ == "__main__":
    console()
