"""The two texts that must load as they stand."""

from pathlib import Path

SMALLEST = """\
providers:
  openai:
    dialect: openai
    base_url: http://127.0.0.1:9100/openai/v1
    scopes:
      - {name: main, keys: ["${OPENAI_API_KEY:-sk-demo}"], limits: {gpt-4o: {rpm: 3000, tpm: 150000}}}
"""
MISSION = (Path(__file__).parent / "mission.yaml").read_text(encoding="utf-8")
