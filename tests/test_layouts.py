"""The exports of other tools, and what becomes of their rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from layout_files import ExpectedEvent, LayoutFile, RefusedFile, layout_files, refused_files

from microfunnel.duplicates import without_duplicates
from microfunnel.errors import InputError
from microfunnel.events import REASONS, REJECTED, TIME, EventTable, field_column
from microfunnel.goals import Events
from microfunnel.reading.events import Request, read_events

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILES = layout_files()
REFUSED = refused_files()
LOGS = {"combined", "clf", "alb", "cloudfront", "cloudflare", "caddy"}


def shown(event: ExpectedEvent, *, is_log: bool) -> tuple[object, ...]:
    marks = (str(event.bot).lower(), str(event.asset).lower()) if is_log else (None, None)
    return (
        event.time,
        event.user,
        event.anonymous,
        event.session,
        event.event,
        tuple(sorted(event.fields.items())),
        *marks,
    )


def found_in(
    table: EventTable, fields: list[str]
) -> tuple[list[tuple[object, ...]], dict[str, int], int, tuple[str, ...]]:
    frame = table.frame.collect()
    rejected = frame.filter(pl.col(REJECTED) > 0)[REJECTED].value_counts().rows()
    used, duplicates = without_duplicates(frame.filter(pl.col(REJECTED) == 0))
    rows = []
    for row in used.iter_rows(named=True):
        time = (EPOCH + timedelta(microseconds=row[TIME])).isoformat(timespec="microseconds").replace("+00:00", "Z")
        own = {name: row[field_column(name)] for name in fields}
        ids = (row.get(field_column(name)) for name in ("user", "anonymous", "session", "event"))
        marks = (row.get(field_column(name)) for name in ("bot", "asset"))
        rows.append((time, *ids, tuple(sorted((k, v) for k, v in own.items() if v is not None)), *marks))
    reasons = {REASONS[number]: n for number, n in rejected}
    for reason, n in table.broken.items():
        reasons[reason] = reasons.get(reason, 0) + n
    return rows, reasons, duplicates, table.layouts


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_an_export_is_recognised_and_read(file: LayoutFile, tmp_path: Path) -> None:
    is_log = file.layout in LOGS
    expected = file.expected
    own = {name for event in expected.events for name in ("anonymous", "session") if getattr(event, name) is not None}
    fields = {"user", "event", *own, *expected.fields, *(("bot", "asset") if is_log else ())}
    paths = [str(path) for path in file.write(tmp_path)]
    request = Request(paths, Events(), fields, sessions=True)
    rows, reasons, duplicates, _ = read_events(request, None, lambda table: found_in(table, expected.fields))
    assert sorted(rows, key=str) == sorted((shown(event, is_log=is_log) for event in expected.events), key=str)
    assert reasons == dict(expected.rejected)
    assert duplicates == expected.duplicates
    assert len(rows) + duplicates + sum(reasons.values()) == expected.rows


@pytest.mark.parametrize("file", REFUSED, ids=[file.name for file in REFUSED])
def test_sums_are_refused(file: RefusedFile, tmp_path: Path) -> None:
    paths = [str(path) for path in file.write(tmp_path)]
    with pytest.raises(InputError) as error:
        read_events(Request(paths, Events(), {"event"}), None, lambda _: None)
    assert file.refused.export in str(error.value)
    assert all(word in str(error.value.hint) for word in file.refused.hint)
