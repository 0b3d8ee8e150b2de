"""Small files of every kind that the program reads, and ways to break them; a seed always breaks them the same way."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import polars as pl

TESTS = Path(__file__).parents[1]
SAMPLE = TESTS.parent / "sample_data" / "events.csv"
EXAMPLE = TESTS.parent / "goals.example.yaml"
LARGEST = 20_000
"""Bytes: larger files of the layouts take longer and break in no other way."""
ODD = (
    *(b"\0", b"\xff", b'"', b'""', b"'", b"\\", b"\\u0000", b"\\ud800", b"\r", b"\n", b"\r\n", b"\n\n", b"\t", b","),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1b[31m", b"\xc2\x9b", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\x85"),
    *(
        b";",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"- ",
        b"? ",
        b"&a",
        b"*a",
        b"!!x",
        b"|",
        b">",
        b"%",
        b"@",
        b"`",
        b"#",
        b"<<: ",
    ),
    *(b"NaN", b"Infinity", b"-0", b"1e999", b"9" * 40, b"9223372036854775808", b"18446744073709551616", b"0x7f"),
    *(b"null", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"),
    *(b"A" * 70_000, b'"' * 999, b"," * 5_000, b"[" * 2_000, b'{"a":' * 2_000, b"- " * 2_000, b"\n" * 5_000),
    *(b"0000-00-00", b"99999-01-01", b"2026-02-30", b"2026-10-25T02:30", b"23:59:60", b"+99:99", b"0" * 400),
)
"""What files hold that surprises those who read them."""


def _spot(rng: random.Random, data: bytes) -> int:
    """Anywhere, but oftener near the ends, where files say what they are."""
    near = rng.choice((0, 0, 64, len(data)))
    return min(len(data), rng.randrange(near) if near and rng.random() < 0.5 else rng.randrange(len(data) + 1))


def _piece(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 2, 8, 40, 300)))


def flip(rng: random.Random, data: bytes, _: bytes) -> bytes:
    changed = bytearray(data)
    for _each in range(rng.choice((1, 1, 2, 5, 20)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(rng: random.Random, data: bytes, _: bytes) -> bytes:
    spot, odd = _spot(rng, data), rng.choice(ODD)
    return data[:spot] + odd + data[spot + len(odd) :]


def insert(rng: random.Random, data: bytes, _: bytes) -> bytes:
    spot = _spot(rng, data)
    return data[:spot] + rng.choice(ODD) + data[spot:]


def delete(rng: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = _piece(rng, data)
    return data[:start] + data[end:]


def repeat(rng: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = _piece(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 2, 50)) + data[end:]


def cut(rng: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def behead(rng: random.Random, data: bytes, _: bytes) -> bytes:
    return data[rng.randrange(len(data) + 1) :]


def splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def hollow(rng: random.Random, data: bytes, _: bytes) -> bytes:
    """Both ends without the middle, as Parquet fears it."""
    return data[: rng.choice((4, 8, 64))] + data[-rng.choice((8, 64, 400, 900)) :]


def swap(rng: random.Random, data: bytes, _: bytes) -> bytes:
    separator = rng.choice((b",", b"\n", b":", b" ", b'"'))
    words = data.split(separator)
    one, other = rng.randrange(len(words)), rng.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return separator.join(words)


MUTATIONS = (flip, flip, overwrite, overwrite, insert, insert, delete, repeat, cut, behead, splice, hollow, swap, swap)


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("events.csv"), data)
    return out.getvalue()


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


@cache
def events() -> Mapping[str, bytes]:
    """Files of events by name."""
    csv = b"".join(SAMPLE.read_bytes().splitlines(keepends=True)[:40])
    frame = pl.read_csv(csv, infer_schema=False)
    typed = frame.with_columns(pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_zone="UTC"))
    nested = frame.select(pl.all(), properties=pl.struct("device", "page")).with_columns(n=pl.int_range(pl.len()))
    ndjson = frame.write_ndjson().encode()
    made = {
        "csv": csv,
        "quoted": frame.write_csv(quote_style="always").encode(),
        "tabs": frame.write_csv(separator="\t", line_terminator="\r\n").encode(),
        "utf_16": csv.decode().encode("utf-16"),
        "ndjson": ndjson,
        "nested": nested.write_ndjson().encode(),
        "array": json.dumps(frame.rows(named=True), indent=1).encode(),
        "parquet": _written(typed.write_parquet),
        "plain_parquet": _written(lambda out: typed.write_parquet(out, compression="uncompressed", row_group_size=10)),
        "nested_parquet": _written(lambda out: nested.write_parquet(out, compression="uncompressed")),
        "zst": _written(lambda out: frame.lazy().sink_csv(out, compression="zstd")),
        "csv_gz": packed(csv),
        "ndjson_gz": packed(ndjson),
        "zip": zipped(csv),
    }
    layouts = sorted(path for path in (TESTS / "layouts").glob("*/*") if path.suffix not in {".yaml", ".md"})
    return made | {str(path.relative_to(TESTS)): path.read_bytes() for path in layouts if path.stat().st_size < LARGEST}


@cache
def goals() -> Mapping[str, bytes]:
    """Goals files by name."""
    return {str(path): path.read_bytes() for path in (EXAMPLE, *sorted((TESTS / "goals_files").glob("**/*.yaml"))[:40])}


def broken(seed: str, corpus: Mapping[str, bytes]) -> bytes:
    """One file of the corpus, broken as this seed has it."""
    rng = random.Random(seed)
    names = list(corpus)
    # As many of those made here as of all layouts.
    names = rng.choice((names, [name for name in names if "/" not in name] or names))
    data, other = corpus[rng.choice(names)], corpus[rng.choice(names)]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        data = rng.choice(MUTATIONS)(rng, data, other)
    return rng.choice((packed, zipped))(data) if rng.random() < 0.08 else data
