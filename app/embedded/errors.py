"""What a NameNode or DataNode throws, as data: names, Java packages and HTTP statuses."""

from typing import Final

_FS: Final = "org.apache.hadoop.fs."
_PROTOCOL: Final = "org.apache.hadoop.hdfs.protocol."

_JAVA: Final[dict[str, tuple[str, int]]] = {
    "AccessControlException": ("org.apache.hadoop.security.", 403),
    "AclException": (_PROTOCOL, 403),
    "AlreadyBeingCreatedException": (_PROTOCOL, 403),
    "DSQuotaExceededException": (_PROTOCOL, 403),
    "EOFException": ("java.io.", 403),
    "FileAlreadyExistsException": (_FS, 403),
    "FileNotFoundException": ("java.io.", 404),
    "HadoopIllegalArgumentException": ("org.apache.hadoop.", 400),
    "IllegalArgumentException": ("java.lang.", 400),
    "InvalidPathException": (_FS, 400),
    "IOException": ("java.io.", 403),
    "NSQuotaExceededException": (_PROTOCOL, 403),
    "ParentNotDirectoryException": (_FS, 403),
    "PathComponentTooLongException": (_PROTOCOL + "FSLimitException$", 403),
    "PathIsNotDirectoryException": (_FS, 403),
    "PathIsNotEmptyDirectoryException": (_FS, 403),
    "RemoteException": ("org.apache.hadoop.ipc.", 403),
    "RetriableException": ("org.apache.hadoop.ipc.", 403),
    "SnapshotAccessControlException": (_PROTOCOL, 403),
    "SnapshotException": (_PROTOCOL, 403),
    "UnsupportedOperationException": ("java.lang.", 400),
    "XAttrNotFoundException": (_PROTOCOL, 403),
}


class HdfsError(Exception):
    """A Java exception of HDFS: `name` is its simple class name, as RemoteException shows it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        package, self.status = _JAVA[name]
        self.name = name
        self.message = message
        self.java_class = package + name


def file_not_found(path: str) -> HdfsError:
    """Say that nothing is at `path`, in the words of most NameNode operations."""
    return HdfsError("FileNotFoundException", f"File does not exist: {path}")


def invalid_parameter(name: str, reason: str) -> HdfsError:
    """Say that the WebHDFS parameter `name` has a value outside its domain."""
    message = f'Invalid value for webhdfs parameter "{name}": {reason}'
    return HdfsError("IllegalArgumentException", message)
