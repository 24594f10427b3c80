"""What a person can do: one function for each action, called by every face."""
