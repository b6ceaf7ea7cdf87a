"""``python -m farhand``."""

from farhand.cli.main import main

if __name__ == "__main__":
    main()
