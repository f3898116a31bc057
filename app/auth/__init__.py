"""Who may come in: the ways to prove who one is, the users, and the lock against guessing."""
