"""What one call will probably spend: held until it is known. In tokens, and in billionths of the house currency."""

from tidegate.model.outcome import Usage
from tidegate.policy.money import Rate, cost_nano, likely_nano
from tidegate.policy.tenant_limits.outlook import UNKNOWN, Outlook


class Ask:
    """What is hardly exceeded (`tokens`, `nano`), what is usual, and what it costs at least. Nobody changes one.

    Only the least can make a call impossible: an estimate is no reason for a permanent refusal.
    """

    __slots__ = ("_asked", "_least", "_makes", "_prices", "nano", "outlook", "output", "prompt", "tokens")

    def __init__(
        self, prompt: int, least: int, asked: int, outlook: Outlook | None, prices: tuple[Rate, ...], *, makes: bool
    ) -> None:
        """`prompt` tokens are expected and `least` certain; `asked`: `max_tokens`, 0 = not stated; `makes` output.

        `prices` are empty where money is not bounded, or its price unknown.
        """
        self._least = least
        self._asked = asked
        self._makes = makes
        self._prices = prices
        self.outlook = outlook
        self.prompt = prompt
        self.output = self.capped(UNKNOWN if outlook is None else outlook.upper())
        self.tokens = prompt + self.output
        self.nano = self.cost(self.output)

    def usual(self, *, money: bool) -> int:
        """What such calls usually come to; the prompt alone where nothing is known."""
        output = 0 if self.outlook is None else self.capped(self.outlook.usual())
        return self.cost(output) if money else self.prompt + output

    def least(self, *, money: bool) -> int:
        """Its prompt, at so many bytes a token as no text has; in money, as if all of it were cached."""
        if not money:
            return self._least
        plain, cached = Usage(self._least), Usage(self._least, 0, self._least)
        return min(cost_nano(self._prices, plain), cost_nano(self._prices, cached))

    def cost(self, output: int) -> int:
        """In money, with so many tokens of output."""
        return likely_nano(self._prices, self.prompt, output)

    def capped(self, output: int, made: int = 0) -> int:
        """So much output, as far as it may produce it; and at least what it has `made`."""
        if not self._makes:
            return made
        output = min(output, self._asked) if self._asked else output
        return output if output > made else made


REQUEST = Ask(0, 0, 0, None, (), makes=False)  # forwarded unread, or only counted: a request and no more
