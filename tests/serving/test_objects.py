"""What every storage of objects promises, tried on a local folder and on a server that speaks S3."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from msw_ml.disk import sha256
from msw_ml.errors import BadSetting, OutputError, UnreadableInput
from serving.store.objects import BLOCK, Incoming, Objects, StorageAway


@pytest.fixture(params=["folder", "s3"])
def objects(request, tmp_path: Path) -> Objects:
    if request.param == "folder":
        return Objects(str(tmp_path / "objects"))
    server = request.getfixturevalue("s3")
    return Objects(f"s3://{server.bucket()}/msw", server.options, tmp_path / "incoming")


@pytest.fixture
def bucket(s3) -> str:
    return s3.bucket()


@pytest.fixture
def on_s3(s3, bucket, tmp_path) -> Objects:
    return Objects(f"s3://{bucket}/msw", s3.options, tmp_path / "incoming")


def test_what_is_put_comes_back(objects, tmp_path):
    """Bytes, digest and size are the same on the way out; as a file it has the name that a reader goes by."""
    kept = objects.put("sessions/a/v1/session.json", b"{}")
    assert (kept.key, kept.size) == ("sessions/a/v1/session.json", 2)
    assert objects.get(kept.key) == b"{}"
    with objects.local_copy(kept.key, "visit.json") as path:
        assert path.name == "visit.json"
        assert sha256(path) == kept.sha256
    assert not path.exists()
    objects.check()


def test_what_streams_in_is_there_whole_or_not_at_all(objects):
    """Nothing shows while an upload comes in; after `keep` all of it; after `drop` nothing, nor on this disk."""
    data = bytes(range(256)) * (3 * BLOCK // 256) + b"end"
    for is_kept in (True, False):
        key = f"sessions/{is_kept}/upload/recording"
        incoming = Incoming(objects, key)
        for start in range(0, len(data), BLOCK):
            incoming.write(data[start : start + BLOCK])
            assert not objects.is_there(key)
        if is_kept:
            assert incoming.keep().size == len(data)
        incoming.drop()
        assert objects.is_there(key) == is_kept
    assert b"".join(objects.read_range("sessions/True/upload/recording", 0, len(data))) == data
    assert b"".join(objects.read_range("sessions/True/upload/recording", BLOCK - 2, BLOCK + 3)) == data[BLOCK - 2 :][:5]
    assert objects.keys("") == ["sessions/True/upload/recording"]
    assert not list(objects.incoming.iterdir())


def test_a_reader_never_sees_half_an_object(objects):
    """While one writes an object again and again, another reads the one or the other, whole."""
    old, new = b"o" * 300_000, b"n" * 500_000
    objects.put("sessions/a/x", old)
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            objects.put("sessions/a/x", new)
            objects.put("sessions/a/x", old)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert {objects.get("sessions/a/x") for _ in range(30)} <= {old, new}
    finally:
        ended.set()
        writer.join()


def test_erasing_takes_what_lies_below_and_nothing_beside(objects):
    """`sessions/a` goes and `sessions/ab` stays; what is gone says so, and may be erased again."""
    for key in ("sessions/a/upload/recording", "sessions/a/v1/session.json", "sessions/ab/x", "sessions/ab/xy"):
        objects.put(key, b"x")
    assert objects.erase("sessions/a") == ["sessions/a/upload/recording", "sessions/a/v1/session.json"]
    assert objects.keys("sessions/a") == objects.erase("sessions/a") == []
    objects.erase_one("sessions/ab/x")
    objects.erase_one("sessions/ab/x")
    assert objects.keys("") == ["sessions/ab/xy"]
    for read in (objects.get, lambda key: list(objects.read_range(key, 0, 1))):
        with pytest.raises(UnreadableInput, match="not there any more"):
            read("sessions/a/upload/recording")
    with pytest.raises(UnreadableInput), objects.local_copy("sessions/a/upload/recording", "a"):
        pass


def test_what_another_process_wrote_is_seen_at_once(on_s3, s3, bucket, tmp_path):
    """No listing is remembered: server and workers write to the same bucket."""
    other = Objects(f"s3://{bucket}/msw", s3.options, tmp_path)
    assert not on_s3.is_there("sessions/a/x")
    assert on_s3.keys("sessions/a") == []
    other.put("sessions/a/x", b"x")
    assert on_s3.is_there("sessions/a/x")
    assert on_s3.keys("sessions/a") == ["sessions/a/x"]
    other.erase("sessions/a")
    assert not on_s3.is_there("sessions/a/x")


def test_erasing_leaves_no_old_version(on_s3, s3, bucket):
    """A bucket with versioning keeps what was overwritten or deleted: after an erasure it holds none of it."""
    client = s3.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("sessions/a/x", "sessions/a/y", "sessions/ab/x"):
        on_s3.put(key, b"first")
        on_s3.put(key, b"second")
    client.delete_object(Bucket=bucket, Key="msw/sessions/a/y")
    on_s3.erase("sessions/a")
    on_s3.erase_one("sessions/ab/x")
    left = client.list_object_versions(Bucket=bucket)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


def test_an_upload_that_broke_off_shows_nowhere_and_is_erased(on_s3, s3, bucket):
    """Parts of an upload that was never completed are no object; erasing the session takes them too."""
    client, where = s3.client(), {"Bucket": bucket, "Key": "msw/sessions/a/upload/recording"}
    begun = client.create_multipart_upload(**where)["UploadId"]
    client.upload_part(**where, UploadId=begun, PartNumber=1, Body=b"x" * 100)
    assert not on_s3.is_there("sessions/a/upload/recording")
    assert on_s3.keys("") == []
    on_s3.erase("sessions/a")
    assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_a_large_recording_goes_up_in_parts(on_s3, s3, bucket, tmp_path):
    """Beyond 100 MB it is sent and fetched in parts, and stays the same."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        for number in range(110):
            file.write(bytes([number]) * BLOCK)
    digest = sha256(large)
    on_s3.take_file("sessions/a/upload/recording", large)
    assert not large.exists()
    assert "-" in s3.client().head_object(Bucket=bucket, Key="msw/sessions/a/upload/recording")["ETag"]  # of parts
    with on_s3.local_copy("sessions/a/upload/recording", "a") as path:
        assert sha256(path) == digest


def test_address_and_credentials_come_from_the_environment(s3, bucket, tmp_path, monkeypatch):
    """As for every client of S3; nothing of it has to stand in the service's own settings."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "msw")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    Objects(f"s3://{bucket}/msw", None, tmp_path).put("sessions/a/x", b"x")
    assert s3.client().get_object(Bucket=bucket, Key="msw/sessions/a/x")["Body"].read() == b"x"


def test_a_server_that_is_away_is_said_and_comes_back(make_s3, tmp_path):
    """Every method says within 20 seconds that the storage is away; nothing was lost when it is back."""
    server = make_s3()
    objects = Objects(f"s3://{server.bucket()}/msw", server.options, tmp_path / "incoming")
    objects.put("sessions/a/x", b"x")
    server.stop()
    file = tmp_path / "file"
    file.write_bytes(b"y")
    for ask in (
        objects.check,
        lambda: objects.put("sessions/a/y", b"y"),
        lambda: objects.take_file("sessions/a/y", file),
        lambda: objects.get("sessions/a/x"),
        lambda: list(objects.read_range("sessions/a/x", 0, 1)),
        lambda: objects.is_there("sessions/a/x"),
        lambda: objects.keys("sessions"),
        lambda: objects.erase("sessions/a"),
        lambda: objects.erase_one("sessions/a/x"),
        lambda: objects.local_copy("sessions/a/x", "x").__enter__(),
    ):
        began = time.monotonic()
        with pytest.raises(StorageAway, match="cannot be reached"):
            ask()
        assert time.monotonic() - began < 20
    assert file.exists()
    server.start()
    try:
        assert objects.get("sessions/a/x") == b"x"
        objects.take_file("sessions/a/y", file)
        assert objects.keys("") == ["sessions/a/x", "sessions/a/y"]
    finally:
        server.stop()


def test_a_bucket_that_is_not_there_is_no_lost_object(s3, tmp_path):
    """A wrong name in the settings is said as such."""
    objects = Objects("s3://no-such-bucket/msw", s3.options, tmp_path)
    with pytest.raises(StorageAway, match="no such bucket"):
        objects.check()
    with pytest.raises(OutputError, match="no such bucket"):
        objects.put("sessions/a/x", b"x")


def test_an_address_of_no_known_kind():
    with pytest.raises(BadSetting, match="MSW_SERVICE_OBJECTS"):
        Objects("carrier-pigeon://coop/msw")


def test_a_key_stays_below_the_root(objects):
    for key in ("../x", "/etc/x", "sessions/../../x"):
        with pytest.raises(ValueError, match="below the root"):
            objects.put(key, b"x")
