"""docs/signing.md: each of its programs prints what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.structure.docs import FENCE
from tidegate.client import Signer
from tidegate.model.keys import signing_key_of
from tidegate.policy.access import signature

TEXT = (Path(__file__).parents[2] / "docs" / "signing.md").read_text(encoding="utf-8")
VECTORS = TEXT[TEXT.index("## Vectors") :]
BLOCKS = dict(FENCE.findall(VECTORS))
EXPECTED = BLOCKS["text"]
BODY = '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
SHOWS_HEADERS = 'curl() { for word; do case $word in content-*|signature*) echo "$word" ;; esac; done; }\n'
TYPES = re.compile(r": (?:string|number|Record<string, string>)(?=[,)\s{])")


def run(place: Path, name: str, program: str, *words: str) -> str:
    """What a program prints; skipped where nobody here can run it."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed: the vectors of docs/signing.md are not run with it")
    path = place / name
    path.write_text(program, encoding="utf-8")
    alone = os.environ | {"GOTOOLCHAIN": "local"}  # nothing is downloaded
    ended = subprocess.run([*words, str(path)], capture_output=True, text=True, env=alone, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_python(tmp_path: Path) -> None:
    """As it stands there."""
    assert run(tmp_path, "sign.py", BLOCKS["python"], sys.executable) == EXPECTED


@pytest.mark.timeout(300)  # the first time Go compiles its own library
def test_go(tmp_path: Path) -> None:
    """As it stands there."""
    assert run(tmp_path, "sign.go", BLOCKS["go"], "go", "run") == EXPECTED


def test_typescript(tmp_path: Path) -> None:
    """As it stands there but for the types, which not every version of node can read."""
    assert run(tmp_path, "sign.mjs", TYPES.sub("", BLOCKS["ts"]), "node") == EXPECTED


def test_curl_and_openssl(tmp_path: Path) -> None:
    """As it stands there; instead of being sent, the headers are shown."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: the vectors of docs/signing.md are not run with it")
    assert run(tmp_path, "sign.sh", SHOWS_HEADERS + BLOCKS["shell"], "sh") == EXPECTED


def test_the_client_and_the_gate_agree_with_them() -> None:
    """The helper makes them, and the gate takes them."""
    signer = Signer("acme-1", "tg-example-key", clock=lambda: 1_790_000_000, nonce=lambda: "q1Zc8mLw0yTn5KpS")
    lines = []
    for method, target, body in (("POST", "/v1/chat/completions", BODY), ("GET", "/v1/models?limit=2", "")):
        headers = signer.headers(method, target, body.encode())
        lines += [f"{name}: {value}\n" for name, value in headers.items()]
        signed = signature.read(
            *[headers[name].encode() for name in ("signature-input", "signature", "content-digest")]
        )
        path, _, query = target.encode().partition(b"?")
        key = signature.SigningKey(signing_key_of("tg-example-key"))
        signature.check_mac(signed, method.encode(), path, query, key)
        signature.check_body(signed.content_digest, body.encode())
    assert "".join(lines) == EXPECTED
    assert signing_key_of("tg-example-key").hex() in VECTORS


def test_the_base_that_is_shown_is_the_one_that_is_signed() -> None:
    """Line by line."""
    shown = next(block for _, block in FENCE.findall(TEXT) if block.startswith('"@method"')).rstrip("\n")
    parameters = shown.partition('"@signature-params": ')[2].encode()
    digest = signature.digest_of(BODY.encode())
    assert signature.base_of(b"POST", b"/v1/chat/completions", b"", digest, parameters) == shown.encode()
