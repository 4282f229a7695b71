"""What lies close together and is not the same does not pass; what is the same in other words often does."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.caching.lexical import MORE, differs

HERE = Path(__file__).parent
WORDS = st.lists(
    st.sampled_from(
        [
            *[
                "how",
                "do",
                "i",
                "can",
                "the",
                "cat",
                "not",
                "5",
                "10",
                "kg",
                "buy",
                "sell",
                "from",
                "to",
                "before",
                "Paris",
                "Rome",
                "get_user",
            ],
            *"怎么不能开关花从到三",
        ]
    ),
    max_size=9,
).map(" ".join)


def opposites(name: str) -> list[tuple[str, str, str]]:
    with (HERE / f"polarity_{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["kind"], row["text_a"], row["text_b"]) for row in rows]


@pytest.mark.parametrize("name", ["en", "zh"])
def test_the_polarity_set_is_refused(name: str) -> None:
    """Of pairs that look alike and mean different things none passes, whatever the similarity, in neither order."""
    pairs = opposites(name)
    assert len(pairs) > 250
    assert [(a, b) for _, a, b in pairs if differs(a, b) in {"", MORE} or differs(b, a) in {"", MORE}] == []


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("How do I reset my password?", "how can i reset the password"),
        ("What is the best way to learn Python?", "How can I learn Python?"),
        ("What's the capital of France?", "What is the capital of France"),
        ("How do you poach an egg?", "How do you poach eggs?"),
        ("Please tell me how to renew a passport", "How do I renew my passport?"),
        ("How do I repair a bicycle?", "How can I fix a bicycle?"),
        ("Which phone is best under 15k?", "What phone is best under 15,000?"),
        ("怎么修改密码", "如何更改密码？"),
        ("请问怎样才能取消订单", "订单怎么取消"),
        ("为什么不能登录", "为什么登录不了"),
        ("花多少钱", "花 多少 钱？"),
        ("有没有会员价", "有会员价吗"),
        ("关了以后多久能恢复", "关闭后什么时候可以恢复"),
        ("怎么关闭了", "为什么关了"),
        ("我想取消订单", "怎么取消订单"),
        ("为什么认证失败", "为何认证不成功"),
        ("咨询下上个月的账单在哪看", "上月的账单在哪里看"),
        ("找不到发票怎么回事", "为什么发票找不到了"),
        ("第一季度的收入是多少", "请问第一季度的收入是多少"),
    ],
)
def test_other_words_for_the_same_pass(a: str, b: str) -> None:
    """Articles, politeness, forms of a word, and the few synonyms that the lists know."""
    assert differs(a, b) == ""


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("Is it safe?", "Is it not safe?", "negation"),
        ("What is 5 kg?", "What is 6 kg?", "number"),
        ("洗头然后洗澡", "洗澡然后洗头", "order"),
        ("我可以访问你的资料吗", "你可以访问我的资料吗", "order"),
        ("我想取消订单", "可以取消订单吗", "question"),
        ("我想吃火锅", "怎么吃火锅", "question"),
        ("怎么关闭了", "怎么关闭", "question"),
        ("别人能看吗", "别看吗", "negation"),
        ("和他有关吗", "和他无关吗", "word"),
        ("登录失败怎么办", "登录成功怎么办", "negation"),
        ("这个月的账单", "上月的账单", "word"),
        ("密码和邮箱的一样吗", "密码和银行卡邮箱的一样吗", "word"),
        ("密码和邮箱的一样吗", "密码和新浪邮箱的一样吗", "word"),
        ("密码和邮箱的一样吗", "密码和公司邮箱的一样吗", MORE),
        ("What is 5 kg here?", "What is 5 g here?", "unit"),
        ("How do I turn it on?", "How do I turn it off?", "word"),
        ("Should I buy it?", "Should I sell it?", "polarity"),
        ("Where is Berlin located?", "Where is Bern located?", "name"),
        ("How do I call get_user?", "How do I call set_user?", "code"),
        ("Why don't cats like water?", "Why do cats not like water?", "order"),
        ("Is Python faster than Java?", "Is Java faster than Python?", "order"),
        ("When was it built?", "Where was it built?", "question"),
        ("Will the rate rise?", "Did the rate rise?", "time"),
        ("How are you?", "How is it?", "empty"),
        ("How do I cook rice?", "怎么煮米饭", "script"),
        ("как сварить рис", "how to cook rice", "script"),
        ("ご飯の炊き方", "米饭怎么煮", "script"),
        ("word " * 100, "words " * 90, "long"),
        ("What is the homeopathic treatment of asthma at night?", "What is the treatment of asthma at night?", MORE),
        ("What is the treatment of asthma without drugs?", "What is the treatment of asthma?", "negation"),
        ("What was the net revenue of the shop?", "What was the revenue of the shop?", "word"),
    ],
)
def test_it_says_what_differs(a: str, b: str, why: str) -> None:
    """One short word, the most telling kind of what differs."""
    assert differs(a, b) == why
    assert differs(b, a) == why


@given(WORDS, WORDS)
def test_it_does_not_matter_who_asked_first(a: str, b: str) -> None:
    """The gate is symmetric in what it lets pass."""
    assert (differs(a, b) == "") == (differs(b, a) == "")


@given(st.text(max_size=500))
def test_a_text_is_no_other_than_itself(text: str) -> None:
    """Whatever it is: also what could not be judged beside another one."""
    assert differs(text, text) == ""


@given(st.text(max_size=500), st.text(max_size=500))
def test_no_text_breaks_it(a: str, b: str) -> None:
    """Any two texts have an answer."""
    assert differs(a, b).isalpha() or not differs(a, b)


@given(WORDS.filter(bool), st.sampled_from(["not", "7", "without", "zorble"]))
def test_what_is_added_is_seen(text: str, word: str) -> None:
    """A negation, a number and a word that no list knows never go unnoticed."""
    assert differs(text, f"{text} {word}") != ""
