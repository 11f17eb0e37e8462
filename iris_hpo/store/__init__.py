"""What a search leaves behind: files, their cards, and the trust in both."""
