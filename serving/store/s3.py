"""What S3 does differently: its time limits, its kinds of errors, and what an ordinary deletion leaves behind.

Address, credentials and region come from the options or, better, from the environment variables that every
S3 client knows: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msw_ml.errors import MissingExtra

if TYPE_CHECKING:
    from s3fs import S3FileSystem  # type: ignore[import-untyped]

_PATIENCE = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
}
"""An endpoint that cannot be reached is given up after 20 seconds: a browser waits for the answer."""


def is_s3(url: str) -> bool:
    """Whether an address names a bucket."""
    return url.startswith(("s3://", "s3a://"))


def options(given: Mapping[str, str]) -> dict[str, object]:
    """What to open the file system with. Raises `MissingExtra`.

    No listing is remembered: other processes write too.
    """
    try:
        import s3fs  # noqa: F401 fsspec would say which package is missing, but not how to get it
    except ImportError as error:
        raise MissingExtra("objects on S3", "s3") from error
    return {"use_listings_cache": False, "skip_instance_cache": True, "config_kwargs": _PATIENCE, **given}


def errors() -> tuple[type[Exception], ...]:
    """All that may be raised when a request did not succeed."""
    from aiohttp import ClientError as ConnectionBroken
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    return (OSError, BotoCoreError, ClientError, ConnectionBroken)


def look(fs: S3FileSystem, root: str) -> None:
    """One cheap request. Raises `FileNotFoundError` where there is no such bucket."""
    bucket, key, _ = fs.split_path(root)
    fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)


def erase(fs: S3FileSystem, path: str, *, is_folder: bool) -> None:
    """Removes an object, or everything below a folder, for good.

    A bucket with versioning keeps what was deleted, and an upload that broke off stays as parts that no
    listing shows: both hold speech, so both go. Raises what the requests raise.
    """
    bucket, key, _ = fs.split_path(path)
    prefix = key.rstrip("/") + "/" if is_folder else key
    try:
        for found, version in list(_versions(fs, bucket, prefix)):
            if is_folder or found == key:
                fs.call_s3("delete_object", Bucket=bucket, Key=found, VersionId=version)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        for found in fs.find(path):  # a server that knows no versions has none to leave behind
            fs.rm_file(found)
    for broken in fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix).get("Uploads", []):
        if is_folder or broken["Key"] == key:
            with contextlib.suppress(FileNotFoundError):  # it was completed or given up meanwhile
                fs.abort_mpu(bucket, broken["Key"], broken["UploadId"])


def _versions(fs: S3FileSystem, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Key and id of every version and every deletion mark."""
    asked = {"Bucket": bucket, "Prefix": prefix}
    while True:
        page = fs.call_s3("list_object_versions", **asked)
        for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            yield one["Key"], one["VersionId"]
        if not page.get("IsTruncated"):
            return
        asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
