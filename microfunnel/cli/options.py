"""What options of several commands are, and what they may say."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Color(StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Periods(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class BadText(StrEnum):
    FAIL = "fail"
    REPLACE = "replace"


class Peers(StrEnum):
    POSTHOG = "posthog"
    MIXPANEL = "mixpanel"
    AMPLITUDE = "amplitude"
    CLICKHOUSE = "clickhouse"


class Contract(StrEnum):
    GOALS = "goals"
    REPORT = "report"
    CREDIT = "credit"
    LAG = "lag"
    INSPECTION = "inspection"
    EFFECTS = "effects"
    PATHS = "paths"
    COMPARE = "compare"


EventFiles = Annotated[
    list[str], typer.Argument(help="Files, folders, patterns, s3:// addresses, or -.", metavar="EVENTS...")
]
Layout = Annotated[str | None, typer.Option(help="Which tool's export it is; told by its fields.", metavar="NAME")]
Delimiter = Annotated[str | None, typer.Option(help="Between the fields of CSV; told by the header.", metavar="CHAR")]
Encoding = Annotated[str | None, typer.Option(help="Of text files, such as latin-1.", metavar="NAME")]
EncodingErrors = Annotated[BadText, typer.Option(help="What to do with bytes that are no text.")]
Funnels = Annotated[list[str] | None, typer.Option(help="Only this funnel (repeatable).", metavar="NAME")]
Since = Annotated[str | None, typer.Option(help="First moment of entries.", metavar="TIME")]
Until = Annotated[str | None, typer.Option(help="Moment before which entries lie.", metavar="TIME")]
AsOf = Annotated[str | None, typer.Option(help="Look at the log as it was then.", metavar="TIME")]
FormatName = Annotated[Format, typer.Option("--format", "-f", help="What to print.")]
AsJson = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", metavar="FILE")]
Colours = Annotated[Color, typer.Option(help="Colours in tables.")]
GoalsPath = Annotated[Path, typer.Option("--goals", "-g", help="The goals file (YAML).", metavar="FILE")]
Memory = Annotated[
    str, typer.Option(help="About so much memory; what needs more goes to temporary files.", metavar="SIZE")
]
MaxBad = Annotated[str, typer.Option(help="Share of bad rows that is put up with.", metavar="SHARE")]
Strict = Annotated[bool, typer.Option("--strict", help="Put up with no bad row.")]
RejectsPath = Annotated[
    Path | None, typer.Option("--rejects", help="Write all rejected rows here (NDJSON).", metavar="FILE")
]
