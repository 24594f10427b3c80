"""Which job runs when: queue, limits, folder watch, requests."""
