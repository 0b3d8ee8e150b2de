"""The least that polars has to do: read the three columns, and count rows and different users by a 64-bit hash.

Run it as `python bare.py 'FOLDER/*.parquet'`. It counts no funnel.
"""

import json
import sys

import polars as pl

scan = pl.scan_csv if sys.argv[1].endswith(".csv") else pl.scan_parquet
found = scan(sys.argv[1]).select(
    rows=pl.col("event_name").count(), users=pl.col("user_id").hash().n_unique(), last=pl.col("timestamp").max()
)
rows, users, _ = found.collect(engine="streaming").row(0)
print(json.dumps({"rows": rows, "users": users, "steps": None}))
