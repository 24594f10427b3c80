"""A job that embeds: the chunks of a collection become vectors, a batch at a time."""
