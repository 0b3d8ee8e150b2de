"""What the logs of web servers and networks have in common: a visitor, a request, robots and assets."""

from urllib.parse import unquote

import polars as pl

from microfunnel.reading.layouts.declaration import Lookup, Value, value_of

REQUEST = r"^([A-Z]+) (\S+)"
ROBOTS = (
    r"(?i)bot\b|bot[/;]|crawl|spider|slurp|archiver|preview|monitor|pingdom|lighthouse|headless|facebookexternalhit|"
    r"^curl/|^wget/|python-requests|python-urllib|go-http-client|okhttp|java/|libwww|scrapy|feed|fetch|\brss\b"
)
ASSETS = r"(?i)\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|bmp|woff2?|ttf|otf|eot|mp3|mp4|webm|ogg|wasm)$"


def requests(
    *, address: Value, agent: Value, target: Value, method: Value, login: Value | None = None
) -> dict[str, Value]:
    """The values of a log whose fields are these; the target is a path or an address, with its query."""

    def visitor(text: Lookup) -> pl.Expr:
        return pl.concat_str(value_of(address, text), value_of(agent, text), separator=" ", ignore_nulls=True).replace(
            "", None
        )

    def user(text: Lookup) -> pl.Expr:
        return visitor(text) if login is None else pl.coalesce(value_of(login, text), visitor(text))

    def path(text: Lookup) -> pl.Expr:
        within = value_of(target, text).str.replace(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*", "")
        return within.str.extract(r"^([^?#]*)").replace("", "/")

    def query(text: Lookup) -> pl.Expr:
        return value_of(target, text).str.extract(r"\?([^#]+)")

    def event(text: Lookup) -> pl.Expr:
        return pl.concat_str(value_of(method, text), path(text), separator=" ")

    def matches(pattern: str, field: pl.Expr) -> pl.Expr:
        found = field.str.contains(pattern).fill_null(value=False)
        return pl.when(found).then(pl.lit("true")).otherwise(pl.lit("false"))

    return {
        "user": user,
        "anonymous": visitor,
        "event": event,
        "method": method,
        "path": path,
        "query": query,
        "agent": agent,
        "bot": lambda text: matches(ROBOTS, value_of(agent, text)),
        "asset": lambda text: matches(ASSETS, path(text)),
    }


def given(name: str) -> Value:
    """A field in which `-` and nothing at all mean the same, and quotes may be escaped."""

    def found(text: Lookup) -> pl.Expr:
        field = text(name)
        whole = pl.when(~field.is_in(["-", ""])).then(field)
        return whole.str.replace_all(r"\"", '"', literal=True).str.replace_all(r"\x22", '"', literal=True)

    return found


def decoded(value: Value) -> Value:
    """A value in which `%20` and its like stand for what they mean."""

    def found(text: Lookup) -> pl.Expr:
        return value_of(value, text).map_batches(_unquoted, return_dtype=pl.String, is_elementwise=True)

    return found


def _unquoted(texts: pl.Series) -> pl.Series:
    # Few user agents make many lines.
    known = texts.unique().drop_nulls().to_list()
    return texts.replace_strict(known, list(map(unquote, known)), default=None, return_dtype=pl.String)


def method_of_request(name: str) -> Value:
    """The method of a request line."""
    return lambda text: text(name).str.extract(REQUEST, 1)


def target_of_request(name: str) -> Value:
    """The path or address that a request line asks for."""
    return lambda text: text(name).str.extract(REQUEST, 2)
