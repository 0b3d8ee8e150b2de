"""Access logs of web servers: the common log format of Apache and nginx, and the combined one."""

from microfunnel.reading.layouts.declaration import Layout, Lines
from microfunnel.reading.layouts.web_requests import given, method_of_request, requests, target_of_request

QUOTED = r'(?:[^"\\]|\\.)*'
COMMON = (
    r"^(?:\S+:\d+ )?(?P<ip>\S+) \S+ (?P<login>.*?) \[(?P<time>[^\]]+)\] "
    rf'"(?P<request>{QUOTED})" (?P<status>\d{{3}}) (?P<size>\d+|-)'
)
TIME = {"time": "time", "status": "status", "size": given("size")}
TIME_FORMAT = "%d/%b/%Y:%H:%M:%S %z"
REQUEST = {"method": method_of_request("request"), "target": target_of_request("request")}

LAYOUTS = (
    Layout(
        name="clf",
        title="access log",
        values={**TIME, **requests(address="ip", agent=given("agent"), login=given("login"), **REQUEST)},
        time_format=TIME_FORMAT,
        text=Lines(pattern=rf"{COMMON}\s*$"),
    ),
    Layout(
        name="combined",
        title="combined access log",
        values={
            **TIME,
            **requests(address="ip", agent=given("agent"), login=given("login"), **REQUEST),
            "referer": given("referer"),
        },
        time_format=TIME_FORMAT,
        text=Lines(pattern=rf'{COMMON} "(?P<referer>{QUOTED})" "(?P<agent>{QUOTED})"'),
    ),
)
