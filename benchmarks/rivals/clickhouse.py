"""The question as ClickHouse answers it best, by chdb: `python clickhouse.py 'FOLDER/*.parquet' [OPTIONS]`.

Two queries are faster on Parquet, one that groups everybody is on CSV, which costs so much to read. Users are told
apart by their ids as they stand, or with `--hash-keys` by 64-bit hashes, as in microfunnel. `--without-users` asks for
the funnel alone. Further settings did not help.
"""

import json
import sys

import chdb

# Times of the basic format are read twice as fast as those of any.
SETTINGS = "SETTINGS max_threads = 2, input_format_skip_unknown_fields = 1, date_time_input_format = 'basic'"
IN_THE_FUNNEL = "event_name IN ('product_view', 'add_to_cart', 'checkout_start', 'purchase')"
LEVEL = """
windowFunnel(604800000000)(
    toUInt64(toUnixTimestamp64Micro(timestamp)),
    event_name = 'product_view',
    event_name = 'add_to_cart',
    event_name = 'checkout_start',
    event_name = 'purchase'
) AS level
"""
STEPS = "[countIf(level >= 1), countIf(level >= 2), countIf(level >= 3), countIf(level >= 4)] AS steps"

ROWS = "SELECT count() AS rows FROM {log}"
EVERYBODY = "SELECT count() AS rows, uniqExact({key}) AS users FROM {log}"
FUNNEL = f"SELECT {STEPS} FROM (SELECT {LEVEL} FROM {{log}} WHERE {IN_THE_FUNNEL} GROUP BY {{key}})"
ALL_AT_ONCE = f"""
SELECT sum(events) AS rows, count() AS users, {STEPS}
FROM (SELECT count() AS events, {LEVEL} FROM {{log}} GROUP BY {{key}})
"""

pattern, *options = sys.argv[1:]
is_csv = pattern.endswith(".csv")
columns = "user_id String, timestamp DateTime64(6), event_name String"
log = f"file('{pattern}', {'CSVWithNames' if is_csv else 'Parquet'}, '{columns}')"
key = "xxh3(user_id)" if "--hash-keys" in options else "user_id"
queries = [ALL_AT_ONCE] if is_csv else [EVERYBODY, FUNNEL]
if "--without-users" in options:
    queries = [ROWS, FUNNEL]

answer = {"rows": None, "users": None, "steps": None}
for query in queries:
    answer |= json.loads(str(chdb.query(f"{query.format(log=log, key=key)} {SETTINGS}", "JSONEachRow")))
print(json.dumps(answer))
