"""``python -m iris_hpo``."""

from iris_hpo.command.main import main

if __name__ == "__main__":
    main()
