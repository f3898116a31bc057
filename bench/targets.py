"""What the gateway is meant to reach, measurement by measurement."""

from bench.report import Target

TARGETS = (
    Target("status", "calls a second", 0.8, against="HttpFS"),
    Target("status", "calls a second", 1.0, against="HttpFS"),
    Target("transfers", "download, GB/s", 0.9, against="direct"),
    Target("transfers", "download, GB/s", 1.0, against="HttpFS"),
    Target("transfers", "upload, GB/s", 0.9, against="direct"),
    Target("transfers", "upload, GB/s", 1.0, against="HttpFS"),
    Target("slow", "downloads open and progressing", 1000),
    Target("slow", "memory, gateway, HttpFS or NameNode, MiB", 400, at_most=True),
    Target("slow", "status p99 meanwhile, ms", 100, at_most=True),
    Target("streams", "status with attributes of a directory, a second", 0.9, against="file API"),
    Target("streams", "status with attributes of a file, a second", 0.9, against="file API"),
    Target("streams", "read, GB/s", 0.9, against="file API"),
    Target("streams", "write, GB/s", 0.9, against="file API"),
    Target("cache", "16 readers, GB/s", 2.0, against="HttpFS"),
    Target("cache", "16 readers, CPU s a GiB, DataNode", 0.02, at_most=True),
    Target("accel", "one file, GB/s", 1.0, against="plain"),
    Target("accel", "one file, CPU s a GiB, gateway and nginx", 0.5, against="plain",
           at_most=True),
    Target("s3", "PUT 64 MiB, GB/s", 1.0, against="rclone"),
    Target("s3", "GET 64 MiB, GB/s", 1.0, against="rclone"),
    Target("s3", "PUT 4 KiB, objects a second", 1.0, against="rclone"),
    Target("s3", "GET 4 KiB, objects a second", 1.0, against="rclone"),
    Target("s3", "multipart upload, GB/s", 1.0, against="rclone"),
    Target("s3", "listing, keys a second", 1.0, against="rclone"),
)
