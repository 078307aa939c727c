"""What every page is made with: the look, the words, the base template and what the browser loads."""
