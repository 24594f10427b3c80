"""Rich Text Format: from its control words to the text that they describe."""
