"""What was noticed of the events, as warnings."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from microfunnel.accounts import ReportWarning
from microfunnel.counting.repeats import Repeats
from microfunnel.goals import Goal, Goals
from microfunnel.matching import event_names_of
from microfunnel.trust.affected import Affected, affected
from microfunnel.trust.busy import BUSY, Suspect
from microfunnel.trust.daily import CutDay, Days, Run, Vanished
from microfunnel.trust.near_names import near_names, same_to_the_eye
from microfunnel.trust.noticing import Noticed
from microfunnel.trust.suspects import Suspects
from microfunnel.wording import quoted

LEAST_ROWS = 100
"""Shares of fewer rows say nothing."""
MANY = 20
"""Rows are many from a twentieth of all on."""
MANY_DUPLICATES = 1_000
"""Duplicates are from a thousandth on: now and then two rows are alike by chance."""
MOST_RUNS = 3
PLACEHOLDERS = {
    *("", "-", "--", "0", "-1", "null", "(null)", "none", "nil", "nan", "n/a", "na", "undefined", "unknown"),
    *("anonymous", "anon", "guest", "(not set)", "not set", "test", "00000000-0000-0000-0000-000000000000"),
}

Look = Callable[[Collection[str], Mapping[int, Suspect | None]], Suspects]
"""A second look at these event names and at the users (by key) of whom too little is known."""


def doubts(
    goals: Goals, named: Mapping[str, Goal], noticed: Noticed, repeats: Repeats, look: Look
) -> list[ReportWarning]:
    """The warnings of what was noticed; those about goals name them, the others are about the whole report.

    The events are looked at again only where an event name or a user is strange.
    """
    days = Days(noticed.days)
    vanished = days.vanished(noticed.events_by_day)
    near = near_names(noticed.names, named)
    seen = look({*near, *(each.event for each in vanished)}, noticed.busy if noticed.rows >= LEAST_ROWS else {})
    return [
        *_repeated(goals, repeats, are_dates=days.are_all),
        *_future(noticed),
        *_busy(goals, seen, noticed.rows),
        *_from_a_spreadsheet(noticed.spreadsheet_ids),
        *_empty(days.empty()),
        *map(_cut, days.cut()),
        *(_vanished(goals, each, seen.names[each.event]) for each in vanished if seen.names[each.event].columns),
        *(
            _near(goals, named, name, other, seen.names[name])
            for name, other in near.items()
            if not seen.names[name].columns
        ),
    ]


def _warning(code: str, message: str, whom: Affected) -> ReportWarning:
    return ReportWarning(code, message + whom.in_words(), whom.goals, whom.steps)


def _repeated(goals: Goals, repeats: Repeats, *, are_dates: bool) -> list[ReportWarning]:
    found = []
    if repeats.duplicates * MANY_DUPLICATES > repeats.rows and not are_dates:
        rows = "1 row stands" if repeats.duplicates == 1 else f"{repeats.duplicates:,} rows stand"
        doubled = affected(goals, [column for column, n in repeats.doubled.items() if n])
        found.append(
            _warning("duplicates", f"{rows} there twice, alike in all that counts, and counted twice", doubled)
        )
    tied = affected(goals, [column for column, n in repeats.tied.items() if n])
    share = f"{repeats.ties:,} of {repeats.rows:,} rows share user and"
    if are_dates and repeats.ties:
        message = f"times are dates alone: {share} day, and their order is not known"
        found.append(ReportWarning("ties", message, tied.goals, tied.steps))
    elif repeats.rows >= LEAST_ROWS and repeats.ties * MANY > repeats.rows:
        message = f"{share} time with another one, and their order is not known"
        found.append(ReportWarning("ties", message, tied.goals, tied.steps))
    return found


def _future(noticed: Noticed) -> list[ReportWarning]:
    if noticed.latest is None:
        return []
    rows = "1 row lies" if noticed.future == 1 else f"{noticed.future:,} rows lie"
    last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=noticed.latest)).date()
    message = f"{rows} in the future, up to {last}, so no window is open; leave them out with --as-of"
    return [ReportWarning("future", message)]


def _busy(goals: Goals, seen: Suspects, rows: int) -> Iterator[ReportWarning]:
    found = sorted(((user.rows, key) for key, user in seen.users.items()), reverse=True)
    yield from (_busy_user(goals, seen.users[key], rows) for n, key in found if n * BUSY > rows)


def _busy_user(goals: Goals, user: Suspect, rows: int) -> ReportWarning:
    who = "one user" if user.text is None else f"the user {quoted(user.text)}"
    placeholder = user.text is not None and user.text.strip().casefold() in PLACEHOLDERS
    what = "a placeholder, no user" if placeholder else "a bot, or an id that many share"
    whom = affected(goals, user.columns)
    message = f"{who} has {user.rows:,} of the {rows:,} rows: {what}?"
    return ReportWarning("busy_user", message, whom.goals, whom.steps)


def _from_a_spreadsheet(rows: int) -> list[ReportWarning]:
    if not rows:
        return []
    message = f"{rows:,} {'row has a user' if rows == 1 else 'rows have users'} such as `2.82E+18`"
    return [ReportWarning("spreadsheet_ids", f"{message}: a spreadsheet cut the ids, and made one user of many")]


def _empty(runs: Sequence[Run]) -> list[ReportWarning]:
    if not runs:
        return []
    more = len(runs) - MOST_RUNS
    shown = ", ".join(map(_span, runs[:MOST_RUNS])) + (f", and {more:,} more times" if more > 0 else "")
    return [ReportWarning("empty_days", f"no event at all {shown}")]


def _cut(day: CutDay) -> ReportWarning:
    moment, others = day.moment.strftime("%H:%M"), f"{day.others.seconds // 3600:02}:{day.others.seconds // 60 % 60:02}"
    if day.is_last:
        message = (
            f"the last day, {day.day}, ends at {moment} with {day.n:,} events; the others go on to {others} or later"
        )
    else:
        message = f"the first day, {day.day}, begins at {moment} with {day.n:,} events; the others by {others}"
    return ReportWarning("cut_day", message)


def _vanished(goals: Goals, event: Vanished, seen: Suspect) -> ReportWarning:
    message = f"no {quoted(event.event)} {_span(event.gone)}, but {seen.rows:,} on {event.days} other days"
    return _warning("vanished_event", message, affected(goals, seen.columns))


def _near(goals: Goals, named: Mapping[str, Goal], name: str, other: str, seen: Suspect) -> ReportWarning:
    listing = [column for column, goal in named.items() if other in (event_names_of(goal) or ())]
    rows = f"{seen.rows:,} {'row' if seen.rows == 1 else 'rows'}"
    unseen = " (they differ in characters that nobody sees)" if same_to_the_eye(name, other) else ""
    message = f"the event {quoted(name)} ({rows}) is not counted, but {quoted(other)} is{unseen}"
    return _warning("near_event", message, affected(goals, listing))


def _span(days: Run) -> str:
    return f"on {days[0]}" if days[0] == days[-1] else f"from {days[0]} to {days[-1]}"
