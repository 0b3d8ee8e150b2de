"""Small exports of other tools, and what a reader must make of them; `layouts/README.md` says which.

A folder of `layouts/` holds the text of an export, and `expected.yaml` or, for one that has no users to count,
`refused.yaml`. What is not text (Parquet, gzip, zip, UTF-16) is made of that text here, the same bytes each time.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent / "layouts"
EXPECTED, REFUSED = "expected.yaml", "refused.yaml"

Write = Callable[[Path], list[Path]]
"""Writes an export into a folder, and returns what to name on the command line."""
Build = Callable[[Path, Path], list[Path]]
"""The same from the folder of a fixture."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class ExpectedEvent(_Strict):
    """One event; a field that is not named has no value, nor has a session or an anonymous id."""

    time: str
    user: str
    anonymous: str | None = None
    session: str | None = None
    event: str
    fields: Mapping[str, str] = {}
    bot: bool = False
    asset: bool = False


class Expected(_Strict):
    """What becomes of the rows: `rows` = events + duplicates + all that is rejected."""

    layout: str
    rows: int
    rejected: Mapping[str, int] = {}
    duplicates: int = 0
    events: list[ExpectedEvent]

    @property
    def fields(self) -> list[str]:
        """Every field that some event has."""
        return sorted({name for event in self.events for name in event.fields})


class Refused(_Strict):
    """What the refusal must name: the export that was recognised, and the one to take instead."""

    export: str
    hint: list[str]


@dataclass(frozen=True)
class LayoutFile:
    name: str
    layout: str
    write: Write
    expected: Expected


@dataclass(frozen=True)
class RefusedFile:
    name: str
    write: Write
    refused: Refused


def layout_files() -> list[LayoutFile]:
    """Every export that can be read; several forms of one text share what is expected of it."""
    found = []
    for path in sorted(FOLDER.glob(f"*/{EXPECTED}")):
        expected = Expected.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for name, write in _forms(path.parent):
            found.append(LayoutFile(name, expected.layout, write, expected))
    return found


def refused_files() -> list[RefusedFile]:
    """Every export that has no users to count."""
    return [
        RefusedFile(name, write, Refused.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))))
        for path in sorted(FOLDER.glob(f"*/{REFUSED}"))
        for name, write in _forms(path.parent)
    ]


def _forms(fixture: Path) -> list[tuple[str, Write]]:
    builds = BUILDS.get(fixture.name, {fixture.name: copied})
    return [(name, partial(build, fixture)) for name, build in builds.items()]


def _texts(fixture: Path) -> list[Path]:
    return sorted(path for path in fixture.iterdir() if path.name not in {EXPECTED, REFUSED})


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _gzip(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


def _zip(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def copied(fixture: Path, folder: Path, under: str = "", suffix: str = "") -> list[Path]:
    return [_written(folder / under / (path.name + suffix), path.read_bytes()) for path in _texts(fixture)]


def gzipped(fixture: Path, folder: Path, under: str = "") -> list[Path]:
    return [_written(folder / under / f"{path.name}.gz", _gzip(path)) for path in _texts(fixture)]


def gzipped_folder(fixture: Path, folder: Path, under: str) -> list[Path]:
    gzipped(fixture, folder, under)
    return [folder / under]


def zipped(fixture: Path, folder: Path, name: str) -> list[Path]:
    return [_written(folder / name, _zip({path.name: path.read_bytes() for path in _texts(fixture)}))]


def zip_of_gzips(fixture: Path, folder: Path, name: str, under: str) -> list[Path]:
    return [_written(folder / name, _zip({f"{under}/{path.name}.gz": _gzip(path) for path in _texts(fixture)}))]


def one(fixture: Path, folder: Path, name: str) -> list[Path]:
    return [_written(folder / name, (fixture / name).read_bytes())]


def utf_16(fixture: Path, folder: Path, name: str) -> list[Path]:
    """One of the texts as UTF-16, the lower byte first, with its mark at the start."""
    return [_written(folder / name, ("\ufeff" + (fixture / name).read_text(encoding="utf-8")).encode("utf-16-le"))]


def lines_of_array(fixture: Path, folder: Path, name: str) -> list[Path]:
    """A JSON array as NDJSON."""
    rows = json.loads((fixture / name).read_text(encoding="utf-8"))
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    return [_written((folder / name).with_suffix(".ndjson"), lines.encode())]


def parquet(fixture: Path, folder: Path, name: str, schema: pl.Schema, wrapped: tuple[str, ...] = ()) -> list[Path]:
    """The rows of an NDJSON text as Parquet; lists that are `wrapped` become `list.element`, as BigQuery names them."""
    rows = pl.read_ndjson(fixture / "rows.ndjson", schema=schema)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    rows.with_columns(_list_element(pl.col(column)) for column in wrapped).write_parquet(folder / name)
    return [folder / name]


def _list_element(lists: pl.Expr) -> pl.Expr:
    elements = lists.list.eval(pl.struct(pl.element().alias("element")))
    return pl.struct(elements.alias("list")).alias(lists.meta.output_name())


TEXT, WHOLE, NUMBER, TRUTH, TIME = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean(), pl.Datetime("us", "UTC")
VALUE = {"string_value": TEXT, "int_value": WHOLE, "float_value": NUMBER, "double_value": NUMBER}
USER_VALUE = {**VALUE, "set_timestamp_micros": WHOLE}
GA4 = pl.Schema(
    {
        "event_date": TEXT,
        "event_timestamp": WHOLE,
        "event_name": TEXT,
        "event_params": pl.List(pl.Struct({"key": TEXT, "value": pl.Struct(VALUE)})),
        "user_id": TEXT,
        "user_pseudo_id": TEXT,
        "user_properties": pl.List(pl.Struct({"key": TEXT, "value": pl.Struct(USER_VALUE)})),
        "device": pl.Struct({"category": TEXT}),
        "stream_id": TEXT,
        "platform": TEXT,
        "ecommerce": pl.Struct({"purchase_revenue": NUMBER, "transaction_id": TEXT}),
        "batch_event_index": WHOLE,
        "batch_page_id": WHOLE,
        "batch_ordering_id": WHOLE,
    }
)
POSTHOG = pl.Schema(
    {
        **dict.fromkeys(("uuid", "event", "distinct_id", "person_id", "properties", "person_properties"), TEXT),
        "elements_chain": TEXT,
        **dict.fromkeys(("timestamp", "created_at", "_inserted_at"), TIME),
    }
)
SNOWPLOW = pl.Schema(
    {
        **dict.fromkeys(("app_id", "platform"), TEXT),
        **dict.fromkeys(("etl_tstamp", "collector_tstamp", "dvce_created_tstamp"), TIME),
        **dict.fromkeys(("event", "event_id", "user_id", "domain_userid"), TEXT),
        "domain_sessionidx": WHOLE,
        **dict.fromkeys(("network_userid", "page_url", "page_title", "page_urlpath", "mkt_medium", "mkt_source"), TEXT),
        **dict.fromkeys(("se_category", "se_action"), TEXT),
        "se_value": NUMBER,
        "tr_orderid": TEXT,
        "tr_total": NUMBER,
        **dict.fromkeys(("tr_currency", "useragent"), TEXT),
        "br_cookies": TRUTH,
        "dvce_type": TEXT,
        "dvce_ismobile": TRUTH,
        "domain_sessionid": TEXT,
        "derived_tstamp": TIME,
        **dict.fromkeys(("event_vendor", "event_name", "event_format", "event_version", "event_fingerprint"), TEXT),
        **dict.fromkeys(("true_tstamp", "load_tstamp"), TIME),
        "unstruct_event_example_tea_add_to_cart_1": pl.Struct({"sku": TEXT, "price": NUMBER}),
        "contexts_com_snowplowanalytics_snowplow_web_page_1": pl.List(pl.Struct({"_schema_version": TEXT, "id": TEXT})),
    }
)
GA4_PARQUET = partial(parquet, name="events-000000000000.parquet", schema=GA4)
SEGMENT_DAY = "segment-logs/aBcDeFgH12/1791676800000"
BUILDS: Mapping[str, Mapping[str, Build]] = {
    "alb": {"alb": gzipped},
    "amplitude": {
        "amplitude_zip": partial(zip_of_gzips, name="export.zip", under="100001"),
        "amplitude_folder": partial(gzipped_folder, under="100001"),
    },
    "cloudflare": {"cloudflare": gzipped},
    "cloudfront": {"cloudfront": gzipped},
    "ga4_parquet": {
        "ga4_parquet": GA4_PARQUET,
        "ga4_parquet_wrapped": partial(GA4_PARQUET, wrapped=("event_params", "user_properties")),
    },
    "matomo": {
        "matomo_json": partial(one, name="visits.json"),
        "matomo_ndjson": partial(lines_of_array, name="visits.json"),
        "matomo_csv": partial(utf_16, name="visits.csv"),
    },
    # The name of the codec is that of the pages inside, which stays Parquet.
    "posthog_parquet": {"posthog_parquet": partial(parquet, name="events.parquet.zst", schema=POSTHOG)},
    "refused_plausible_stats": {"refused_plausible_stats": partial(zipped, name="export.zip")},
    "refused_umami_stats": {"refused_umami_stats": partial(zipped, name="umami-export.zip")},
    "rudderstack_jsonl": {"rudderstack_jsonl": partial(gzipped, under="rudder-logs/1ZsN/10-13-2026")},
    "segment_jsonl": {
        "segment_jsonl": partial(gzipped, under=SEGMENT_DAY),
        # A download may unpack a file and keep its name.
        "segment_jsonl_unpacked": partial(copied, under=SEGMENT_DAY, suffix=".gz"),
    },
    "snowplow_lake": {"snowplow_lake": partial(parquet, name="part-00000.snappy.parquet", schema=SNOWPLOW)},
}
"""The name of a fixture, and its forms by theirs; all others are copied as they are."""
