"""Names of files within a store."""

from iris_hpo.store.digests import ArtifactError


def check_name(name: str) -> None:
    """Refuse a name that leads out of the store.

    Raises
    ------
    ArtifactError
        If the name is empty, absolute, or contains ``..``.
    """
    parts = {*name.split("/")} - {"", "."}
    if not parts or name.startswith("/") or ".." in parts:
        raise ArtifactError(f"{name!r} is not a name within the store")
