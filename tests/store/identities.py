"""What tests of identity use."""

from tidegate.model.entitlements import Allowance, ClientKey

ALLOWANCE = Allowance(rpm=60, tpm=1_000, concurrent=2, tokens_day=5, nano_day=1, nano_month=2)


def key(name: str, number: int = 0, user: str = "") -> ClientKey:
    return ClientKey(
        name, bytes([number]) * 32, user=user, models=("gpt-4o",), addresses=("10.0.0.0/8",), signing="optional",
        signing_key=b"s" * 32, expires_us=9, allowance=ALLOWANCE,
    )  # fmt: skip
