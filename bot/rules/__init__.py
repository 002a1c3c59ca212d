"""The rules file: what it may say, what it means, and every mistake in it."""
