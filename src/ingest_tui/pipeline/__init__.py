"""One job, told as a story: list, plan, stage, extract, commit."""
