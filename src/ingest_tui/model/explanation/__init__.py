"""Why something is here, is not, or is not as it is at its source: decided from facts alone."""
