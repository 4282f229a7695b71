"""Scripts of these tests."""

from hashlib import sha1


class Text:
    """A script by its text."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()
        self.sha = sha1(self.text).hexdigest().encode()


ECHO = Text("redis.call('INCR', KEYS[1]); return ARGV[1]")
