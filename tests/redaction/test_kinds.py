"""What is known by its form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.bodies import KINDS
from tidegate.redaction.kinds import RULES, is_secret_name

MADE = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
FOUND = {
    "email": ["a@b.cn", "john.doe+tag@mail.example.co.uk", "o'neil_99%x@x-y.example", "李雷a@b.com", "a\uff20b.com"],
    "phone": [
        "13812345678", "138 1234 5678", "138-1234-5678", "+86 13812345678", "8613812345678", "0086-138-1234-5678",
        "１３８１２３４５６７８", "+1 (415) 555-2671", "+44 20 7946 0958", "+4915123456789", "(415) 555-2671",
        "415.555.2671", "010-12345678", "0755-87654321", "(021) 87654321",
    ],
    "card": ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005", "6200 0000 0000 0005"],
    "id": ["11010519491231002X", "440524188001010014", "440524800101001"],
    "secrets": [
        f"sk-{MADE}", f"sk-proj-{MADE}", f"sk-ant-api03-{MADE}", f"tgk_{MADE}", f"tga_{MADE}", f"gsk_{MADE}",
        f"xai-{MADE}", f"pplx-{MADE}", f"hf_{MADE}", f"r8_{MADE}", f"nvapi-{MADE}", f"AIza{MADE}", f"ya29.{MADE}",
        "AKIAIOSFODNN7EXAMPLE", f"LTAI{MADE}", f"AKID{MADE}", f"ghp_{MADE}", f"github_pat_{MADE}", f"glpat-{MADE}",
        f"npm_{MADE}", f"pypi-{MADE}", f"xoxb-{MADE}", f"sk_live_{MADE}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", f"eyJ{MADE}",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    ],
}  # fmt: skip
LEFT = {
    "email": ["a at b.com", "@decorator", "x@y", "user@localhost"],
    "phone": ["2024-11-22 10:30:00", "1700000000", "0.13812345678", "12813812345678901", "192.168.100.200"],
    "card": ["4111111111111112", "1234567890123456", "0.4111111111111111", "1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0"],
    "id": ["110105194912310021", "0.440524800101001", "123456789012345678901"],
    "secrets": [
        "task-management-system-in-brief", "risk-adjusted-returns", "Basic authentication", "bearer of good news",
        "the token is new", "password?", "skip-level", "total_tokens: 1234567",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
@pytest.mark.parametrize("around", ["%s", "before %s after", "：%s。", '\\"%s\\"', "x\n%s\n", "\\n%s\\n", "(%s)"])
def test_is_taken_out(kind: str, text: str, around: str) -> None:
    """Wherever it stands, all of it and nothing else."""
    if (kind, around) == ("email", "\\n%s\\n"):
        return  # the letter behind the backslash may be part of the address: see below
    label = {"secrets": "[secret]"}.get(kind, f"[{kind}]")
    told, count = RULES[kind](around % text)
    rest = "李雷" if text.startswith("李雷") else ""
    assert told == around % f"{rest}{label}"
    assert count == 1


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in LEFT.items() for text in texts])
def test_is_left(kind: str, text: str) -> None:
    """What only looks like it."""
    assert RULES[kind](text) == (text, 0)


def test_a_private_key_that_was_cut() -> None:
    """All that follows may be its own."""
    assert RULES["secrets"]("x -----BEGIN EC PRIVATE KEY-----\nMIIEpAIBAAKC\nabc") == ("x [secret]", 1)


def test_in_json_within_json_nothing_of_an_address_is_left() -> None:
    """Rather the letter of the line's end goes too."""
    assert RULES["email"]("\\njohn@example.com\\n") == ("\\[email]\\n", 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Authorization: Bearer abc123def456", "Authorization: Bearer [secret]"),
        ("basic dXNlcjpwYXNz1", "basic [secret]"),
        ("password=hunter22", "password=[secret]"),
        ("密码：hunter2200", "密码：[secret]"),
        ('{\\"api_key\\": \\"anything-goes\\"}', '{\\"api_key\\": \\"[secret]\\"}'),
        ("OPENAI_API_KEY=whatever and more", "OPENAI_API_KEY=[secret] and more"),
    ],
)
def test_what_a_text_calls_a_secret(text: str, told: str) -> None:
    """The name stays: it says what was there."""
    assert RULES["secrets"](text) == (told, 1)


@pytest.mark.parametrize(
    ("name", "secret"),
    [("password", True), ("api_key", True), ("X-Api-Key", True), ("access_token", True), ("token", False),
     ("max_tokens", False), ("content", False), ("secretary", False)],
)  # fmt: skip
def test_names_of_members(name: str, secret: bool) -> None:
    """`token` is what logprobs call a piece of a text."""
    assert is_secret_name(name) is secret


def test_every_kind_has_its_rule() -> None:
    """Those that a file may name are those that are applied."""
    assert RULES.keys() == set(KINDS)


@given(st.sampled_from(KINDS), st.text(st.characters(exclude_categories=("Cs",)), max_size=300))
def test_a_second_time_finds_nothing_else(kind: str, text: str) -> None:
    """What was taken out is gone, and the labels are nobody's."""
    once, _ = RULES[kind](text)
    assert RULES[kind](once)[1] == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "piece", ["1 ", "11 ", "a", "a@a-", "+1 (2", "-----BEGIN ", "token: ", "4111 1111 ", "sk-", "eyJ."]
)
def test_no_text_takes_long(kind: str, piece: str) -> None:
    """Whoever writes it; a rule that is not linear would not end within the test's time."""
    RULES[kind](piece * (30_000 // len(piece)))
