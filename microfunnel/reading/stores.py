"""Objects in a cloud's store, such as s3://bucket/key: found, opened and copied by polars.

Nobody is asked anything before such an address is named. Credentials are whatever polars finds: in the environment, in
~/.aws, or at the metadata service of the machine that it runs on. They are neither read here nor shown.

polars gives no raw bytes of an object. So Parquet is known by its footer and read in place, where only the columns that
are needed travel; all else is copied as lines of UTF-8 text, because text is looked at several times before it is read.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from microfunnel.errors import InputError, reading_errors

SCHEMES = ("s3", "gs", "az")
ANY_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
PATTERN = re.compile(r"[*?\[]")
COMPRESSED = (".gz", ".zst", ".zstd")
PATIENCE: Mapping[str, Any] = {"connect_timeout": "5s", "max_retries": 2, "retry_timeout_ms": 10_000}
"""A store that does not answer is given up after seconds, not minutes."""
# Not "auto": that imports the clouds' own packages where they are installed, and those start programs.
ACCESS: Mapping[str, Any] = {"storage_options": dict(PATIENCE), "credential_provider": None}


@dataclass(frozen=True, slots=True)
class Address:
    """An object, not yet looked at."""

    name: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A Parquet object, which stays where it is."""

    name: str
    frame: pl.LazyFrame


def is_address(source: str) -> bool:
    """Whether an argument names no local file but something elsewhere."""
    return ANY_SCHEME.match(source) is not None


def find_objects(source: str) -> list[Address]:
    """The objects that an address or a pattern names; an InputError where its kind is not read from, or nobody fits."""
    scheme, _, place = source.partition("://")
    if scheme not in SCHEMES:
        raise InputError(f"{source}: only local files, s3://, gs:// and az:// can be read; download it first")
    bucket, _, key = place.partition("/")
    if not re.fullmatch(r"[\w.-]+", bucket):
        # Not quoted: what stands there may be a password.
        raise InputError(f"{scheme}://: must be followed by the name of a bucket, as in {scheme}://bucket/events.csv")
    if not key or key.endswith("/"):
        raise InputError(f"{source}: is no object; name some, for example {source.rstrip('/')}/*.parquet")
    if not PATTERN.search(key):
        return [Address(source)]
    with reading_errors(f"{source}: "):
        found = sorted(url for url in _listed(source) if not url.endswith("/"))
    if not found:
        raise InputError(f"{source}: no object matches this pattern")
    return [Address(url) for url in found]


def open_object(address: Address, copy: Path) -> Stored | Path:
    """The object itself where it is Parquet, and else the file `copy`, which holds its lines then."""
    # What polars does then is what the documentation says; nobody has to read it in each run.
    warnings.filterwarnings("ignore", message=r".*region.* not set")
    with reading_errors(f"{address.name}: "):
        frame = pl.scan_parquet(address.name, glob=False, hive_partitioning=False, **ACCESS)
        try:
            frame.collect_schema()
        except pl.exceptions.ComputeError as error:
            if "out of specification" not in str(error):
                raise
        else:
            return Stored(address.name, frame)
        return _copied(address.name, copy)


def _listed(pattern: str) -> list[str]:
    # Part of what every scan does; nothing public stops there, without looking into what was found.
    from polars.io._expand_paths import _expand_paths

    return _expand_paths(pattern, **ACCESS).collect()["path"].to_list()


def _copied(url: str, copy: Path) -> Path:
    lines = pl.scan_lines(url, glob=False, **ACCESS)
    # What its owner has compressed may be too large for the disk as it is.
    is_compressed = url.endswith(COMPRESSED)
    try:
        lines.sink_csv(
            copy,
            include_header=False,
            quote_style="never",
            compression="zstd" if is_compressed else "uncompressed",
            check_extension=False,
            engine="streaming",
        )
    except pl.exceptions.ComputeError as error:
        if "utf" not in str(error).lower():
            raise
        hint = (
            "in a store, only Parquet and text in UTF-8 can be read, as it is, .gz or .zst; download the others first"
        )
        raise InputError("is neither Parquet nor UTF-8 text", hint=hint) from error
    return copy
