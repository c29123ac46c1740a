"""Files from elsewhere, kept where Keras keeps them, and held against their checksums."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any


def keras_home() -> Path:
    """The folder of Keras's files: `$KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """The path of a file, downloaded from `origin` where it is not there yet or not what its checksum says.

    Arguments:
        fname: its name; the end of `origin` by default.
        origin: its address.
        file_hash, md5_hash: its checksum. `TAPEFLOW_DATASETS_UNVERIFIED=1` in the environment takes what is there.
        hash_algorithm: `sha256` or `md5`; `auto` goes by the checksum's length.
        cache_subdir, cache_dir: the folder, and what it lies in: Keras's by default.
        extract, untar: whether it is an archive, to be unpacked beside itself; the path is then the folder's.
        archive_format: accepted; zip and tar archives are told apart by what they are.
        force_download: whether to download in any case.

    Raises ValueError without an address, or where a downloaded file is not what its checksum says; OSError where it
    cannot be had.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    folder = Path(cache_dir or keras_home()).expanduser() / cache_subdir
    path = folder / (fname or origin.rpartition("/")[2])
    checksum = file_hash or md5_hash
    if force_download or not path.exists() or not _verified(path, checksum, hash_algorithm):
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        with urllib.request.urlopen(origin) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target)
        if not _verified(part, checksum, hash_algorithm):
            part.unlink()
            raise ValueError(f"{origin} is not the file that its checksum {checksum} says; it was not kept.")
        part.replace(path)
    return str(_extracted(path)) if extract or untar else str(path)


def _verified(path: Path, checksum: str | None, algorithm: str) -> bool:
    if checksum is None or os.environ.get("TAPEFLOW_DATASETS_UNVERIFIED") == "1":
        return True
    if algorithm == "auto":
        algorithm = "sha256" if len(checksum) == 64 else "md5"
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == checksum.lower()


def _extracted(path: Path) -> Path:
    folder = path.with_name(path.name + "_extracted")
    if not folder.exists():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        else:
            with tarfile.open(path) as archive:
                if hasattr(tarfile, "data_filter"):  # refuses what would land outside of the folder
                    archive.extraction_filter = tarfile.data_filter
                archive.extractall(folder)
    return folder
