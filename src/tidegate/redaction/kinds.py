"""The kinds that are known by their form, each as rules that look for it in one text.

Rather a word too many: what is taken out was not needed to find a fault. Every rule is linear in the text but for
what digits with separators cost (`digits.cards`): repeats end where what follows them begins.
"""

import re
from collections.abc import Callable
from typing import Final

from tidegate.redaction.digits import cards, identity_card

Rule = Callable[[str], tuple[str, int]]  # a text without what was looked for, and how often it was there
_LONG_TOKEN: Final = 24  # characters: no word

# Digits behind a point are the end of another number.
_ALONE: Final = r"(?<!\d)(?<!\d\.)"
_GAP: Final = r"[ \u00a0-]"

_NUMBER: Final = re.compile(r"\d(?:[ ().\u00a0-]{0,2}\d){9}")  # what is shorter is none of them
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}[@\uff20](?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z0-9-]{2,63}")
_PHONES: Final = (
    re.compile(
        rf"{_ALONE}(?:(?:\+|00)?86{_GAP}?)?[1\uff11][3-9\uff13-\uff19]\d(?:{_GAP}?\d{{4}}){{2}}(?!\d)"
    ),  # mobiles of China
    re.compile(r"(?<![\d+])\+\d(?:[ ().\u00a0-]{0,2}\d){7,14}(?!\d)"),  # E.164
    re.compile(rf"{_ALONE}(?:\(\d{{3}}\)[ .-]?|\d{{3}}[ .-])\d{{3}}[ .-]\d{{4}}(?!\d)"),  # North America
    re.compile(rf"{_ALONE}(?:\(0\d{{2,3}}\) ?|0\d{{2,3}}[ -])\d{{7,8}}(?!\d)"),  # landlines of China
)
_CARD_RUN: Final = re.compile(rf"{_ALONE}\d(?:{_GAP}?\d){{12,}}")
_IDENTITY: Final = re.compile(rf"{_ALONE}(?:\d{{17}}[\dXx]|\d{{15}})(?![\dA-Za-z])")

# Each begins with what no other word begins with, so that a text is searched for the first letters only.
_FORMS: Final = (
    r"sk-[A-Za-z0-9_-]{12,}",  # OpenAI, Anthropic (sk-ant-), DeepSeek, DashScope, Moonshot, OpenRouter
    r"[srp]k_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"tg[ak]_[A-Za-z0-9_-]{16,}",  # the gate's own: client keys and admin tokens
    r"gsk_[A-Za-z0-9]{20,}",  # Groq
    r"xai-[A-Za-z0-9_-]{20,}",
    r"pplx-[A-Za-z0-9]{20,}",
    r"hf_[A-Za-z0-9]{20,}",  # Hugging Face
    r"r8_[A-Za-z0-9]{20,}",  # Replicate
    r"nvapi-[A-Za-z0-9_-]{20,}",
    r"AIza[A-Za-z0-9_-]{30,}",  # Google
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"A(?:KIA|SIA)[A-Z0-9]{16}",  # AWS
    r"LTAI[A-Za-z0-9]{12,}",  # Alibaba Cloud
    r"AKID[A-Za-z0-9]{16,}",  # Tencent Cloud
    r"gh[opusr]_[A-Za-z0-9]{20,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"glpat-[A-Za-z0-9_-]{16,}",  # GitLab
    r"npm_[A-Za-z0-9]{20,}",
    r"pypi-[A-Za-z0-9_-]{20,}",
    r"xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack
    r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,2}",  # RFC 7519
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",  # RFC 7468
)  # fmt: skip
_SHAPES: Final = re.compile("|".join(_FORMS))
_SCHEME: Final = re.compile(r"\b(?:bearer|basic)[ \t]{1,4}([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"(?:api[_ -]?key|access[_-]?key|secret[_-]?key|private[_-]?key|client[_-]?secret|secret|token|password|passwd|pwd"
    r"|密码|口令|密钥)[\\\"'”’]{0,2}\s{0,3}[:=：\uff1d]\s{0,3}[\\\"'“‘]{0,2}([^\s\"'\\，。,;”’]{6,})",
    re.IGNORECASE,
)
_NAME: Final = re.compile(
    r"(?:.{0,40}[_-])?(?:api[_-]?key|access[_-]?key|secret|password|passwd|pwd|authorization"
    r"|(?:access|api|auth|bearer|refresh|session)[_-]?token)",
    re.IGNORECASE,
)
_ESCAPES: Final = "nrtbf"  # letters behind a backslash, in JSON within JSON


def email(text: str) -> tuple[str, int]:
    """Addresses of RFC 5322 as they are in use; not those with quotes or in other scripts."""
    if "@" not in text and "\uff20" not in text:
        return text, 0
    return _EMAIL.subn("[email]", text)


def phone(text: str) -> tuple[str, int]:
    """Numbers with a country's code, mobiles and landlines of China, and ten digits as North America writes them."""
    count = 0
    if _NUMBER.search(text) is None:
        return text, 0
    for form in _PHONES:
        text, more = form.subn("[phone]", text)
        count += more
    return text, count


def card(text: str) -> tuple[str, int]:
    """Payment cards, by their check digit."""
    count = 0
    if _NUMBER.search(text) is None:
        return text, 0

    def without(found: re.Match[str]) -> str:
        nonlocal count
        run = found[0]
        for start, end in reversed(cards(run)):
            run = f"{run[:start]}[card]{run[end:]}"
            count += 1
        return run

    return _CARD_RUN.sub(without, text), count


def identity(text: str) -> tuple[str, int]:
    """Numbers of residents of China, by their date of birth and check digit."""
    if _NUMBER.search(text) is None:
        return text, 0
    return _judged(_IDENTITY, text, "[id]", lambda found: identity_card(found[0]))


def secrets(text: str) -> tuple[str, int]:
    """Keys of known forms, what stands behind `Bearer` or `Basic`, and what a text itself calls a key or password."""
    text, shapes = _judged(_SHAPES, text, "[secret]", _begins)
    text, schemes = _judged(_SCHEME, text, "[secret]", lambda found: _looks_made(found[1]), group=1)
    text, named = _judged(_NAMED, text, "[secret]", lambda found: not found[1].startswith("["), group=1)
    return text, shapes + schemes + named


def is_secret_name(name: str) -> bool:
    """Is a member of this name a secret, whatever it looks like?"""
    return _NAME.fullmatch(name) is not None


# In the order in which they are applied: what has a check digit may look like what has none, and the longer goes first.
RULES: Final[dict[str, Rule]] = {
    "secrets": secrets, "email": email, "id": identity, "phone": phone, "card": card,
}  # fmt: skip


def _judged(
    form: re.Pattern[str], text: str, label: str, judge: Callable[[re.Match[str]], bool], group: int = 0
) -> tuple[str, int]:
    """Put `label` in the place of what has the form, or of one group of it, and passes."""
    count = 0

    def instead(found: re.Match[str]) -> str:
        nonlocal count
        if not judge(found):
            return found[0]
        count += 1
        start, end = found.start(group) - found.start(), found.end(group) - found.start()
        return f"{found[0][:start]}{label}{found[0][end:]}"

    return form.sub(instead, text), count


def _begins(found: re.Match[str]) -> bool:
    """Is it a word of its own, as none in `task-force` is? In JSON within JSON a line ends in the letter `n`."""
    at = found.start()
    before = found.string[at - 1 : at]
    if not (before.isascii() and before.isalnum()):
        return True
    return before in _ESCAPES and found.string[max(0, at - 2) : at - 1] == "\\"


def _looks_made(token: str) -> bool:
    """A word that chance has made, not one of a language."""
    return len(token) >= _LONG_TOKEN or any(sign.isdigit() for sign in token)
