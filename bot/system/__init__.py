"""What the operating system and the network give: files, threads, waiting, addresses, proxies."""
