"""What each command does, one module a command; `cli` parses the words and calls them."""
