"""Checks that `make dev` does first: ``python -m iris_hpo.command.port 3000``."""

import os
import socket
import sys

from iris_hpo.errors import InputError
from iris_hpo.orchestration.home import check_name, check_settings_file


def problem_of(port: str) -> str:
    """Describe what is wrong with a port of the loopback interface; empty if it can be used."""
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        return f"PORT {port!r} must be a whole number, 1 to 65535"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            return (
                f"port {port} cannot be used: {error.strerror}; end what listens on it, or choose "
                "another, for example: make dev PORT=3001"
            )
    return ""


def problem_of_home(home: str) -> str:
    """Describe what is wrong with an instance before it is opened; empty if Dagster can use it."""
    try:
        check_name(home)
        check_settings_file(home)
    except InputError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    home = os.environ.get("DAGSTER_HOME", "")
    sys.exit(problem_of_home(home) or problem_of(sys.argv[1]) or None)
