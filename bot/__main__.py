"""`python -m bot`, also installed as `agent-usage`."""

from bot.cli import main

if __name__ == "__main__":
    main()
