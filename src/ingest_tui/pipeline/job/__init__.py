"""One job from its start to its end, and from where an earlier attempt stopped."""
