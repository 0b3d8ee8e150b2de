"""Events in an object store: they count as the same local files do, and what is not there is named."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest
from network import KEYS, NO_KEYS
from program import GOALS, lay_out, run, run_here

SERVER = Path(__file__).parent / "store_server.py"
OPTIONS = ("--goals", "goals.yaml", "--by", "device", "--json")
DAYS = 3
Reader = Callable[..., bytes]
QUICKLY = 20
"""Seconds: tries and pauses are limited."""


def rows_of(day: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_id": [f"ü{n % 90}" for n in range(900)],
            "timestamp": [f"2026-10-{day:02}T10:{n % 60:02}:00Z" for n in range(900)],
            "event": ["buy" if n % 7 == day else "view" for n in range(900)],
            "device": ["phone, or so", 'a "tablet"', "two\nlines", ""] * 225,
        }
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with goals.yaml, and below it the bucket: some days in each format, and what can't be read."""
    goals = GOALS.replace("steps: [view, buy]", "steps: [view, buy], window: 7d")
    folder = lay_out(tmp_path_factory.mktemp("stores"), goals)
    bucket = folder / "logs"
    (bucket / "days" / "deeper").mkdir(parents=True)
    for day in range(1, DAYS + 1):
        table = rows_of(day)
        table.write_csv(bucket / "days" / f"{day}.csv")
        table.write_parquet(bucket / "days" / f"{day}.parquet")
        table.write_ndjson(bucket / "days" / f"{day}.ndjson")
    rows_of(4).write_parquet(bucket / "days" / "deeper" / "4.parquet")
    first = (bucket / "days" / "1.csv").read_bytes()
    (bucket / "first.csv.gz").write_bytes(gzip.compress(first))
    rows_of(1).lazy().sink_csv(bucket / "first.zst", compression="zstd", check_extension=False)
    (bucket / "first.ndjson.gz").write_bytes(gzip.compress((bucket / "days" / "1.ndjson").read_bytes()))
    (bucket / "marked.csv").write_bytes(b"\xef\xbb\xbf" + first)
    (bucket / "odd name + 100% of it.csv").write_bytes(first)
    (bucket / "no suffix").write_bytes((bucket / "days" / "1.parquet").read_bytes())
    (bucket / "latin_1.csv").write_bytes(first.decode().encode("latin-1"))
    (bucket / "empty.csv").write_bytes(b"")
    return folder


@pytest.fixture(scope="session")
def store(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which the store can be read."""
    with subprocess.Popen(
        [sys.executable, SERVER, folder / "logs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdout
        port = next((line for line in server.stdout if line.strip().isdigit()), b"").decode().strip()
        assert port, "the server did not start"
        yield {**NO_KEYS, **KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        server.terminate()


@pytest.fixture
def of_local_files(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Reader:
    """What the program prints of files in the folder, without a word on standard error."""

    def printed(*arguments: str) -> bytes:
        code, out, err = run_here(folder, *arguments, capfd=capfd, monkeypatch=monkeypatch)
        assert (code, err) == (0, "")
        return out.encode()

    return printed


@pytest.mark.parametrize(
    "keys",
    [
        ["days/1.csv"],
        ["days/1.parquet"],
        ["days/1.ndjson"],
        ["first.csv.gz"],
        ["first.zst"],
        ["first.ndjson.gz"],
        ["marked.csv"],
        ["odd name + 100% of it.csv"],
        ["no suffix"],
        ["days/*.csv"],
        ["days/*.parquet"],
        ["days/[12].parquet"],
        ["days/**/*.parquet"],
        ["days/*.csv", "days/2.csv", "days/2.csv"],
        ["days/*.parquet", "days/2.parquet", "days/[13].*t"],
        ["days/1.csv", "days/2.parquet", "days/3.ndjson", "empty.csv"],
    ],
    ids=" ".join,
)
def test_the_report_is_that_of_the_same_local_files(
    folder: Path, store: dict[str, str], of_local_files: Reader, keys: Sequence[str]
) -> None:
    here = of_local_files("run", *(f"logs/{key}" for key in keys), *OPTIONS)
    there = run(folder, "run", *(f"s3://logs/{key}" for key in keys), *OPTIONS, env=store)
    assert (there.returncode, there.stderr) == (0, b"")
    assert there.stdout.replace(b"s3://", b"") == here


@pytest.mark.parametrize("scheme", ["gs", "az"])
@pytest.mark.parametrize("key", ["days/1.csv", "days/2.parquet"])
def test_the_other_stores_are_read_too(folder: Path, of_local_files: Reader, scheme: str, key: str) -> None:
    """Of these a test can only start as much as gives a known object; lists of them it can't."""

    class Objects(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = unquote(self.path).rpartition("/")[2]
            content = (folder / "logs" / "days" / name).read_bytes()
            first, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")
            begin = int(first) if first else max(0, len(content) - int(last))
            end = min(len(content), int(last) + 1) if first and last else len(content)
            self.send_response(206 if "Range" in self.headers else 200)
            self.send_header("Content-Length", str(end - begin))
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Thu, 01 Oct 2026 10:00:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[begin:end])

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Not to the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Objects) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}"
        nobody = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
        google = {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps({**nobody, "gcs_base_url": place})}
        azure = {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": place}
        there = run(folder, "run", f"{scheme}://logs/{key}", *OPTIONS, env={**NO_KEYS, **google, **azure})
        server.shutdown()
    here = of_local_files("run", f"logs/{key}", *OPTIONS)
    assert (there.returncode, there.stderr, there.stdout) == (0, b"", here)


def test_stores_and_files_go_together(folder: Path, store: dict[str, str], of_local_files: Reader) -> None:
    here = of_local_files("run", "logs/days/1.csv", "logs/days/2.parquet", "logs/days/3.csv", *OPTIONS)
    there = run(
        folder, "run", "logs/days/1.csv", "s3://logs/days/2.parquet", "s3://logs/days/3.csv", *OPTIONS, env=store
    )
    assert (there.returncode, there.stderr, there.stdout) == (0, b"", here)


def test_a_user_can_be_explained_too(folder: Path, store: dict[str, str], of_local_files: Reader) -> None:
    here = of_local_files("explain", "ü7", "logs/days/*.parquet", "--goals", "goals.yaml")
    there = run(folder, "explain", "ü7", "s3://logs/days/*.parquet", "--goals", "goals.yaml", env=store)
    assert (there.returncode, there.stderr, there.stdout) == (0, b"", here)


def test_copies_do_not_stay(folder: Path, store: dict[str, str], tmp_path: Path) -> None:
    assert run(folder, "run", "s3://logs/days/*.csv", *OPTIONS, env={**store, "TMPDIR": str(tmp_path)}).returncode == 0
    assert list(tmp_path.iterdir()) == []


# --- what can't be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://logs/missing.csv", "no such object"),
        ("s3://logs/missing.parquet", "no such object"),
        ("s3://logs/missing/*.csv", "no object matches this pattern"),
        ("s3://nowhere/events.csv", "no such bucket"),
        ("s3://nowhere/*.csv", "no such bucket"),
        ("s3://logs/days", "no such object"),
        ("s3://logs/days/", "is no object; name some, for example s3://logs/days/*.parquet"),
        ("s3://logs", "is no object; name some, for example s3://logs/*.parquet"),
        ("s3://logs/empty.csv", "is empty"),
        ("s3://logs/latin_1.csv", "is neither Parquet nor UTF-8 text"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, store: dict[str, str], address: str, message: str) -> None:
    began = time.monotonic()
    done = run(folder, "run", address, *OPTIONS, env=store)
    assert (done.returncode, done.stdout) == (3, b"")
    problem, *hints = done.stderr.decode().splitlines()
    assert problem == f"{address}: {message}"
    assert len(hints) <= 1
    assert time.monotonic() - began < QUICKLY
