"""What each command does, as values without words of Slack's or the terminal's: shared by both."""
