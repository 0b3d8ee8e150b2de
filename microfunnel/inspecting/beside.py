"""What goes with a funnel: goals beside the way, what the end is worth, and what to split by."""

import re
from collections.abc import Sequence

from microfunnel.forms import Form
from microfunnel.inspecting.words import is_beside
from microfunnel.inspections import Property
from microfunnel.proposals import Act

MOST_OTHERS = 6
FREQUENT = 0.005
"""Of all users, those who do a goal beside the way."""
ON_IT = 0.5
"""Of the amounts of a field, those that stand on the end."""
SPLITS = (
    "device",
    "channel",
    "platform",
    "country",
    "source",
    "medium",
    "campaign",
    "plan",
    "variant",
    "os",
    "browser",
)
MOST_SEGMENTS = 50


def others(acts: Sequence[Act], taken: set[int], all_users: int) -> tuple[Act, ...]:
    """Goals beside the way: what enough users do, but not nearly all."""
    others = [
        act
        for place, act in enumerate(acts)
        if place not in taken and not is_beside(act.event) and FREQUENT * all_users <= act.users < all_users
    ]
    return tuple(sorted(others, key=lambda act: (-act.users, act.event))[:MOST_OTHERS])


def money_on(act: Act, properties: Sequence[Property]) -> str | None:
    """The field with amounts that stand mostly on this event: the fullest of them."""
    fitting = [
        (each.numbers_by_event[act.event], each)
        for each in properties
        if each.numbers * 2 >= each.filled and act.event in each.numbers_by_event
    ]
    on_it = [(n, each) for n, each in fitting if n >= ON_IT * sum(each.numbers_by_event.values())]
    best = max(
        on_it, key=lambda each: (each[0], "revenue" in each[1].field, -len(each[1].field), each[1].field), default=None
    )
    return None if best is None else best[1].field


def split(properties: Sequence[Property]) -> Property | None:
    """A field with few values that most events have, such as the device."""
    fitting = []
    for each in properties:
        name = each.field.casefold()
        word = next((place for place, word in enumerate(SPLITS) if word in re.split(r"[\W_]+", name)), None)
        if name.endswith("device.category"):
            word = -1
        few = 1 < each.different <= MOST_SEGMENTS
        if word is not None and few and each.filled * 2 >= each.rows and not _is_date(each):
            fitting.append((word, name.count("."), len(name), each.field, each))
    return min(fitting, key=lambda each: each[:4])[-1] if fitting else None


def _is_date(each: Property) -> bool:
    return all(re.match(r"\d{4}-\d\d", value.value) for value in each.commonest)


def people_only(forms: Sequence[Form]) -> dict[str, object] | None:
    """What leaves out robots, files of pages and failures, where the export is a log of requests that tells them."""
    tell = [form for form in forms if form.layout is not None and {"bot", "asset"} <= {*form.fields}]
    if not forms or len(tell) < len(forms):
        return None
    has_status = all("status" in form.fields for form in forms)
    return {"bot": "false", "asset": "false", **({"status": {"lt": "400"}} if has_status else {})}
