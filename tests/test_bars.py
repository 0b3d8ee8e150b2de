import pytest

from microfunnel.rendering.bars import bar, block, lost


@pytest.mark.parametrize(
    ("share", "blocks", "ascii_blocks"),
    [
        (0.0, "", ""),
        (1e-9, "▏", "#"),
        (0.25, "██", "##"),
        (0.3, "██▍", "##"),
        (0.5, "████", "####"),
        (0.9999, "███████▉", "#######"),
        (1.0, "████████", "########"),
    ],
)
def test_a_bar_is_never_empty_for_some_nor_full_for_most(share: float, blocks: str, ascii_blocks: str) -> None:
    assert bar(share, 8, unicode=True) == blocks
    assert bar(share, 8, unicode=False) == ascii_blocks


def test_the_lost_part_ends_where_the_bar_before_ended() -> None:
    assert bar(0.4, 8, unicode=True) + lost(0.4, 1.0, 8, unicode=True) == "███▎░░░░"
    assert bar(0.1, 8, unicode=True) + lost(0.1, 0.4, 8, unicode=True) == "▊░░░"
    assert bar(0.4, 8, unicode=False) + lost(0.4, 1.0, 8, unicode=False) == "###....."


def test_the_worst_loss_is_denser() -> None:
    assert lost(0.5, 1.0, 8, unicode=True, worst=True) == "▒▒▒▒"
    assert lost(0.5, 1.0, 8, unicode=False, worst=True) == "::::"


def test_nothing_lost_leaves_no_mark() -> None:
    assert lost(0.5, 0.5, 8, unicode=True) == ""
    assert lost(0.5, 0.0, 8, unicode=True) == ""


@pytest.mark.parametrize("width", [1, 2, 8, 31])
@pytest.mark.parametrize("unicode", [True, False])
def test_bars_grow_with_the_share_and_stay_in_their_width(width: int, *, unicode: bool) -> None:
    lengths = [len(bar(share / 100, width, unicode=unicode)) for share in range(101)]
    assert lengths == sorted(lengths)
    assert lengths[-1] == width


@pytest.mark.parametrize(
    ("value", "blocks", "ascii_blocks"),
    [(None, " ", " "), (0.0, "▁", "_"), (1e-9, "▂", "."), (0.1, "▅", "="), (0.1999, "▇", "%"), (0.2, "█", "#")],
)
def test_a_block_is_lowest_for_nothing_and_full_for_the_highest(
    value: float | None, blocks: str, ascii_blocks: str
) -> None:
    assert block(value, 0.2, unicode=True) == blocks
    assert block(value, 0.2, unicode=False) == ascii_blocks


def test_where_all_is_nothing_every_block_is_lowest() -> None:
    assert block(0.0, 0.0, unicode=True) == "▁"
