"""What each `mdf` command does; `api/cli.py` declares them and imports only the one that runs."""
