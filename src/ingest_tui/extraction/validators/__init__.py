"""What is wrong or odd with a document that is let in: one module for each kind, and those that others register.

The ones here are called by the backends with what these have at hand (the decoded text, the open PDF), so that nothing
is read twice. Each gives `Finding`s and keeps nothing out.
"""
