"""Old documents of a feed, oldest first: from a folder of dated files, or from a local git clone."""
