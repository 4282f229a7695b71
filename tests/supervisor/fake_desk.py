"""A desk process for the supervisor's tests."""

from tests.supervisor.fake_aside import run

if __name__ == "__main__":
    run("desk")
