class Consumer:
    class Blueprint:
        default_steps: list[str]
