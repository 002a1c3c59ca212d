"""Two simulated servers on this machine, for tests and for trying the bot without an account."""
