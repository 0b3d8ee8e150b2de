"""Which funnel is proposed for which log, and that the proposed goals file counts as it is."""

import random
import re
from pathlib import Path

import polars as pl
import program
import pytest
from inspections import inspected, proposed, steps, write_log
from reports import HOSTILE

from microfunnel import partitions
from microfunnel.inspecting import groups, proposing
from microfunnel.inspecting.inspection import Survey
from microfunnel.proposals import Act, Proposal
from microfunnel.reading.goals_file import read_goals
from microfunnel.rendering import goals_yaml

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data" / "events.csv"
REAL = ROOT.parent / "shared" / "data"
SHOP = ["product_view", "add_to_cart", "checkout_start", "purchase"]


def planted(path: list[str], noise: list[str], *, users: int = 900, seed: int = 1) -> list[list[str]]:
    """Lives of users who go this way, fewer at each step, with noise at any moment."""
    chance = random.Random(seed)
    lives = []
    for _ in range(users):
        life: list[str] = []
        for step in path:
            life += chance.sample(noise, k=chance.randint(0, min(1, len(noise))))
            life.append(step)
            if chance.random() < 0.65:
                break
        lives.append(life)
    return lives


# --- the funnel -------------------------------------------------------------------------------------------------------


def test_the_sample_has_the_funnel_of_a_shop() -> None:
    found = proposed(SAMPLE)
    assert steps(found) == SHOP
    assert found.steps[-1] == Act("purchase", is_pattern=False, events=489, users=455, money="revenue")
    assert found.by is not None
    assert found.by.field == "device"
    assert {"search", "wishlist_add", "newsletter_signup", "share"} <= {act.event for act in found.others}
    assert "payment_error" not in {act.event for act in found.others}


@pytest.mark.parametrize("path", [["a1", "b2", "c3"], ["q", "w", "e", "r"], ["x", "y"]])
def test_a_planted_path_is_found_whatever_its_events_are_called(path: list[str], tmp_path: Path) -> None:
    log = write_log(tmp_path / "events.csv", planted(path, [f"n{n}" for n in range(9)]))
    assert steps(proposed(log)) == path


@pytest.mark.parametrize(
    "end", ["purchase", "Order Completed", "sign_up", "bestellung", "inscription", "generate_lead"]
)
def test_words_of_an_end_speak_for_it(end: str, tmp_path: Path) -> None:
    lives = [
        ["view", "basket", end, "read_mail"] if n % 9 == 0 else ["view", "basket"][: 1 + n % 2] for n in range(300)
    ]
    assert steps(proposed(write_log(tmp_path / "events.csv", lives))) == ["view", "basket", end]


def test_errors_and_signs_of_life_are_neither_ends_nor_steps(tmp_path: Path) -> None:
    beside = ["page_view", "session_start", "heartbeat", "scroll"]
    lives = [
        [*beside, *life, *(["payment_error"] if n % 50 == 0 else [])]
        for n, life in enumerate(planted(["a", "b", "c"], []))
    ]
    found = proposed(write_log(tmp_path / "events.csv", lives))
    assert steps(found) == ["a", "b", "c"]
    assert found.others == ()


def test_a_view_of_any_page_is_a_step_where_there_is_no_other(tmp_path: Path) -> None:
    lives = [["page_view", "purchase"] if n % 10 == 0 else ["page_view"] for n in range(200)]
    assert steps(proposed(write_log(tmp_path / "events.csv", lives))) == ["page_view", "purchase"]


def test_a_funnel_has_five_steps_at_most(tmp_path: Path) -> None:
    path = [f"s{n}" for n in range(9)]
    lives = [path[: 1 + min(8, n // 10)] for n in reversed(range(100))]
    found = steps(proposed(write_log(tmp_path / "events.csv", lives)))
    assert len(found) == 5
    assert found == sorted(found)
    assert found[-1] == "s8"


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    head, *rows = SAMPLE.read_text().splitlines()
    random.Random(3).shuffle(rows)
    shuffled = tmp_path / "events.csv"
    shuffled.write_text("\n".join([head, *rows, ""]))
    assert proposed(shuffled) == proposed(SAMPLE)


def test_many_paths_of_one_beginning_are_one_goal(tmp_path: Path) -> None:
    teas = ["assam", "darjeeling", "sencha", "oolong", "mate"]
    lives = [
        ["GET /"] if n % 4 == 1 else ["GET /", f"GET /shop/{teas[n % 5]}", *(["POST /order"] if n % 8 == 0 else [])]
        for n in range(200)
    ]
    found = proposed(write_log(tmp_path / "events.csv", lives))
    assert steps(found)[-2:] == ["GET /shop/*", "POST /order"]
    assert found.steps[-2].is_pattern


@pytest.mark.parametrize("pattern", [False, True])
def test_the_ways_of_some_users_tell_those_of_all(
    pattern: bool,  # noqa: FBT001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = write_log(
        tmp_path / "events.csv", planted(["look", "want", "have"], [f"n{n}" for n in range(9)], users=3_000)
    )
    if pattern:
        # Users want one of ten things; one of them wants two, and is one user all the same.
        text = re.sub(r'(?m)^(u\d*(\d),.*)"want"', r'\1"/shop/\2"', log.read_text())
        log.write_text(text + 'u1,2026-10-09,"/shop/1"\nu1,2026-10-09,"/shop/2"\n')
    whole = proposed(log)
    wanting = {line.split(",")[0] for line in log.read_text().splitlines() if "want" in line or "/shop/" in line}
    assert [act.users for act in whole.steps][1:] == [len(wanting), log.read_text().count("have")]
    monkeypatch.setattr(partitions, "DIVIDED", 100)
    monkeypatch.setattr(partitions, "COUNTED", 1_000_000)
    monkeypatch.setattr(groups, "SOME_USERS", 500)
    looked_at: list[pl.DataFrame] = []

    def spied(survey: Survey, found: groups.Groups) -> list[pl.DataFrame]:
        looked_at.extend(groups.firsts_of_some(survey, found))
        return looked_at

    monkeypatch.setattr(proposing, "firsts_of_some", spied)
    assert proposed(log) == whole
    assert len(looked_at) > 1
    assert 500 <= sum(part["user"].n_unique() for part in looked_at) < 1_000


@pytest.mark.parametrize(
    ("lives", "why"),
    [
        ([["only"]] * 5, "all events have the same name"),
        ([["a"], ["b"], ["c"]], "no event is rare and late"),
        ([["a", "b", "a"]], "all events are of one user"),
        ([["heartbeat", "scroll"]] * 9, "no event is rare and late"),
    ],
)
def test_a_log_without_a_path_gets_one_goal_and_the_reason(lives: list[list[str]], why: str, tmp_path: Path) -> None:
    log = write_log(tmp_path / "events.csv", lives)
    found = proposed(log)
    assert len(found.steps) == 1
    assert found.why_no_funnel is not None
    assert found.why_no_funnel.startswith(why)
    counted(tmp_path, log)


@pytest.mark.parametrize("rows", ["", "ann,1970-01-01T00:00:00Z,view\n", "ann,2026-10-01,\n"])
def test_a_log_without_an_event_that_can_be_used_gets_a_file_that_says_so(rows: str, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(f"user_id,timestamp,event\n{rows}", encoding="utf-8")
    found = proposed(tmp_path / "events.csv")
    assert (found.steps, found.others, found.why_no_funnel) == ((), (), "there are no events")
    made = program.run(tmp_path, "init", "events.csv", "-o", "made.yaml")
    assert (made.returncode, made.stderr) == (0, b"")
    assert read_goals(tmp_path / "made.yaml").goals["anything"].match == "any"


# --- the file ---------------------------------------------------------------------------------------------------------


def counted(folder: Path, log: Path, *options: str) -> str:
    """The proposed goals file, once `validate` and `run` have taken it as it is."""
    made = program.run(folder, "init", str(log), "-o", "made.yaml", "--force", *options)
    assert (made.returncode, made.stdout, made.stderr) == (0, b"", b"")
    for arguments in (("validate", "made.yaml"), ("run", str(log), "--goals", "made.yaml")):
        done = program.run(folder, *arguments)
        assert (done.returncode, done.stderr) == (0, b""), done.stdout
    return (folder / "made.yaml").read_text(encoding="utf-8")


def test_the_file_for_the_sample_counts_as_it_is(tmp_path: Path) -> None:
    text = counted(tmp_path, SAMPLE)
    assert "  columns: {user: user_id, time: timestamp, event: event, session: session_id}\n" in text
    assert "match: {event: add_to_cart}}     # 1,039 of 3,700 users (28.1 %), 1,516 events\n" in text
    assert "  purchase: {kind: macro, match: {event: purchase}, value: {column: revenue}}\n" in text
    goals = read_goals(tmp_path / "made.yaml")
    assert [step.label for step in goals.funnels["to_purchase"].steps] == SHOP
    assert {goal.kind for goal in goals.goals.values()} == {"macro", "milestone", "secondary"}


def test_how_the_files_are_read_is_said_in_the_file(tmp_path: Path) -> None:
    log = tmp_path / "events.csv"
    log.write_bytes("user_id|timestamp|event\na|2026-10-01|café\nb|2026-10-02|b\n".encode("latin-1"))
    text = counted(tmp_path, log, "--encoding", "latin-1", "--delimiter", "|")
    assert '  delimiter: "|"\n  encoding: latin-1\n' in text
    assert "cafe: {kind:" in text


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\ud800" not in text])
def test_hostile_names_are_quoted_and_mean_themselves(text: str, tmp_path: Path) -> None:
    act = Act(text or "x", is_pattern=False, events=3, users=2)
    proposal = Proposal((Act("a", is_pattern=False, events=3, users=3), act), (), "7d", None)
    found = inspected(SAMPLE)
    path = tmp_path / "goals.yaml"
    path.write_text(goals_yaml.render(found, proposal, {}, None), encoding="utf-8")
    goals = read_goals(path)
    assert [goal.match.fields["event"] for goal in goals.goals.values()][-1] == (text or "x")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("Add to Cart", "add_to_cart"),
        ("orderCompleted", "order_completed"),
        ("GET /shop/*", "shop"),
        ("POST /order", "post_order"),
        ("GET /", "front_page"),
        ("$pageview", "pageview"),
        ("Straße gewählt", "strasse_gewahlt"),
        ("注文", "goal"),
        ("true", "true_event"),
        ("404", "event_404"),
    ],
)
def test_names_of_goals_are_made_of_names_of_events(event: str, name: str) -> None:
    assert goals_yaml.slug(event) == name


@pytest.mark.parametrize(
    "text", ["true", "no", "~", " a", "a ", "a: b", "a #b", "- a", "[a", "1", "'", '"', "\\", "é", "\x85", "𐀀"]
)
def test_any_text_stays_itself_in_yaml(text: str, tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    body = f"version: 1\ngoals: {{a: {{kind: macro, match: {{event: {goals_yaml.text_of(text)}}}}}}}\n"
    path.write_text(body, encoding="utf-8")
    assert read_goals(path).goals["a"].match.fields["event"] == text  # type: ignore[union-attr]


def test_a_file_that_is_there_is_not_replaced_without_force(tmp_path: Path) -> None:
    program.lay_out(tmp_path)
    done = program.run(tmp_path, "init", "events.csv", "-o", "goals.yaml")
    assert done.returncode == 4
    assert done.stderr.decode() == "goals.yaml: is there already\nhint: choose another name, or replace it (--force)\n"
    assert (tmp_path / "goals.yaml").read_text() == program.GOALS
    assert program.run(tmp_path, "init", "events.csv", "-o", "events.csv", "--force").returncode == 4
    assert program.run(tmp_path, "init", "events.csv", "-o", "goals.yaml", "--force").returncode == 0
    assert (tmp_path / "goals.yaml").read_text() != program.GOALS


def test_an_export_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("who,timestamp,event\nann,2026-10-01,seen\n")
    done = program.run(tmp_path, "init", "events.csv")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"hint: say in the goals file which columns hold them: events: {columns: {user: ...}}" in done.stderr


# --- real exports -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.is_dir(), reason="the real exports are not on this machine")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ecom.csv.gz", ["product_view", "add_to_cart", "cart", "payment_details", "purchase"]),
        ("clique_bait_events.csv.gz", ["Page View", "Add to Cart", "Purchase"]),
        ("ga4_events.parquet", ["page_view", "purchase"]),
        ("access.log.gz", None),
        ("github_events.ndjson.gz", None),
        ("github_events.parquet", None),
    ],
)
def test_real_exports_get_a_file_that_counts_as_it_is(name: str, found: list[str] | None, tmp_path: Path) -> None:
    assert found is None or steps(proposed(REAL / name)) == found
    counted(tmp_path, REAL / name)
