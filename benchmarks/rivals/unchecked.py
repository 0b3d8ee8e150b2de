"""microfunnel without its checks of lines and its look for doubtful events: what they cost is measured beside this."""

import sys
from dataclasses import replace

from microfunnel import analysis
from microfunnel.answering import Options
from microfunnel.edge import run_app
from microfunnel.events import EventTable
from microfunnel.goals import Goals
from microfunnel.questions import Period
from microfunnel.reading import events
from microfunnel.results import Report


def no_line_is_broken(_: object) -> bool:
    return False


analyse = analysis.analyse


def without_doubts(table: EventTable, goals: Goals, period: Period, options: Options) -> Report:
    return analyse(table, goals, period, replace(options, with_doubts=False))


def main() -> None:
    vars(events)["may_have_broken_lines"] = no_line_is_broken
    vars(analysis)["analyse"] = without_doubts
    sys.exit(run_app(sys.argv[1:], debug=False))


if __name__ == "__main__":
    main()
