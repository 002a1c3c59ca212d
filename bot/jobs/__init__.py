"""What runs until the bot stops: the check, the rules in force, the channels, delivery and its outages."""
