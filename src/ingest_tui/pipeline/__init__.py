"""One job, step by step: list, plan, stage, extract, commit."""
