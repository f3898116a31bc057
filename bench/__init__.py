"""Side-by-side measurements of the gateway, HttpFS and direct WebHDFS."""
