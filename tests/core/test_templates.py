"""Templates: the names that ranges of numbers stand for."""

from __future__ import annotations

from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidParameter
from app.core.templates import MAX_NAMES, expand, has_range, parse

TEXTS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=5)
RANGES = st.tuples(st.integers(0, 2000), st.integers(0, 30), st.integers(1, 12), st.integers(0, 6),
                   st.sampled_from((".", "..")))


@pytest.mark.parametrize(("template", "names"), [
    ("a{1..3}b", ["a1b", "a2b", "a3b"]),
    ("{0001..0020..10}", ["0001", "0011"]),
    ("t-{8..11}", ["t-8", "t-9", "t-10", "t-11"]),
    ("t-{08..11}", ["t-08", "t-09", "t-10", "t-11"]),
    ("__tst/test-{1000.1002}", ["__tst/test-1000", "__tst/test-1001", "__tst/test-1002"]),
    ("{0..1}/{7..8}.tar", ["0/7.tar", "0/8.tar", "1/7.tar", "1/8.tar"]),
    ("x{5..5}", ["x5"]),
    ("x{0..10..100}", ["x0"]),
])
def test_a_template_stands_for_its_names(template: str, names: list[str]) -> None:
    assert list(expand(template)) == names
    assert has_range(template)


@pytest.mark.parametrize("template", [
    "", "plain", "a{}", "a{1..}", "a{3..1}", "a{1..3..0}", "a{x..y}", "a{1..2}{", "a}{1..2}",
    "{{1..2}}", "a{-1..2}", "a{1...2}", "a{1..2,3}", "a{\u0661..\u0662}",
    "a{0..999999999999999999}", "a{0..99999999}", "{0..9999}{0..9999}",
    "{0..99999999999999999999999999}", "x" * 5000 + "{1..2}",
])
def test_what_is_no_template_is_refused_before_a_name_is_asked_for(template: str) -> None:
    with pytest.raises(InvalidParameter):
        expand(template)


def test_the_bound_is_the_number_of_names_not_that_of_digits() -> None:
    names = expand("{000000000000000001..900000000000000000..100000000000000000}")
    assert next(names) == "000000000000000001"
    assert parse(f"{{1..{MAX_NAMES}}}").total == MAX_NAMES


def test_names_are_made_as_they_are_asked_for() -> None:
    assert list(islice(expand(f"a{{1..{MAX_NAMES}}}", MAX_NAMES - 2), 5)) == [
        f"a{MAX_NAMES - 1}", f"a{MAX_NAMES}"]


@given(st.lists(RANGES, min_size=1, max_size=3), st.lists(TEXTS, min_size=4, max_size=4),
       st.integers(0, 100))
def test_every_template_stands_for_the_product_of_its_ranges(
    ranges: list[tuple[int, int, int, int, str]], texts: list[str], start: int,
) -> None:
    template, choices = texts[0], []
    for (first, more, step, width, dots), text in zip(ranges, texts[1:], strict=False):
        written = f"{first:0{width}d}" if width else str(first)
        template += f"{{{written}{dots}{first + more}{dots}{step}}}{text}"
        choices.append([str(number).zfill(len(written)) + text
                        for number in range(first, first + more + 1, step)])
    wanted = [texts[0] + "".join(one) for one in product(*choices)]
    assert list(expand(template)) == wanted
    assert list(expand(template, start)) == wanted[start:]
    assert parse(template).total == len(wanted)
