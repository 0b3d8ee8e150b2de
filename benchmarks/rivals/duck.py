"""The question as DuckDB answers it best: `python duck.py 'FOLDER/*.parquet' [--without-users]`.

Each step looks up the newest event of the step before, and takes its start with it: ASOF joins are nearly twice as
fast as chained window functions. The keys are 64-bit hashes, as they are in microfunnel. A CSV is read once, into a
table; Parquet twice, which is faster.
"""

import json
import sys

import duckdb

COLUMNS = ("user_id", "timestamp", "event_name", "url", "device", "country", "session_id", "value")
TYPES = dict.fromkeys(COLUMNS, "VARCHAR") | {"timestamp": "TIMESTAMP", "value": "DOUBLE"}
EVENTS = """
SELECT hash(user_id) AS unit, epoch_us(timestamp) AS moment, CASE event_name
    WHEN 'product_view' THEN 1::UTINYINT
    WHEN 'add_to_cart' THEN 2::UTINYINT
    WHEN 'checkout_start' THEN 3::UTINYINT
    WHEN 'purchase' THEN 4::UTINYINT
END AS step
"""
ROWS = "SELECT count(*), NULL FROM events"
EVERYBODY = "SELECT count(*), count(DISTINCT unit) FROM events"
FUNNEL = """
WITH event AS MATERIALIZED (FROM events WHERE step IS NOT NULL),
view AS (SELECT unit, moment, moment AS start FROM event WHERE step = 1),
cart AS (
    SELECT event.unit, event.moment, view.start
    FROM event ASOF JOIN view ON event.unit = view.unit AND event.moment >= view.moment
    WHERE step = 2 AND event.moment - start <= 604800000000
),
checkout AS (
    SELECT event.unit, event.moment, cart.start
    FROM event ASOF JOIN cart ON event.unit = cart.unit AND event.moment >= cart.moment
    WHERE step = 3 AND event.moment - start <= 604800000000
),
purchase AS (
    SELECT event.unit
    FROM event ASOF JOIN checkout ON event.unit = checkout.unit AND event.moment >= checkout.moment
    WHERE step = 4 AND event.moment - start <= 604800000000
)
SELECT
    (SELECT count(DISTINCT unit) FROM view),
    (SELECT count(DISTINCT unit) FROM cart),
    (SELECT count(DISTINCT unit) FROM checkout),
    (SELECT count(DISTINCT unit) FROM purchase)
"""

pattern, *options = sys.argv[1:]
connection = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})
if pattern.endswith(".csv"):
    log = f"read_csv('{pattern}', columns = {TYPES}, auto_detect = false, header = true)"
    connection.execute(f"CREATE TABLE events AS {EVENTS} FROM {log}")
else:
    connection.execute(f"CREATE VIEW events AS {EVENTS} FROM read_parquet('{pattern}')")


def ask(query: str) -> tuple[int, ...]:
    (row,) = connection.execute(query).fetchall()
    return tuple(row)


rows, users = ask(ROWS if "--without-users" in options else EVERYBODY)
print(json.dumps({"rows": rows, "users": users, "steps": ask(FUNNEL)}))
