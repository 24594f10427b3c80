"""A Confluence for tests, Cloud and Data Center: what our connector asks of it, from Atlassian's documentation.

Cloud: "The Confluence Cloud REST API v2" (spaces, pages, blog posts, attachments, comments) and v1 (users,
restrictions, downloads, which redirect to another host). Data Center: "Confluence Data Center REST API" (content/scan
since 7.18).
"""
