"""Files as they come out of the world: what is wrong with each, and what becomes of every row of it."""

import bz2
import gzip
import io
import json
import lzma
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NOON = "2026-10-01T12:00:00Z"
HEADER = "user_id,timestamp,event\n"
PATIENT = ("--max-bad", "100%")
SAY_ENCODING = "hint: name its encoding (--encoding latin-1), or count what is no text (--encoding-errors replace)\n"
SAY_FORMAT = 'hint: say how they are written: events.time_format, for example "%d/%m/%Y %H:%M"\n'
DECLARE = "hint: declare them in the goals file: events: {columns: {user: ..., time: ..., event: ...}}\n"


@dataclass(frozen=True)
class Dirty:
    """One kind of dirt; `events` is the file, unless there are several."""

    what: str
    content: bytes
    users: str = ""
    """The ids of those whose events are used, by the alphabet."""
    used: int = 0
    rejected: tuple[tuple[int, str], ...] = ()
    """Line and reason."""
    refused: str = ""
    """What standard error says where nothing can be done with it."""
    warned: tuple[str, ...] = ()
    arguments: tuple[str, ...] = PATIENT
    settings: Mapping[str, object] = field(default_factory=dict)
    """`events` of the goals file."""
    more: Mapping[str, bytes] = field(default_factory=dict)
    """More files, by name."""
    name: str = "events"
    """The file in which rows are rejected."""
    span: tuple[str, str] | None = None
    """The first and the last time."""


def row(user: str = "ann", time: str = NOON, event: str = "view") -> str:
    return f"{user},{time},{event}\n"


def csv(*rows: str) -> bytes:
    return (HEADER + "".join(rows)).encode()


def ndjson(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def an(user: str = '"ann"', time: str = f'"{NOON}"', more: str = "") -> str:
    return f'{{"user_id": {user}, "timestamp": {time}, "event": "view"{more}}}'


def times(*values: str) -> bytes:
    return csv(*(row(time=value) for value in values))


def parquet(users: Iterable[object] = ("ann", "ben"), **columns: object) -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"user_id": list(users), "timestamp": NOON, "event": "view", **columns}).write_parquet(out)
    return out.getvalue()


def archive(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


BACKSLASH = 'events: line 3 has a quote behind a backslash (\\"); CSV doubles quotes (""), so fields may be cut wrongly'
ANN, BEN = row(), row("ben")
TWO = csv(ANN, BEN)
MANY = csv(*(row(f"u{number}") for number in range(3_000)))
PACKED = gzip.compress(MANY, mtime=0)
WHOLE = parquet()
HOLLOW = WHOLE[:4] + WHOLE[-int.from_bytes(WHOLE[-8:-4], "little") - 8 :]

TEXT = (
    Dirty("a row with too many fields", csv(ANN, row(event="view,more")), "ann", 1, ((3, "too_many_fields"),)),
    Dirty("a row with too few fields", csv(ANN, "ben,x\n", BEN), "ann ben", 2, ((3, "too_few_fields"),)),
    Dirty("a blank line", csv(ANN, "\n", BEN), "ann ben", 2, ((3, "blank_row"),), arguments=("--strict",)),
    Dirty("a quote that is never closed", csv(ANN, f'"{ANN}', BEN), "ann ben", 2, ((3, "bad_quote"),)),
    Dirty(
        "two stray quotes far apart",
        csv(f'ann,{NOON},"view\n', BEN * 150, f'cid,{NOON},view"\n', ANN),
        "ann ben cid",
        152,
        ((2, "bad_quote"),),
    ),
    Dirty("a quoted line end", csv(row(event='"view\ncart"'), BEN), "ann ben", 2),
    Dirty("text after a quote", csv(row(event='"view" z'), BEN), "ann ben", 2),
    Dirty(
        "quotes behind a backslash",
        csv(ANN, row(event=r'"say \"hi\" now"')),
        "ann",
        2,
        warned=(BACKSLASH,),
    ),
    Dirty("doubled quotes behind a backslash", csv(ANN, row(event=r'"{""say"": ""\""hi\""""}"')), "ann", 2),
    Dirty(
        "Latin-1",
        csv(ANN, row("müller")).decode().encode("latin-1"),
        refused=f"events: line 3 is not UTF-8 text\n{SAY_ENCODING}",
    ),
    Dirty(
        "Latin-1 in the header",
        "user_id,timestamp,event,größe\n".encode("latin-1"),
        refused=f"events: line 1 is not UTF-8 text\n{SAY_ENCODING}",
    ),
    Dirty(
        "Latin-1 that is said",
        csv(row("müller")).decode().encode("latin-1"),
        "müller",
        1,
        arguments=("--encoding", "latin-1"),
    ),
    Dirty(
        "Latin-1 that is replaced",
        csv(row("müller"), row("jäger")).decode().encode("latin-1"),
        "j�ger m�ller",
        2,
        arguments=("--encoding-errors", "replace"),
        warned=("events: 2 times bytes that are no text were replaced",),
    ),
    Dirty(
        "an encoding that is none of text",
        TWO,
        arguments=("--encoding", "hex"),
        refused="events: `hex` is no encoding of text\nhint: for example latin-1\n",
    ),
    Dirty("a mark of UTF-8", b"\xef\xbb\xbf" + TWO, "ann ben", 2),
    Dirty("a mark of UTF-8 and quotes", b'\xef\xbb\xbf"user_id","timestamp","event"\n' + ANN.encode(), "ann", 1),
    Dirty("UTF-16", TWO.decode().encode("utf-16"), "ann ben", 2),
    Dirty("UTF-16 without a mark", TWO.decode().encode("utf-16-be"), "ann ben", 2),
    Dirty(
        "UTF-16 that is cut off",
        TWO.decode().encode("utf-16") + b"\0",
        refused=f"events: is not UTF-16 text\n{SAY_ENCODING}",
    ),
    Dirty("a zero byte", csv(row("a\0n"), BEN), "a\0n ben", 2),
    Dirty("returns before line feeds", TWO.replace(b"\n", b"\r\n"), "ann ben", 2),
    Dirty("some returns before line feeds", csv(ANN, BEN.replace("\n", "\r\n")), "ann ben", 2),
    Dirty("returns alone", TWO.replace(b"\n", b"\r"), "ann ben", 2),
    Dirty(
        "two columns of one name, of the user",
        b"user_id,user_id,timestamp,event\n",
        refused=f"events: several columns are called `user_id` (for user); rename all but one\n{DECLARE}",
    ),
    Dirty("two columns of one name", f"user_id,x,x,timestamp,event\nann,1,2,{NOON},view\n".encode(), "ann", 1),
    Dirty("a header with blanks and capitals", f" User_ID , Timestamp,EVENT \n{ANN}".encode(), "ann", 1),
    Dirty("columns without a name", f"user_id,,timestamp,event,\nann,,{NOON},view,\n".encode(), "ann", 1),
    Dirty("another separator", TWO.replace(b",", b"|"), "ann ben", 2),
    Dirty("another separator that is said", TWO.replace(b",", b"~"), "ann ben", 2, arguments=("--delimiter", "~")),
    Dirty("only line ends", b"\n\n\r\n", refused="events: is empty\n"),
    Dirty("a header alone", csv(), warned=("there is no event to count",)),
    Dirty("a field of more than a megabyte", csv(ANN, row("b" * 1_000_001)), "ann", 1, ((3, "oversized_field"),)),
    Dirty("a field of fewer characters", csv(ANN, row("ü" * 500_001), BEN), "ann ben", 2, ((3, "oversized_field"),)),
    Dirty(
        "a field of many megabytes",
        csv(ANN, row("b" * 12_000_000), BEN),
        "ann ben",
        2,
        ((3, "oversized_field"),),
    ),
    Dirty(
        "a quoted field of many megabytes of other characters, as the last line",
        csv(ANN, row(event=f'"{"😀" * 3_000_000}"')).removesuffix(b"\n"),
        "ann",
        1,
        ((3, "oversized_field"),),
    ),
    Dirty(
        "a field of many megabytes in an encoding that is said",
        csv(ANN, row("ü" * 12_000_000), BEN).decode().encode("latin-1"),
        "ann ben",
        2,
        ((3, "oversized_field"),),
        arguments=(*PATIENT, "--encoding", "latin-1"),
    ),
    Dirty(
        "a field of many megabytes that is packed",
        gzip.compress(csv(ANN, row("b" * 12_000_000), BEN)),
        "ann ben",
        2,
        ((3, "oversized_field"),),
    ),
    Dirty("ids that look like numbers", csv(*map(row, ("7", "007", "9" * 20, "7.0"))), f"007 7 7.0 {'9' * 20}", 4),
    Dirty("a number that becomes a word", csv(row("7") * 2_000, row("x")), "7 x", 2_001),
    Dirty("empty ids, quoted or not", csv(row('""'), row(""), ANN), "ann", 1, ((2, "empty_user"), (3, "empty_user"))),
    Dirty(
        "empty times and events",
        csv(ANN, row(time=""), row(event="")),
        "ann",
        1,
        ((3, "empty_time"), (4, "empty_event")),
    ),
)
FOREIGN = (
    Dirty(
        "a web page",
        b"\n<!DOCTYPE html><title>Log in</title>",
        refused="events: is a web page, not events\nhint: perhaps the download asked for a log-in\n",
    ),
    Dirty(
        "a PDF document",
        b"%PDF-1.7\n%\xe2\xe3",
        refused="events: is a PDF document\nhint: export the events as CSV, Parquet or NDJSON\n",
    ),
    Dirty(
        "a workbook",
        archive({"[Content_Types].xml": b""}),
        refused="events: is an Excel workbook\nhint: save the sheet as CSV\n",
    ),
    Dirty("bzip2", bz2.compress(TWO), refused="events: is packed with bzip2\nhint: unpack it first: bunzip2 FILE\n"),
    Dirty("xz", lzma.compress(TWO), refused="events: is packed with xz\nhint: unpack it first: unxz FILE\n"),
    Dirty(
        "an archive in an archive",
        archive({"in.zip": archive({"a.csv": TWO})}),
        refused="events/in.zip: is an archive in an archive\nhint: unpack it first\n",
    ),
    Dirty(
        "an empty archive",
        archive({}),
        refused="events: is an archive without files\nhint: name one that holds events\n",
    ),
)
PACKED_FILES = (
    Dirty("gzip that is cut off", PACKED[:-300], refused="events: ends in the middle of its compressed data\n"),
    Dirty(
        "gzip of another content",
        flipped(PACKED, -6),
        refused="events: is damaged: its compressed data does not add up\n",
    ),
    Dirty(
        "gzip that is broken",
        flipped(PACKED, 3_000),
        refused="events: is damaged: its compressed data does not add up\n",
    ),
    Dirty(
        "gzip with something behind it",
        PACKED + b"something that is not packed",
        refused="events: has more after the end of its compressed data, which is not compressed\n",
    ),
    Dirty(
        "nothing but the mark of gzip",
        PACKED[:3],
        refused="events: ends in the middle of its compressed data\n",
    ),
    Dirty("gzip in pieces", gzip.compress(csv(ANN)) + gzip.compress(BEN.encode()), "ann ben", 2),
    Dirty("zstd in pieces", zstd.compress(csv(ANN)) + zstd.compress(BEN.encode()), "ann ben", 2),
    Dirty("zstd of UTF-16", zstd.compress(TWO.decode().encode("utf-16")), "ann ben", 2),
    Dirty("zstd of a JSON array", zstd.compress(f"[{an()}, {an('1')}]".encode()), "1 ann", 2),
    Dirty(
        "zstd that is broken",
        flipped(zstd.compress(MANY), 20),
        refused="events: is damaged: its compressed data does not add up\n",
    ),
    Dirty(
        "zstd that is cut off", zstd.compress(MANY)[:-30], refused="events: ends in the middle of its compressed data\n"
    ),
    Dirty(
        "a zip that is cut off",
        archive({"a.csv": TWO})[:-30],
        refused="events: is damaged, cut off or locked: its packed data can't be read\n",
    ),
    Dirty(
        "a zip of another content",
        flipped(archive({"a.csv": TWO}), 50),
        refused="events: is damaged, cut off or locked: its packed data can't be read\n",
    ),
    Dirty(
        "a zip of several files", archive({"a.csv": csv(ANN), "b.csv": csv(BEN), "__MACOSX/a.csv": b"x"}), "ann ben", 2
    ),
)
PARQUET = (
    Dirty(
        "Parquet that is cut off",
        WHOLE[:-10],
        refused="events: is damaged or cut off: the directory of a Parquet file is not at its end\n"
        "hint: copy or download it again\n",
    ),
    Dirty(
        "Parquet whose directory is longer than the file",
        WHOLE[:-8] + b"\xff\xff\xff\x7fPAR1",
        refused="events: is damaged or cut off: the directory of a Parquet file is not at its end\n"
        "hint: copy or download it again\n",
    ),
    Dirty("Parquet without its pages", HOLLOW, refused="events: is damaged: its Parquet does not add up\n"),
    Dirty("Parquet without rows", parquet(()), warned=("there is no event to count",)),
    Dirty(
        "a column of nothing",
        parquet(event=None),
        rejected=((1, "empty_event"), (2, "empty_event")),
        warned=("there is no event to count",),
    ),
    Dirty(
        "users of nothing",
        parquet((None, None)),
        rejected=((1, "empty_user"), (2, "empty_user")),
        warned=("there is no event to count",),
    ),
    Dirty("whole ids as floats", parquet((1.0, 2.0, None)), "1 2", 2, ((3, "empty_user"),)),
    Dirty("ids that are no number", parquet((1.0, float("nan"))), "1", 1, ((2, "empty_user"),)),
    Dirty("the largest exact float", parquet((float(2**53),)), str(2**53), 1),
    Dirty(
        "a float too large to be exact",
        parquet((1.0, 1e16)),
        refused="events: the ids of `user_id` are floats beyond 2^53, where neighbours are one number\n"
        "hint: export them as text or as whole numbers\n",
    ),
    Dirty("columns of other types in the next file", parquet((1, 2)), "1 2 3", 3, more={"next": parquet(("3",))}),
    Dirty(
        "columns that the first file lacks",
        csv(ANN),
        "ann ben",
        2,
        more={"next": f"x,event,timestamp,user_id\n1,view,{NOON},ben\n".encode()},
    ),
)
SURROGATES = "events: lines with half a character (a lone surrogate), which was replaced: 1"
JSON = (
    Dirty("a line before the objects", ndjson("exported today", an(), an()), "ann", 2, ((1, "bad_json"),)),
    Dirty("a line that breaks off", ndjson(an(), '{"user_id": "ben",', an('"cid"')), "ann cid", 2, ((2, "bad_json"),)),
    Dirty("a mark of UTF-8", b"\xef\xbb\xbf" + ndjson(an()), "ann", 1),
    Dirty(
        "numbers that are none", ndjson(an(), an("NaN"), an("Infinity")), "ann", 1, ((2, "bad_json"), (3, "bad_json"))
    ),
    Dirty(
        "lines that are no objects",
        ndjson(an(), "[1]", "7", '"x"', "null"),
        "ann",
        1,
        tuple((n, "bad_json") for n in range(2, 6)),
    ),
    Dirty("a zero byte as it is", ndjson(an(), an('"a\0"')), "ann", 1, ((2, "bad_json"),)),
    Dirty("an escaped zero byte", ndjson(an(), an(r'"a\u0000"')), "a\0 ann", 2),
    Dirty(
        "bytes that are no text",
        ndjson(an(), an('"ü"')).decode().encode("latin-1"),
        refused=f"events: line 2 is not UTF-8 text\n{SAY_ENCODING}",
    ),
    Dirty("half a character", ndjson(an(), an(r'"a\ud83d"')), "ann a�", 2, warned=(SURROGATES,)),
    Dirty(
        "half a character in the name of a field",
        ndjson(an(), an('"ben"', more=r', "\udc00": 1')),
        "ann ben",
        2,
        warned=(SURROGATES,),
    ),
    Dirty("whole characters and backslashes", ndjson(an(r'"\ud83d\ude00"'), an(r'"\\ud83d"')), r"\ud83d 😀", 2),
    Dirty(
        "a line of more than a megabyte", ndjson(an(), an(f'"{"b" * 1_000_001}"')), "ann", 1, ((2, "oversized_field"),)
    ),
    Dirty("a line of fewer characters", ndjson(an(), an(f'"{"ü" * 500_001}"')), "ann", 1, ((2, "oversized_field"),)),
    Dirty(
        "a line of many megabytes, and one that breaks off",
        ndjson(an(), "{", an(f'"{"b" * 12_000_000}"'), an('"ben"')),
        "ann ben",
        2,
        ((2, "bad_json"), (3, "oversized_field")),
    ),
    Dirty(
        "an array on one line of many megabytes",
        f"[{','.join([an()] * 100_000)}]".encode(),
        "ann",
        100_000,
    ),
    Dirty(
        "a line of many megabytes that is packed",
        gzip.compress(ndjson(an(), an(f'"{"b" * 12_000_000}"'))),
        "ann",
        1,
        ((2, "oversized_field"),),
    ),
    Dirty("a field written twice", ndjson(an(more=', "user_id": "ben"')), "ann", 1),
    Dirty(
        "objects deeper than anybody nests them",
        ndjson(an(), an(more=f', "x": {"[" * 2_000}{"]" * 2_000}')),
        "ann",
        1,
        ((2, "bad_json"),),
    ),
    Dirty("a field that comes late", ndjson(*[an()] * 1_500, an('"ben"', more=', "page": "/"')), "ann ben", 1_501),
    Dirty("a type that changes late", ndjson(*[an("7")] * 1_500, an('"ben"'), an("7")), "7 ben", 1_502),
    Dirty("an array", f"[{an()},{an()}]".encode(), "ann", 2),
    Dirty("objects over several lines", (json.dumps(json.loads(an()), indent=1) * 2).encode(), "ann", 2),
    Dirty("blank lines", ndjson(an(), "", "  ", an()), "ann", 2),
)
TIMES = (
    Dirty("an odd time first", times("05/06/2026", NOON, NOON), "ann", 2, ((2, "unreadable_time"),)),
    Dirty(
        "only odd times",
        times("05/06/2026"),
        refused=f"events: no time can be read, for example `05/06/2026`\n{SAY_FORMAT}",
    ),
    Dirty(
        "odd times that are said",
        times("05/06/2026"),
        "ann",
        1,
        settings={"time_format": "%d/%m/%Y"},
        span=("2026-06-05T00:00:00Z",) * 2,
    ),
    Dirty(
        "offsets",
        times("2026-10-01T14:00:00+02:00", "2026-10-01T14:00:00+0200", "2026-10-01T14:00:00+02", NOON),
        "ann",
        4,
        span=(NOON, NOON),
    ),
    Dirty("seconds since 1970", times("1790856000", " 1790856000 ", "1790856000.0"), "ann", 3, span=(NOON, NOON)),
    Dirty(
        "milliseconds among seconds", times(*["1790856000"] * 3, "1790856000000"), "ann", 3, ((5, "unreadable_time"),)
    ),
    Dirty(
        "numbers too large for any time",
        times(*["1790856000"] * 4, "99999999999999999", str(2**63 - 1), "9" * 30),
        "ann",
        4,
        tuple((n, "unreadable_time") for n in (6, 7, 8)),
    ),
    Dirty(
        "numbers that are none",
        times(*["1790856000"] * 3, "NaN", "inf"),
        "ann",
        3,
        ((5, "unreadable_time"), (6, "unreadable_time")),
    ),
    Dirty("a year beyond calendars", times(NOON, "10000-01-01T00:00:00Z"), "ann", 1, ((3, "unreadable_time"),)),
    Dirty(
        "a number beyond calendars",
        times("1790856000", "999999999999"),
        "ann",
        1,
        ((3, "time_out_of_range"),),
        settings={"time_format": "epoch_s"},
    ),
    Dirty(
        "times at both ends of what calendars in any zone can name",
        times(NOON, "9999-12-29T23:59:59.999999Z", "9999-12-31T23:59:59Z"),
        "ann",
        2,
        ((4, "time_out_of_range"),),
        settings={"timezone": "Asia/Tokyo"},
        warned=("1 row lies in the future, up to 9999-12-29, so no window is open; leave them out with --as-of",),
        span=(NOON, "9999-12-29T23:59:59.999999Z"),
    ),
    Dirty(
        "times before 1990",
        times(NOON, "1989-12-31T23:59:59.999999Z", "1990-01-01T00:00:00Z", "1970-01-01", "0001-01-01T00:00:00Z"),
        "ann",
        2,
        ((3, "time_out_of_range"), (5, "time_out_of_range"), (6, "time_out_of_range")),
        span=("1990-01-01T00:00:00Z", NOON),
    ),
    Dirty(
        "times before 1990 in a zone that was ahead",
        times("1990-01-01 01:00:00", "1990-01-01 00:59:59"),
        "ann",
        1,
        ((3, "time_out_of_range"),),
        settings={"timezone": "Europe/Berlin"},
        span=("1990-01-01T00:00:00Z",) * 2,
    ),
    Dirty(
        "dates before 1990 in Parquet",
        parquet(timestamp=[date(1970, 1, 1), date(2026, 10, 1)]),
        "ben",
        1,
        ((1, "time_out_of_range"),),
    ),
    Dirty(
        "zeros among seconds",
        times("0", *["1790856000"] * 3, " 0.0 "),
        "ann",
        3,
        ((2, "time_out_of_range"), (6, "time_out_of_range")),
    ),
    Dirty(
        "zeros among milliseconds, and more of them",
        times("1790856000000", *["0"] * 5),
        "ann",
        1,
        tuple((n, "time_out_of_range") for n in range(3, 8)),
        span=(NOON, NOON),
    ),
    Dirty(
        "zeros alone",
        times("0", "0"),
        rejected=((2, "time_out_of_range"), (3, "time_out_of_range")),
        warned=("there is no event to count",),
    ),
    Dirty(
        "seconds of 1970 that are said to be seconds",
        times("1790856000", "0", "7", "-1"),
        "ann",
        1,
        ((3, "time_out_of_range"), (4, "time_out_of_range"), (5, "time_out_of_range")),
        settings={"time_format": "epoch_s"},
    ),
    Dirty(
        "an old log, and how old it may be",
        times("1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1985-07-13T12:00:00Z"),
        "ann",
        2,
        ((3, "time_out_of_range"),),
        settings={"earliest": "1970-01-01"},
        span=("1970-01-01T00:00:00Z", "1985-07-13T12:00:00Z"),
    ),
    Dirty(
        "an old log, and how old it may be in its zone",
        times("1970-01-01 00:00:00", "1969-12-31 23:59:59"),
        "ann",
        1,
        ((3, "time_out_of_range"),),
        settings={"earliest": "1970-01-01", "timezone": "Asia/Tokyo"},
        span=("1969-12-31T15:00:00Z",) * 2,
    ),
    Dirty(
        "numbers of an old log",
        times("0", "7"),
        "ann",
        2,
        settings={"earliest": "1970-01-01", "time_format": "epoch_s"},
        span=("1970-01-01T00:00:00Z", "1970-01-01T00:00:07Z"),
    ),
    Dirty(
        "a log as old as calendars are",
        times("0001-01-01T00:00:00Z", "0001-01-03T00:00:00Z"),
        "ann",
        1,
        ((2, "time_out_of_range"),),
        settings={"earliest": "0001-01-01", "timezone": "America/New_York"},
        span=("0001-01-03T00:00:00Z",) * 2,
    ),
    Dirty(
        "a log that began late",
        times(NOON, "2025-12-31T23:59:59Z"),
        "ann",
        1,
        ((3, "time_out_of_range"),),
        settings={"earliest": "2026-01-01T00:00:00Z"},
    ),
    Dirty(
        "days that no month has",
        times(NOON, "2026-13-01", "2026-02-30"),
        "ann",
        1,
        ((3, "unreadable_time"), (4, "unreadable_time")),
    ),
    Dirty("a leap second", times("2026-06-30T23:59:60Z"), "ann", 1, span=("2026-07-01T00:00:00Z",) * 2),
    Dirty(
        "times that the clocks showed twice",
        times("2026-10-25 02:00:00", " 2026-10-25 02:59:59.999 ", "2026-10-25T02:30:00Z", "2026-10-25 03:00:00"),
        "ann",
        4,
        settings={"timezone": "Europe/Berlin"},
        warned=("events: local times that the clocks showed twice, of which the first is taken: 2",),
        span=("2026-10-25T00:00:00Z", "2026-10-25T02:30:00Z"),
    ),
    Dirty(
        "a time that the clocks skipped",
        times("2026-03-29 02:30:00", "2026-03-29 03:30:00"),
        "ann",
        1,
        ((2, "unreadable_time"),),
        settings={"timezone": "Europe/Berlin"},
        span=("2026-03-29T01:30:00Z",) * 2,
    ),
)
BREAKS_OFF = "the last line breaks off, and is left out; perhaps something still writes to the file"
NO_EVENT = "there is no event to count"
ACCESS = '203.0.113.7 - ann [01/Oct/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5120\n'


def cut(what: str, content: bytes, used: int, line: int, *warned: str, name: str = "events") -> Dirty:
    """A file with rows of ann and half a line, which is its last."""
    said = (f"{name}: {BREAKS_OFF}", *warned)
    rejected = ((line, "cut_off"),)
    users = "ann" if used else ""
    return Dirty(what, content, users, used, rejected, warned=said, arguments=("--strict",), name=name)


def cloudfront(user: str, time: str = "12:00:00") -> str:
    """A log of one line, with its header."""
    names = "date time c-ip cs-method cs-uri-stem"
    return f"#Version: 1.0\n#Fields: {names}\n2026-10-01\t{time}\t{user}\tGET\t/\n"


HALF = csv(ANN, row("ben")[:-8])
ENDINGS = (
    Dirty("a last row without its line end", csv(ANN, BEN).removesuffix(b"\n"), "ann ben", 2, arguments=("--strict",)),
    Dirty("a last object without its line end", ndjson(an(), an('"ben"'))[:-1], "ann ben", 2, arguments=("--strict",)),
    Dirty(
        "a last row that goes over two lines without its line end",
        csv(ANN, row("ben", event='"two\nlines"')).removesuffix(b"\n"),
        "ann ben",
        2,
        arguments=("--strict",),
    ),
    Dirty("a last row with half of its line end", csv(ANN, BEN).replace(b"\n", b"\r\n")[:-1], "ann ben", 2),
    cut("half a row", HALF, 1, 3),
    cut("half a row after returns before line feeds", HALF.replace(b"\n", b"\r\n"), 1, 3),
    cut("half a row after returns alone", HALF.replace(b"\n", b"\r"), 1, 3),
    cut("half a row in UTF-16", HALF.decode().encode("utf-16"), 1, 3),
    cut("half a quoted field", csv(ANN, f'ben,{NOON},"vi'), 1, 3),
    cut("the first letter of a row", csv(ANN, "b"), 1, 3),
    cut("half a row after many", csv(ANN * 2_500, "ben"), 2_500, 2_502),
    cut("half a row alone", csv("ben,2026-1"), 0, 2, NO_EVENT),
    cut("half a row that is packed", gzip.compress(HALF), 1, 3),
    cut("half a row that is packed with zstd", zstd.compress(HALF), 1, 3),
    cut("half a row in a zip", archive({"a.csv": HALF}), 1, 3, name="events/a.csv"),
    cut("half an object", ndjson(an()) + an('"ben"')[:-9].encode(), 1, 2),
    cut("the first letter of an object", ndjson(an()) + b"{", 1, 2),
    cut("half an object that is packed", gzip.compress(ndjson(an()) + b'{"us'), 1, 2),
    cut("half an object after many", ndjson(*[an()] * 100_001) + b'{"us', 100_001, 100_002),
    cut("half a character", csv(ANN, row("ben", event="café"))[:-2], 1, 3),
    cut("half a character of four bytes", csv(ANN, row("ben", event="😀"))[:-2], 1, 3),
    cut("half a character in NDJSON", ndjson(an()) + '{"user_id": "ü'.encode()[:-1], 1, 2),
    cut("half a character of a row that is half", csv(ANN, "bé")[:-1], 1, 3),
    cut("half a line of a log", (ACCESS * 3 + ACCESS[:40]).encode(), 3, 4),
    cut("half a character in a line of a log", (ACCESS * 3 + ACCESS[:-1] + "ü").encode()[:-1], 3, 4),
    Dirty("a last line of a log without its line end", (ACCESS * 3)[:-1].encode(), "ann", 3, arguments=("--strict",)),
    Dirty(
        "a bad line of a log before its last",
        (ACCESS * 2 + ACCESS[:40] + "\n" + ACCESS + ACCESS[:40]).encode(),
        "ann",
        3,
        ((3, "bad_line"), (5, "cut_off")),
        warned=(f"events: {BREAKS_OFF}",),
    ),
    Dirty(
        "logs with their headers, one after the other", (cloudfront("ann") + cloudfront("ben")).encode(), "ann ben", 2
    ),
    Dirty(
        "a short line between logs with their headers, and a time that is none",
        (cloudfront("ann") + "short\n" + cloudfront("ben") + cloudfront("cid", "noon")).encode(),
        "ann ben",
        2,
        ((4, "too_few_fields"), (10, "unreadable_time")),
    ),
    Dirty("a short row with its line end", HALF + b"\n", "ann", 1, ((3, "too_few_fields"),)),
    Dirty("a long row without its line end", csv(ANN, row(event="a,b"))[:-1], "ann", 1, ((3, "too_many_fields"),)),
    Dirty(
        "short rows, of which the last has no line end",
        csv("cid\n", ANN, "ben\n", "ben"),
        "ann",
        1,
        ((2, "too_few_fields"), (4, "too_few_fields"), (5, "cut_off")),
        warned=(f"events: {BREAKS_OFF}",),
    ),
)
ALL = {
    "endings": ENDINGS,
    "text": TEXT,
    "foreign": FOREIGN,
    "packed": PACKED_FILES,
    "parquet": PARQUET,
    "json": JSON,
    "times": TIMES,
}
