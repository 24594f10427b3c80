"""Makes the helpers of this folder importable in those below it."""
