"""The file-system port and its one adapter, WebHDFS."""
