"""`./dev bench all`: every figure of the project in one report, from the results of benches and proofs."""
