"""Make the numbers of `foedus.models.passes._M`: Mills' ratio as a polynomial, in 60 digits.

    python tests/reference/mills_ratio.py

With R(a) = (1 - Phi(a)) / phi(a) and q = (a - 5) / (a + 5), (1 + a) R(a) is smooth in q from -1 to
1, that is in a from 0 to infinity. Its Chebyshev series (nodes of degree 60) to degree 23 leaves
some 4e-17; it is printed as powers of q. R is the series sqrt(pi / 2) exp(a^2 / 2) - a - a^3 / 3 -
a^5 / 15 - ... below 8, Laplace's continued fraction 1 / (a + 1 / (a + 2 / (a + ...))) above.
"""

from __future__ import annotations

from decimal import Decimal, getcontext

getcontext().prec = 60
DEGREE, NODES, CENTRE = 23, 61, Decimal(5)
TINY = Decimal(10) ** -58


def pi() -> Decimal:
    """Return pi by Machin's formula."""

    def arctan_of_inverse(x: int) -> Decimal:
        term, total, n = Decimal(1) / x, Decimal(1) / x, 1
        while abs(term) > TINY:
            term = -term / (x * x)
            n += 2
            total += term / n
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))


PI = pi()


def cos(x: Decimal) -> Decimal:
    """Return the cosine, by its series."""
    x %= 2 * PI
    term, total, n = Decimal(1), Decimal(1), 0
    while abs(term) > TINY:
        n += 2
        term = -term * x * x / (n * (n - 1))
        total += term
    return total


def mills(a: Decimal) -> Decimal:
    """Return (1 - Phi(a)) / phi(a)."""
    if a < 8:
        term, total, n = a, a, 1
        while term > TINY:
            n += 2
            term = term * a * a / n
            total += term
        return (PI / 2).sqrt() * (a * a / 2).exp() - total
    below = a
    for n in range(3000, 0, -1):
        below = a + n / below
    return 1 / below


def series() -> list[Decimal]:
    """Return the coefficients of Chebyshev's series of (1 + a) R(a) in q."""
    values = []
    for j in range(NODES):
        q = cos(PI * (j + Decimal("0.5")) / NODES)
        a = CENTRE * (1 + q) / (1 - q)
        values.append((1 + a) * mills(a))
    found = []
    for k in range(DEGREE + 1):
        total = sum(
            (v * cos(PI * k * (j + Decimal("0.5")) / NODES) for j, v in enumerate(values)),
            Decimal(0),
        )
        found.append(total * (1 if k == 0 else 2) / NODES)
    return found


def powers(terms: list[Decimal]) -> list[Decimal]:
    """Return a Chebyshev series as coefficients of powers."""
    before, current = [Decimal(1)], [Decimal(0), Decimal(1)]
    total = [Decimal(0)] * len(terms)
    for k, c in enumerate(terms):
        own = before if k == 0 else current
        for power, value in enumerate(own):
            total[power] += c * value
        if k >= 1:
            doubled = [Decimal(0), *(2 * value for value in current)]
            padded = before + [Decimal(0)] * (len(doubled) - len(before))
            before, current = current, [x - y for x, y in zip(doubled, padded, strict=True)]
    return total


def coefficients() -> tuple[float, ...]:
    """Return the numbers as they stand in the code."""
    return tuple(float(value) for value in powers(series()))


if __name__ == "__main__":
    for value in coefficients():
        print(repr(value))
