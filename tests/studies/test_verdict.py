"""The verdict rules, one line a case."""

from __future__ import annotations

import pytest

from foedus.studies.published import Published, read_published
from foedus.studies.targets import parse_target
from foedus.studies.verdict import Rebuilt, implied_error, verdict


def printed(
    text: str,
    quantity: str = "coefficient",
    se: float | None = None,
    n: int | None = None,
    significant: bool | None = None,
    ci: tuple[float | None, float | None] = (None, None),
) -> Published:
    value = {"+": 1.0, "-": -1.0, "0": 0.0}[text] if quantity == "direction" else float(text)
    return Published(
        table="T", model="1", term="x", quantity=quantity, text=text, estimate=value,
        std_error=se, n_obs=n, where_in_print="p. 1", maps_to="models.m.x",
        target=parse_target("models.m.x"), significant=significant, ci_low=ci[0], ci_high=ci[1],
    )  # fmt: skip


TESTED = [
    # printed, its SE, significant in print, rebuilt, rebuilt p, verdict
    ("-0.07", 0.06, False, -0.0749, 0.2, "exact"),
    ("-0.07", 0.06, False, -0.0651, 0.2, "exact"),
    ("-0.07", 0.06, False, -0.0751, 0.2, "close"),
    ("-0.07", 0.06, False, -0.1299, 0.2, "close"),
    ("-0.07", 0.06, False, -0.1301, 0.2, "agrees"),
    ("-0.07", 0.06, False, -0.1301, 0.01, "stronger"),
    ("-0.07", 0.06, False, -0.004, 0.9, "agrees"),  # a printed SE of 0.06 away: not close
    ("-0.07", 0.06, False, 0.01, 0.8, "null"),
    ("-0.07", 0.06, False, 0.2, 0.001, "contradicts"),
    ("0.50", 0.10, True, 0.55, 0.3, "close"),  # close before any look at p
    ("0.50", 0.10, True, 0.30, 0.3, "weaker"),
    ("0.50", 0.10, True, 0.30, 0.01, "agrees"),
    ("0.50", 0.10, True, 0.30, 0.05, "weaker"),  # p = .05 itself is not below .05
    ("0.01", 0.50, False, -0.1, 0.9, "null"),  # within an SE, but of the other sign
    ("0.50", None, None, 0.30, 0.01, "agrees"),  # print shows no test: taken as a finding
    ("0.50", None, None, 0.30, 0.30, "weaker"),
    ("4.89", 0.26, True, 4.885, 0.0, "exact"),  # a half may round either way
    ("1.2e1", None, True, 12.04, 0.0, "exact"),
    ("-1.3", 0.02, True, -1.2446, 0.0, "agrees"),
]


@pytest.mark.parametrize(("text", "se", "significant", "value", "p", "expected"), TESTED)
def test_with_a_test(
    text: str, se: float | None, significant: bool | None, value: float, p: float, expected: str
) -> None:
    found = verdict(printed(text, se=se, significant=significant), Rebuilt(value, 0.1, p))
    assert found == expected


RATIOS = [
    ("1.50", 0.2, 1.62, 0.01, "close"),
    ("1.50", 0.2, 1.10, 0.01, "agrees"),
    ("1.50", 0.2, 1.10, 0.40, "weaker"),
    ("1.50", 0.2, 0.80, 0.01, "contradicts"),
    ("0.50", 0.1, 1.20, 0.40, "null"),
]


@pytest.mark.parametrize(("text", "se", "value", "p", "expected"), RATIOS)
def test_ratios_are_signed_around_one(
    text: str, se: float, value: float, p: float, expected: str
) -> None:
    found = verdict(printed(text, "hazard_ratio", se, significant=True), Rebuilt(value, 0.1, p))
    assert found == expected


UNTESTED = [
    # quantity, printed, SE, n, interval, rebuilt, verdict
    ("count", "1482", None, None, (None, None), 1482.0, "exact"),
    ("count", "1482", None, None, (None, None), 1520.0, "close"),  # Poisson: sqrt(1482) = 38.5
    ("count", "1482", None, None, (None, None), 1521.0, "agrees"),
    ("count", "1482", None, None, (None, None), 1408.0, "agrees"),  # within 5 percent
    ("count", "1482", None, None, (None, None), 1394.0, "weaker"),
    ("count", "1482", None, None, (None, None), 1600.0, "stronger"),
    ("rate_percent", "50.0", None, 146, (None, None), 50.04, "exact"),
    ("rate_percent", "50.0", None, 146, (None, None), 54.1, "close"),  # binomial: 4.14
    ("rate_percent", "50.0", None, 146, (None, None), 54.2, "stronger"),
    ("rate_percent", "50.0", None, 146, (40.0, 60.0), 59.0, "agrees"),
    ("percent", "74.5", None, None, (None, None), 72.0, "agrees"),
    ("percent", "74.5", None, None, (None, None), 70.0, "weaker"),
    ("predicted_probability", "0.001738", None, 866864, (None, None), 0.00178, "close"),
    ("exponent", "1.53", 0.07, None, (None, None), 1.59, "close"),
    ("exponent", "1.53", 0.07, None, (None, None), 1.65, "agrees"),  # inside 1.96 printed SE
    ("exponent", "1.53", 0.07, None, (None, None), 1.68, "stronger"),
    ("value", "-9233.21", None, None, (None, None), -8916.85, "agrees"),
]


@pytest.mark.parametrize(("quantity", "text", "se", "n", "ci", "value", "expected"), UNTESTED)
def test_without_a_test(
    quantity: str, text: str, se: float | None, n: int | None,
    ci: tuple[float | None, float | None], value: float, expected: str,
) -> None:  # fmt: skip
    assert verdict(printed(text, quantity, se, n, ci=ci), Rebuilt(value)) == expected


DIRECTIONS = [
    ("-", -0.4, 0.01, "agrees"),
    ("-", -0.4, 0.30, "weaker"),
    ("-", 0.4, 0.01, "contradicts"),
    ("-", 0.4, 0.30, "null"),
    ("0", 0.4, 0.30, "agrees"),
    ("0", -0.4, 0.01, "stronger"),
]


@pytest.mark.parametrize(("text", "value", "p", "expected"), DIRECTIONS)
def test_directions(text: str, value: float, p: float, expected: str) -> None:
    assert verdict(printed(text, "direction"), Rebuilt(value, 0.1, p)) == expected


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_cannot_be_had_is_not_comparable(value: float | None) -> None:
    assert verdict(printed("1.0"), Rebuilt(value, reason="gone")) == "not comparable"


def test_implied_errors() -> None:
    assert implied_error(printed("100", "count")) == 10.0
    assert implied_error(printed("50", "percent", n=100)) == pytest.approx(5.0)
    assert implied_error(printed("0.5", "predicted_probability", n=100)) == pytest.approx(0.05)
    assert implied_error(printed("50", "percent")) is None


SIGNIFICANCE = [
    ({"p_value": "0.049"}, True),
    ({"p_value": "<.05"}, True),
    ({"p_value": "<0.001"}, True),
    ({"p_value": "<.10"}, False),
    ({"p_value": ">.05"}, False),
    ({"p_value": "0.05"}, False),
    ({"std_error": "0.5"}, True),
    ({"std_error": "0.52"}, False),
    ({"z": "-1.5"}, False),
    ({"ci_low": "-0.2", "ci_high": "2"}, False),
    ({"ci_low": "0.2", "ci_high": "2"}, True),
    ({}, None),
]


@pytest.mark.parametrize(("cells", "expected"), SIGNIFICANCE)
def test_side_of_print(cells: dict[str, str], expected: bool | None, tmp_path: object) -> None:
    from pathlib import Path

    from .conftest import published_text

    row = {"term": "x", "quantity": "coefficient", "estimate": "1.00", "maps_to": "models.m.x"}
    path = Path(str(tmp_path)) / "published.csv"
    path.write_text(published_text([{**row, **cells}]), encoding="utf-8")
    assert read_published(path, "published.csv")[0].significant is expected
