"""Archives of images: the same bytes every time, with everything where the specification says."""

import hashlib
import json
import tarfile
from pathlib import Path

from cluster import images, oci

IMAGE = oci.Image(
    "lectern.test/tool:1",
    [oci.Entry("bin"), oci.Entry("bin/tool", b"#!"), oci.Entry("bin/other", link="tool")],
    {"Entrypoint": ["/bin/tool"], "User": "1:1"},
)


def blob(tar: tarfile.TarFile, digest: str) -> bytes:
    content = tar.extractfile(f"blobs/{digest.replace(':', '/')}").read()
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    return content


def test_the_index_leads_to_files_by_their_digests(tmp_path):
    oci.write(IMAGE, tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        (entry,) = json.load(tar.extractfile("index.json"))["manifests"]
        assert entry["annotations"]["io.containerd.image.name"] == "lectern.test/tool:1"
        manifest = json.loads(blob(tar, entry["digest"]))
        config = json.loads(blob(tar, manifest["config"]["digest"]))
        (layer,) = manifest["layers"]
        content = blob(tar, layer["digest"])
    assert config["config"] == IMAGE.config
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert layer["size"] == len(content)


def test_a_layer_has_files_links_and_folders_of_root(tmp_path):
    oci.write(IMAGE, tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        layers = [tar.extractfile(member) for member in tar if member.name.startswith("blobs")]
        with tarfile.open(fileobj=layers[0]) as layer:
            found = {member.name: member for member in layer}
    assert (found["bin"].isdir(), found["bin/other"].linkname) == (True, "tool")
    assert {(row.uid, row.gid, row.mtime) for row in found.values()} == {(0, 0, 0)}
    assert found["bin/tool"].mode == 0o755


def test_the_same_image_is_the_same_file(tmp_path):
    for name in ("a.tar", "b.tar"):
        oci.write(IMAGE, tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "b.tar"]


def test_a_program_that_needs_a_linker_is_not_static(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert images._is_static(script) is False
    # Linked with libc on every machine that these tests run on.
    assert images._is_static(Path("/bin/ls").resolve()) is False
