"""How the gate reads a question."""

import pytest

from tidegate.policy.caching.reading import LONGEST, read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How do I learn Spanish?", ["learn", "spanish"]),
        ("I bought two books", ["buy", "#2", "book"]),
        ("It isn't 5kg, it's $1,000.50!", ["!not", "#5", "kg", "#1000.50", "usd"]),
        ("We can't; he won't", ["!not", "he", "!not"]),
        ("What's the GDP of the US in 2024", ["gdp", "usa", "#2024"]),
        ("Which IT jobs", ["^it", "job"]),
        ("grep -V foo.bar C++ get_user", ["grep", "-V", "foo.bar", "c++", "get_user"]),
        ("The 3rd of 20%", ["#3th", "#20", "percent"]),
        ("running runs cities boxes classes bus", ["run", "run", "city", "box", "class", "bus"]),
        ("怎么才能开通支付宝", ["开通", "支付宝"]),
        ("微信登录不了", ["微信", "!not", "登录"]),
        ("无法使用微信", ["!not", "微信"]),
        ("美团用不了", ["美", "团", "!not"]),
        ("怎么识别二维码", ["识别", "二维码"]),
        ("密码改了没有啊", ["密码", "修改"]),
        ("为什么密码没有", ["密码", "!not"]),
        ("麻烦您看下，我的密码忘了", ["查询", "下", "密码", "忘"]),
        ("用Python读3个文件", ["python", "读", "#3", "文", "件"]),
    ],
)
def test_what_must_agree(text: str, words: list[str]) -> None:
    """In order, in the form that all its forms are read as."""
    assert read(text).words == words


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("How can I do it now?", {"?how"}),
        ("Can I do it now?", {"~can", "~us"}),
        ("What will happen?", {"?what", "~will"}),
        ("Is it possible to park here?", {"~can"}),
        ("How many eggs did they eat?", {"?howmany", "~past"}),
        ("为什么要交税", {"?why"}),
        ("怎么不能交税", {"?why", "~can"}),
        ("什么时候可以交税", {"?when"}),
        ("必须交税吗", {"~must"}),
        ("多久能退税", {"?when"}),
        ("退税要多久", {"?howlong"}),
        ("什么时候会退税", {"?when"}),
        ("怎么退税了", {"?why"}),
        ("我想申请退税", {"?how"}),
        ("我想申请退税可以吗", {"~can"}),
    ],
)
def test_what_is_asked(text: str, marks: set[str]) -> None:
    """Question words, time and modality; how it can be done is how it is done."""
    assert read(text).marks == marks


@pytest.mark.parametrize(
    ("text", "why"),
    [("a" * (LONGEST + 1), "long"), ("как", "script"), ("カタカナ", "script"), ("", "empty"), ("is it?", "empty")],
)
def test_what_it_does_not_judge(text: str, why: str) -> None:
    """Too long, in a script that no list knows, or nothing in it."""
    assert read(text).why == why


def test_names_are_words_in_capitals_within_a_sentence() -> None:
    """Not the first word, and none where all is in capitals."""
    assert read("Does Alice like Rome?").names == {"alic", "rom"}
    assert read("DOES ALICE LIKE ROME?").names == set()
