"""Write files for the user: whole or not at all, whatever ends the command."""

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from iris_hpo.errors import InputError
from iris_hpo.files import remove_folder
from iris_hpo.interrupts import held
from iris_hpo.processes import is_left, new_mark

_NAME_LENGTH: Final = 40
"""Number of characters of a file's name in the name of its temporary file."""
_NOT_REPLACED: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),  # the folder allows no new file
    *(errno.EPERM, errno.EINVAL),  # the owner cannot be kept
    *(errno.EBUSY, errno.EXDEV),  # the file is mounted by itself
}
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file for the user, whole or not at all: on a full disk, the old file stays.

    A new file takes the place of one that exists, and keeps its owner, group, permissions, access
    control list and extended attributes; a link to it stays. What has several names (hard links),
    cannot be replaced, or would get another owner, is written into, after room was set aside. A
    pipe or device is written to. What killed writers of this file have left is removed.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    target = Path(os.path.realpath(path))
    before = target.stat() if target.exists() else None
    if before and not stat.S_ISREG(before.st_mode):
        target.write_bytes(content)
        return
    if before:
        os.close(os.open(target, os.O_WRONLY))  # one that may not be written is not replaced either
    start = f".{target.name[:_NAME_LENGTH]}."
    _remove_left(target.parent, start)
    if before and before.st_nlink > 1:
        _write_into(target, content)
        return
    place = target.with_name(f"{start}{new_mark()}")
    try:
        with open(place, "xb", opener=_open_private if before else None) as file:
            file.write(content)
        if before:
            _make_alike(place, target, before)
        place.replace(target)
    except OSError as error:
        if not before or error.errno not in _NOT_REPLACED:
            raise
        _write_into(target, content)
    finally:
        place.unlink(missing_ok=True)


def write_result(place: Path, content: bytes) -> None:
    """Write a result into the file that the user has named.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        write_whole(place, content)
    except OSError as error:
        raise InputError(f"{place} cannot be written: {error.strerror}") from error


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # until it has the permissions of the file it replaces


def _open_whole(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_TRUNC)


def _make_alike(place: Path, target: Path, status: os.stat_result) -> None:
    """Give a file what another one has beside its content and its times."""
    made = place.stat()
    if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
        os.chown(place, status.st_uid, status.st_gid)
    shutil.copystat(target, place)
    os.utime(place)


def _write_into(target: Path, content: bytes) -> None:
    """Write into a file that exists; without room for the content, the old one stays."""
    with held(), open(target, "wb", opener=_open_whole) as file:
        size = os.fstat(file.fileno()).st_size
        if hasattr(os, "posix_fallocate") and len(content) > size:
            try:
                os.posix_fallocate(file.fileno(), 0, len(content))
            except OSError as error:
                if error.errno in _NO_ROOM:
                    file.truncate(size)
                    raise
        file.write(content)
        file.truncate()


def write_together(folder: Path, files: Mapping[str, bytes | Iterable[bytes]]) -> None:
    """Write new files below a folder, which may exist: all of them or none.

    They are written into a hidden folder, and then moved to their places: a new folder with all of
    them at once, so that there is no part of it if the process is killed.

    Parameters
    ----------
    files
        Content by name, with forward slashes; that of a large file in pieces.

    Raises
    ------
    InputError
        If something would be overwritten, or cannot be written.
    """
    _refuse_existing(folder, files)
    made = [at for at in (folder, *folder.parents) if not os.path.exists(at)]  # noqa: PTH110 - in a folder that cannot be read
    at, moved = folder, list[tuple[Path, Path]]()
    start = ".iris_hpo-"
    around = folder.parent if folder in made else folder
    place = around / f"{start}{new_mark()}"
    try:
        around.mkdir(parents=True, exist_ok=True)
        _remove_left(around, start)
        for name, content in files.items():
            at, path = folder / name, place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.writelines((content,) if isinstance(content, bytes) else content)
        with held():
            # A folder never replaces another with files in it, so of two commands one is refused.
            parts = [place] if folder in made else sorted(place.iterdir(), key=Path.is_file)
            for path in parts:
                at = folder if path == place else folder / path.name
                _refuse_existing(at.parent, [at.name])
                path.rename(at)
                moved.append((path, at))
    except BaseException as error:
        with suppress(OSError):
            for path, target in moved:
                target.rename(path)
        if isinstance(error, OSError):
            raise InputError(f"{at} cannot be written: {error.strerror}") from error
        raise
    finally:
        remove_folder(place)
        for at in made:
            with suppress(OSError):  # it has files
                at.rmdir()


def _refuse_existing(folder: Path, files: Iterable[str]) -> None:
    """Refuse to write into what exists at the top of a folder.

    Raises
    ------
    InputError
        If one of the files, or its folder, exists.
    """
    for name in sorted({Path(path).parts[0] for path in files}):
        if os.path.lexists(folder / name):
            raise InputError(
                f"{folder / name} exists, and nothing is overwritten; name a new folder"
            )


def _remove_left(folder: Path, start: str) -> None:
    """Remove what killed writers have left in a folder: files and folders with such names."""
    paths = list[Path]()
    with suppress(OSError):  # writing gives the reason
        paths = [*folder.iterdir()]
    for path in paths:
        if path.name.startswith(start) and is_left(path, path.name.removeprefix(start)):
            with suppress(OSError):  # it belongs to another user
                if path.is_dir():
                    remove_folder(path)
                elif stat.S_ISREG(path.lstat().st_mode):
                    path.unlink()
