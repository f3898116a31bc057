"""Who may come in: the users file, passwords, HTTP Basic, and the lock against guessing."""
