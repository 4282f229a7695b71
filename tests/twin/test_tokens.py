"""The twin's own counting."""

from toktok import batch_count


def test_tokens_are_those_of_a_real_bpe(tokenizer):
    """Text, Chinese, code, and the same again from memory."""
    texts = ["", "Hello, world!", "今天天气怎么样？", "def f(x):\n    return x ** 2\n", "x" * 10_000]
    assert tokenizer.count(texts) == tokenizer.count(texts) == sum(batch_count(texts, "o200k_base"))


def test_the_tokenizers_memory_is_bounded(tokenizer):
    """Ten thousand different texts do not stay."""
    tokenizer.count(f"text {number}" for number in range(10_000))
    assert len(tokenizer._memo) <= 4_096
