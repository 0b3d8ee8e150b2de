"""The sizes that --memory takes, and the ones that it does not."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.choice import LEAST_MEMORY, choose_memory
from microfunnel.errors import ExitCode, UsageError

UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("256MB", 256_000_000),
        ("512MB", 512_000_000),
        ("512mb", 512_000_000),
        ("512 MB", 512_000_000),
        ("300000kB", 300_000_000),
        ("256000000B", 256_000_000),
        ("1.5GB", 1_500_000_000),
        ("2GiB", 2_147_483_648),
        ("0.5tib", 549_755_813_888),
        ("300000KiB", 307_200_000),
        ("1000000TB", 10**18),
    ],
)
def test_a_size_is_so_many_bytes(size: str, expected: int) -> None:
    assert choose_memory(size) == expected


@examples(100)
@given(number=st.integers(256, 10**6), unit=st.sampled_from("MGT"), binary=st.booleans())
def test_units_are_powers(number: int, unit: str, *, binary: bool) -> None:
    expected = number * (1024 if binary else 1000) ** UNITS[unit]
    assert choose_memory(f"{number}{unit}{'i' * binary}B") == expected


NO_SIZES = ["", "512", "MB", "512M", "512K", "-512MB", "+512MB", "1e9B", "1,5GB", ".5GB", "5.GB", "512 XB", "512MBB"]
NO_SIZES += ["512MB\n", "512 \u212aB", "half", "NaNMB", "infGB", "512PB", "512MB 1GB"]


@pytest.mark.parametrize("size", NO_SIZES)
def test_what_is_no_size(size: str) -> None:
    with pytest.raises(UsageError, match=r"is no size, such as 512MB or 2GiB$") as caught:
        choose_memory(size)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("size", ["0MB", "255.9MB", "244MiB", "1B", "0.2GB"])
def test_too_little_is_refused(size: str) -> None:
    with pytest.raises(UsageError, match=r"is too little to work with; allow 256MB or more$"):
        choose_memory(size)


def test_a_number_without_end_is_taken_or_refused() -> None:
    with suppress(UsageError):
        assert choose_memory("9" * 400 + "TB") > LEAST_MEMORY
