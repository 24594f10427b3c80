"""From bytes to elements to markdown. Knows nothing of the workspace.

`parse` reads a document in this process, `sandbox` reads many in processes of their own that may crash.
"""
