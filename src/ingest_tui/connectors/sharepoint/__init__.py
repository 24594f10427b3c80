"""SharePoint libraries and OneDrives, through Microsoft Graph."""
