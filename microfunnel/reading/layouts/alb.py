"""Amazon's application load balancer: words with spaces between, some of them quoted."""

from microfunnel.reading.layouts.declaration import Layout, Lines
from microfunnel.reading.layouts.web_requests import given, method_of_request, requests, target_of_request

QUOTED = r'(?:[^"\\]|\\.)*'
PATTERN = (
    r"^(?P<type>https?|h2|grpcs|wss?) (?P<answered>\S+) (?P<elb>\S+) (?P<ip>\S+):\d+ (?P<target>\S+) "
    r"(?:\S+ ){3}(?P<status>\S+) \S+ \S+ (?P<size>\S+) "
    rf'"(?P<request>{QUOTED})" "(?P<agent>{QUOTED})" \S+ \S+ \S+ "{QUOTED}" "{QUOTED}" "{QUOTED}" \S+ (?P<time>\S+) '
)

LAYOUTS = (
    Layout(
        name="alb",
        title="log of an AWS load balancer",
        values={
            # When the request came; the first time of a line is when its answer was done.
            "time": "time",
            "status": given("status"),
            **requests(
                address="ip",
                agent=given("agent"),
                method=method_of_request("request"),
                target=target_of_request("request"),
            ),
        },
        text=Lines(pattern=PATTERN),
    ),
)
