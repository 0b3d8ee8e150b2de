"""Who is asked for what: a store that was named, nobody else, and no key is ever repeated."""

import time
from pathlib import Path

import pytest
from network import KEYS, NO_KEYS, listening, refusal, through
from program import lay_out, run

RUN = ("--goals", "goals.yaml", "--json")
QUICKLY = 20
"""Seconds: tries and pauses are limited."""
BOTH = pytest.mark.parametrize("address", ["s3://logs/events.csv", "s3://logs/*.parquet"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


def test_a_bucket_with_a_password_is_not_repeated(folder: Path) -> None:
    done = run(folder, "run", "s3://id:password@logs/events.csv", *RUN, env=NO_KEYS)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"password" not in done.stderr


@BOTH
@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"])
def test_wrong_keys_are_not_repeated(folder: Path, address: str, code: str) -> None:
    with listening(refusal(code)) as line:
        env = {**NO_KEYS, **KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{line.port}"}
        done = run(folder, "run", address, *RUN, env=env)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode() == f"{address}: access is denied; look at the credentials in the environment\n"
    assert KEYS["AWS_SECRET_ACCESS_KEY"].encode() not in b"".join(line.heard)


@BOTH
def test_without_keys_the_machine_is_asked_for_some(folder: Path, address: str) -> None:
    """That is polars' way; SECURITY.md says so."""
    with listening("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as line:
        env = {**NO_KEYS, "AWS_REGION": "us-east-1", "AWS_METADATA_ENDPOINT": f"http://127.0.0.1:{line.port}"}
        done = run(folder, "run", address, *RUN, env={**env, "HOME": str(folder)})
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode() == f"{address}: there are no credentials for it in the environment\n"
    assert line.heard


def test_without_a_region_s3_is_asked_for_it_and_nobody_is_warned(folder: Path) -> None:
    with listening(refusal("AccessDenied")) as line:
        env = {**through(line.port), "HOME": str(folder)}
        del env["AWS_REGION"], env["AWS_ENDPOINT_URL"]
        done = run(folder, "run", "s3://logs/events.csv", *RUN, env=env)
    assert done.stderr.decode() == "s3://logs/events.csv: can't be reached\n"
    assert {heard.split(b"\r\n")[0] for heard in line.heard} == {b"CONNECT logs.s3.amazonaws.com:443 HTTP/1.1"}


@BOTH
def test_a_store_that_is_not_there_is_given_up_soon(folder: Path, address: str) -> None:
    with listening("") as line:
        port = line.port
    began = time.monotonic()
    env = {**NO_KEYS, **KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    done = run(folder, "run", address, *RUN, env=env)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode() == f"{address}: can't be reached: connection refused\n"
    assert time.monotonic() - began < QUICKLY


# --- nothing else -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/events.csv",
        "https://127.0.0.1:{port}/events.csv",
        "ftp://127.0.0.1:{port}/events.csv",
        "hf://datasets/somebody/events/events.parquet",
        "file:///etc/passwd",
        "s3a://logs/events.csv",
        "S3://logs/events.csv",
        "gcs://logs/events.csv",
        "abfss://logs@somebody/events.csv",
    ],
)
def test_other_addresses_are_refused_and_nobody_is_asked(folder: Path, address: str) -> None:
    with listening(refusal("AccessDenied")) as line:
        asked = address.format(port=line.port)
        done = run(folder, "run", asked, *RUN, env=through(line.port))
    assert (done.returncode, done.stdout) == (3, b"")
    message = f"{asked}: only local files, s3://, gs:// and az:// can be read; download it first\n"
    assert done.stderr.decode() == message
    assert line.heard == []


def test_local_files_ask_nobody(folder: Path) -> None:
    with listening(refusal("AccessDenied")) as line:
        assert run(folder, "run", "events.csv", *RUN, env=through(line.port)).returncode == 0
        assert line.heard == []
        run(folder, "run", "s3://logs/events.csv", *RUN, env=through(line.port))
        assert line.heard, "this test could not have noticed"
