"""`python -m tidegate.worker`: what the supervisor starts."""

from tidegate.worker.process import main

if __name__ == "__main__":
    main()
