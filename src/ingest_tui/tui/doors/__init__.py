"""The calls of the gateway to the services, a file for each subject."""
