"""The catalogue: its tables, what is asked of it, how it is opened, and how it is made again."""
