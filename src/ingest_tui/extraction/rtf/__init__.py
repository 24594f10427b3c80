"""Rich Text Format: from its control words to the story that they tell."""
