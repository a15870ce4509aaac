"""Model formulas, read by a parser of our own that can do arithmetic and nothing else.

A formula may hold column names, numbers, ``+ - * : ^ ( )`` and a closed list of functions; it is
parsed into a tree that `foedus.models.design` evaluates with numpy. No text is ever handed to
Python, so a formula from a stranger's study file cannot run code.

The algebra is R's: ``a*b`` is ``a + b + a:b``, ``(a + b)^2`` all products up to two, ``- 1`` or
``+ 0`` leaves the constant out, and inside a function's parentheses the signs are arithmetic.
``y ~ x | z`` has a second equation after the bar (inflation, selection, fixed effects), and
``y1 | y2 ~ x | z`` a second outcome too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from foedus.errors import UsageError, nearest

CONSTANT = "(Intercept)"
FUNCTIONS = (
    "log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs",
    "I", "C", "factor", "poly", "ns", "bs", "center", "scale", "offset",
)  # fmt: skip
"""Functions a formula may use."""

SETTINGS: dict[str, tuple[str, ...]] = {
    "poly": ("degree",),
    "ns": ("df", "knots", "boundary"),
    "bs": ("df", "knots", "degree", "boundary"),
}
"""Settings that functions take by name: numbers, or several as c(1, 4, 7)."""

DEEPEST = 200
"""Parentheses or powers a formula may hold: reading one nests no deeper than that."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|`(?P<quoted>[^`]+)`"
    r"|(?P<op>\*\*|==|!=|<=|>=|[-+*/^:(),~<>|=]))"
)
_PRECEDENCE = {"<": 1, ">": 1, "<=": 1, ">=": 1, "==": 1, "!=": 1, "+": 2, "-": 2, "*": 3, "/": 3}


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the closed list."""

    function: str
    arguments: tuple[Expression, ...]
    settings: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __str__(self) -> str:
        parts = [str(argument) for argument in self.arguments]
        for name, values in self.settings:
            said = ", ".join(f"{value:.15g}" for value in values)
            parts.append(f"{name} = {said if len(values) == 1 else f'c({said})'}")
        return f"{self.function}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two expressions and a sign between them; in parentheses where the text had them."""

    sign: str
    left: Expression
    right: Expression
    enclosed: bool = False

    def __str__(self) -> str:
        space = "" if self.sign in "^/:" else " "
        text = f"{self.left}{space}{self.sign}{space}{self.right}"
        return f"({text})" if self.enclosed else text


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus sign before an expression."""

    inner: Expression

    def __str__(self) -> str:
        return f"-{self.inner}"


Expression = Number | Name | Call | Arithmetic | Negative
Term = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula.

    Attributes
    ----------
    text : str
        As given.
    response : Expression
        The left side.
    terms : tuple of terms
        Each a tuple of factors (their text), shortest first, without the constant.
    factors : dict
        The expression of each factor.
    constant : bool
        Whether there is a constant.
    offsets : tuple of Expression
        Expressions added to the index with coefficient 1.
    others : tuple of Formula
        The equations after a ``|``, each with an outcome of its own where the left side has one
        for it, with the first outcome otherwise.
    """

    text: str
    response: Expression
    terms: tuple[Term, ...]
    factors: dict[str, Expression]
    constant: bool
    offsets: tuple[Expression, ...]
    others: tuple[Formula, ...] = ()

    def names(self) -> list[str]:
        """Return the columns used, in the order in which the formula names them."""
        seen: dict[str, None] = dict.fromkeys(self.own_names())
        for other in self.others:
            seen.update(dict.fromkeys(other.own_names()))
        return list(seen)

    def own_names(self) -> list[str]:
        """Return the columns that the first equation uses."""
        seen: dict[str, None] = dict.fromkeys(names_in(self.response))
        used = dict.fromkeys(factor for term in self.terms for factor in term)
        for factor in self.factors:
            if factor in used:
                seen.update(dict.fromkeys(names_in(self.factors[factor])))
        for offset in self.offsets:
            seen.update(dict.fromkeys(names_in(offset)))
        return list(seen)


def names_in(expression: Expression) -> Iterator[str]:
    """Yield the columns an expression uses, left to right."""
    if isinstance(expression, Name):
        yield expression.name
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from names_in(argument)
    elif isinstance(expression, Arithmetic):
        yield from names_in(expression.left)
        yield from names_in(expression.right)
    elif isinstance(expression, Negative):
        yield from names_in(expression.inner)


class _Reader:
    """Tokens of a formula, and recursive descent over them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        place, end = 0, len(text.rstrip())
        if text.count("(") > DEEPEST or text.count("^") + text.count("**") > DEEPEST:
            raise UsageError(f"a formula may hold at most {DEEPEST} parentheses and powers.")
        while place < end:
            match = _TOKEN.match(text, place)
            if match is None:
                raise self.error(f'"{text[place:].strip()[:1]}" may not stand in a formula')
            kind = str(match.lastgroup)
            value = match.group(kind)
            self.tokens.append(("op", "^") if value == "**" else (kind, value))
            place = match.end()

    def error(self, what: str) -> UsageError:
        shown = self.text if len(self.text) <= 200 else self.text[:200] + "..."
        return UsageError(
            f'formula "{shown}": {what}. A formula holds column names, numbers, + - * : ^ ( ) '
            f"and the functions {', '.join(FUNCTIONS)}."
        )

    def peek(self) -> str:
        """Return the next sign, or "" before a name, a number or the end."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "op":
            return self.tokens[self.at][1]
        return ""

    def take(self, sign: str) -> None:
        if self.peek() != sign:
            found = self.tokens[self.at][1] if self.at < len(self.tokens) else "the end"
            raise self.error(f'"{sign}" expected where "{found}" stands')
        self.at += 1

    def expression(self, lowest: int = 1) -> Expression:
        """Read arithmetic, by precedence."""
        left = self.unary()
        while (level := _PRECEDENCE.get(self.peek(), 0)) >= lowest:
            sign = self.peek()
            self.at += 1
            left = Arithmetic(sign, left, self.expression(level + 1))
        return left

    def unary(self) -> Expression:
        negative = False
        while self.peek() in ("-", "+"):
            negative ^= self.peek() == "-"
            self.at += 1
        inner = self.interaction()
        return Negative(inner) if negative else inner

    def interaction(self) -> Expression:
        """Read a:b, which binds tighter than * and looser than ^."""
        left = self.power()
        while self.peek() == ":":
            self.at += 1
            left = Arithmetic(":", left, self.power())
        return left

    def power(self) -> Expression:
        base = self.atom()
        if self.peek() == "^":
            self.at += 1
            exponent = Negative(self.atom()) if self._minus() else self.power()
            return Arithmetic("^", base, exponent)
        return base

    def _minus(self) -> bool:
        if self.peek() == "-":
            self.at += 1
            return True
        return False

    def atom(self) -> Expression:
        if self.peek() == "(":
            self.at += 1
            inner = self.expression()
            self.take(")")
            if isinstance(inner, Arithmetic):
                return Arithmetic(inner.sign, inner.left, inner.right, True)
            return inner
        if self.at >= len(self.tokens) or self.peek():
            raise self.error(f'a name or number is missing before "{self.peek() or "the end"}"')
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Number(float(value))
        if kind == "name" and self.peek() == "(":
            return self.call(value)
        return Name(value)

    def call(self, function: str) -> Call:
        if function not in FUNCTIONS:
            raise self.error(
                f'"{function}" is not a function of formulas. {nearest(function, FUNCTIONS)}'
            )
        self.take("(")
        arguments = [self.expression()]
        settings: dict[str, tuple[float, ...]] = {}
        while self.peek() == ",":
            self.at += 1
            if self.tokens[self.at + 1 : self.at + 2] == [("op", "=")]:
                name = self.setting_name(function, settings)
                settings[name] = self.numbers()
            else:
                arguments.append(self.expression())
        self.take(")")
        return self.checked_call(function, arguments, settings)

    def setting_name(self, function: str, settings: dict[str, tuple[float, ...]]) -> str:
        """Read ``name =`` before a setting's value."""
        name = self.tokens[self.at][1]
        known = SETTINGS.get(function, ())
        # R's own spelling of the boundary knots
        name = "boundary" if name == "Boundary.knots" else name
        if name not in known:
            raise self.error(f'{function} has no setting "{name}". {nearest(name, known)}')
        if name in settings:
            raise self.error(f"{function} has {name} twice")
        self.at += 2
        return name

    def numbers(self) -> tuple[float, ...]:
        """Read a number, or several as c(1, 4, 7)."""
        if self.tokens[self.at : self.at + 2] != [("name", "c"), ("op", "(")]:
            return (self.one_number(),)
        self.at += 2
        found = [self.one_number()]
        while self.peek() == ",":
            self.at += 1
            found.append(self.one_number())
        self.take(")")
        return tuple(found)

    def one_number(self) -> float:
        negative = self._minus()
        if self.at >= len(self.tokens) or self.tokens[self.at][0] != "number":
            raise self.error("a setting takes a number, or several as c(1, 4, 7)")
        value = float(self.tokens[self.at][1])
        self.at += 1
        return -value if negative else value

    def checked_call(
        self,
        function: str,
        arguments: list[Expression],
        settings: dict[str, tuple[float, ...]],
    ) -> Call:
        """Return a call whose arguments its function can take."""
        if function == "poly" and "degree" in settings and len(settings["degree"]) == 1:
            arguments = [*arguments, Number(settings.pop("degree")[0])]
        if len(arguments) != (2 if function == "poly" else 1):
            wanted = "a column and a degree" if function == "poly" else "one argument"
            raise self.error(f"{function} takes {wanted}")
        for name, values in settings.items():
            several = {"knots": len(values), "boundary": 2}.get(name, 1)
            if len(values) != several:
                raise self.error(f"{function}: {name} takes {several} number(s)")
        return Call(function, tuple(arguments), tuple(settings.items()))


class _Expander:
    """Turns the right side's tree into terms."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.factors: dict[str, Expression] = {}
        self.offsets: list[Expression] = []
        self.constant = True

    def expand(self, tree: Expression, top: bool = True) -> list[Term]:
        if isinstance(tree, Number):
            return self.number(tree, top, present=True)
        if isinstance(tree, Name):
            return self.factor(tree)
        if isinstance(tree, Call):
            if tree.function == "offset":
                self.offsets.append(tree.arguments[0])
                return []
            return self.factor(tree)
        if isinstance(tree, Negative):
            if isinstance(tree.inner, Number):
                return self.number(tree.inner, top, present=False)
            raise self.reader.error(f"there is nothing to take {tree.inner} from")
        return self.algebra(tree, top)

    def factor(self, tree: Name | Call) -> list[Term]:
        self.factors.setdefault(str(tree), tree)
        return [(str(tree),)]

    def number(self, tree: Number, top: bool, present: bool) -> list[Term]:
        if not top or tree.value not in (0.0, 1.0):
            raise self.reader.error(f"{tree} is not a term; write arithmetic inside I()")
        self.constant = (tree.value == 1.0) == present
        return []

    def algebra(self, tree: Arithmetic, top: bool) -> list[Term]:
        if tree.sign in "+-":
            return self.sum(tree, top)
        if tree.sign == "^":
            return self.powers(tree)
        if tree.sign in "*:":
            left, right = self.expand(tree.left, False), self.expand(tree.right, False)
            crossed = [_union_term(a, b) for a, b in product(left, right)]
            return _union([], crossed) if tree.sign == ":" else _union(_union(left, right), crossed)
        raise self.reader.error(f'"{tree.sign}" joins no terms; write arithmetic inside I()')

    def sum(self, tree: Arithmetic, top: bool) -> list[Term]:
        """Add and take away terms from left to right (a loop: sums may be very long)."""
        steps: list[tuple[str, Expression]] = []
        first: Expression = tree
        while isinstance(first, Arithmetic) and first.sign in "+-":
            steps.append((first.sign, first.right))
            first = first.left
        seen = {frozenset(term): term for term in self.expand(first, top)}
        for sign, right in reversed(steps):
            if sign == "-" and isinstance(right, Number):
                self.number(right, top, present=False)
                continue
            for term in self.expand(right, top and sign == "+"):
                if sign == "+":
                    seen.setdefault(frozenset(term), term)
                else:
                    seen.pop(frozenset(term), None)
        return list(seen.values())

    def powers(self, tree: Arithmetic) -> list[Term]:
        degree = tree.right.value if isinstance(tree.right, Number) else 0.0
        if degree not in (1.0, 2.0, 3.0, 4.0):
            raise self.reader.error("terms can be raised to 1, 2, 3 or 4; for numbers use I(x^2)")
        base = self.expand(tree.left, False)
        terms = base
        for _ in range(int(degree) - 1):
            crossed = [_union_term(a, b) for a, b in product(terms, base)]
            terms = _union(terms, crossed)
        return terms


def _union(left: list[Term], right: list[Term]) -> list[Term]:
    seen: dict[frozenset[str], Term] = {}
    for term in [*left, *right]:
        seen.setdefault(frozenset(term), term)
    return list(seen.values())


def _union_term(a: Term, b: Term) -> Term:
    return tuple(dict.fromkeys((*a, *b)))


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        ``outcome ~ term + term``.

    Returns
    -------
    Formula
        Its outcome and terms.

    Raises
    ------
    UsageError
        If the text holds anything but names, numbers, signs and functions of the closed list.
    """
    reader = _Reader(text)
    try:
        return _parsed(reader)
    except RecursionError:
        raise reader.error("it is nested too deeply") from None


def _parsed(reader: _Reader) -> Formula:
    if sum(token == ("op", "~") for token in reader.tokens) != 1:
        raise reader.error('there must be one "~" between the outcome and the terms')
    outcomes = _between_bars(reader)
    reader.take("~")
    trees = _between_bars(reader)
    if reader.at != len(reader.tokens):
        raise reader.error(f'"{reader.tokens[reader.at][1]}" stands where a sign should')
    # y1 | y2 ~ x has both outcomes on the same terms
    trees += trees[-1:] * (len(outcomes) - len(trees))
    outcomes += outcomes[:1] * (len(trees) - len(outcomes))
    first, *others = (
        _equation(reader, outcome, tree) for outcome, tree in zip(outcomes, trees, strict=True)
    )
    return replace(first, others=tuple(others))


def _between_bars(reader: _Reader) -> list[Expression]:
    """Read the expressions that ``|`` sets apart."""
    found = [reader.expression()]
    while reader.peek() == "|":
        reader.at += 1
        found.append(reader.expression())
    return found


def _equation(reader: _Reader, response: Expression, tree: Expression) -> Formula:
    expander = _Expander(reader)
    terms = sorted(expander.expand(tree), key=len)
    if not terms and not expander.constant:
        raise reader.error("there are no terms")
    return Formula(
        reader.text,
        response,
        tuple(terms),
        expander.factors,
        expander.constant,
        tuple(expander.offsets),
    )


def parse_expression(text: str) -> Expression:
    """Read one expression (arithmetic, a comparison, a function of the closed list).

    Parameters
    ----------
    text : str
        Such as ``defense == 1`` or ``log(t + 1)``.

    Returns
    -------
    Expression
        Its tree.

    Raises
    ------
    UsageError
        If the text is anything else.
    """
    reader = _Reader(text)
    try:
        tree = reader.expression()
    except RecursionError:
        raise reader.error("it is nested too deeply") from None
    if reader.at != len(reader.tokens):
        raise reader.error(f'"{reader.tokens[reader.at][1]}" stands where a sign should')
    return tree
