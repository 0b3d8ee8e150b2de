"""A store that speaks S3: `python store_server.py FOLDER` serves all files of the folder as the bucket `logs`.

It prints its port, and ends with its standard input.
"""

import sys
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer


def serve(folder: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    store = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - it guards nothing
        region_name="us-east-1",
    )
    store.create_bucket(Bucket="logs")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        store.put_object(Bucket="logs", Key=str(path.relative_to(folder)), Body=path.read_bytes())
    # What a browser of the store makes of a folder.
    store.put_object(Bucket="logs", Key="days/", Body=b"")
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
