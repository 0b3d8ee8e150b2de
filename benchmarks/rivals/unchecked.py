"""microfunnel without its checks of lines and its look for doubtful events: what they cost is measured beside this."""

import sys
from functools import partial

from microfunnel import analysis
from microfunnel.edge import run_app
from microfunnel.reading import events


def no_line_is_broken(_: object) -> bool:
    return False


def main() -> None:
    vars(events)["may_have_broken_lines"] = no_line_is_broken
    vars(analysis)["analyse"] = partial(analysis.analyse, with_doubts=False)
    sys.exit(run_app(sys.argv[1:], debug=False))


if __name__ == "__main__":
    main()
