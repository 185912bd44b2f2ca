"""Checks what DESIGN calls "references point down": each project may use what its line allows, and nothing else.

Run by `make check`. Whoever needs a new arrow changes the table, and gives a reason to whoever reviews it.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree

ALLOWED = {
    "Linux": [],                                                                 # libc, and nothing but libc
    "Oci": [],                                                                   # values; no I/O
    "Fuse": ["Linux"],                                                           # has never heard of containers
    "Codecs": [],                                                                # decoders that stop and start; bytes in, bytes out
    "Layers": ["Linux", "Oci", "Codecs"],                                        # what is in a layer, and its index; no store, no network
    "Blobs": ["Linux", "Oci", "Layers"],                                         # spans on this node; reads blobs through IBlobReader, knows no HTTP
    "Registry": ["Linux", "Oci"],                                                # knows no layers, no tar; of Linux, who owns the file with its tokens
    "Artifacts": ["Linux", "Oci", "Layers", "Registry"],                         # indexes as things in a registry: ours and soci's
    "Snapshots": ["Linux", "Oci"],                                               # knows no FUSE, no HTTP: ILayerMounter
    "Mounts": ["Linux", "Oci", "Fuse", "Layers", "Blobs", "Registry", "Artifacts", "Snapshots"],       # joins them
    "Daemon": ["Linux", "Oci", "Fuse", "Layers", "Blobs", "Registry", "Artifacts", "Snapshots", "Mounts"],
    "Cli": ["Linux", "Oci", "Fuse", "Layers", "Blobs", "Registry", "Artifacts", "Snapshots", "Mounts", "Daemon"],
}
# Native calls are in one place (STYLE, "Native calls are boring"): libc in Linux.
NATIVE = re.compile(r"\[(LibraryImport|DllImport)\b")
NATIVE_IN = ("src/LazySnapshotter.Linux/",)
UNSAFE = {"Linux", "Fuse", "Codecs"}
PREFIX = "LazySnapshotter."

root = pathlib.Path(__file__).resolve().parent.parent
problems = []
for folder in sorted((root / "src").iterdir()):
    name = folder.name.removeprefix(PREFIX)
    file = folder / (folder.name + ".csproj")
    if not file.exists():
        continue
    if name not in ALLOWED:
        problems.append(f"{file.relative_to(root)}: a project that .ci/check_architecture.py does not know")
        continue
    project = xml.etree.ElementTree.parse(file).getroot()
    for reference in project.iter("ProjectReference"):
        target = pathlib.PurePosixPath(reference.get("Include").replace("\\", "/")).stem.removeprefix(PREFIX)
        if target not in ALLOWED[name]:
            problems.append(f"{file.relative_to(root)}: {name} must not reference {target}")
    if any(element.text == "true" for element in project.iter("AllowUnsafeBlocks")) and name not in UNSAFE:
        problems.append(f"{file.relative_to(root)}: unsafe code belongs in {', '.join(sorted(UNSAFE))}")
    for source in folder.rglob("*.cs"):
        path = source.relative_to(root).as_posix()
        if "/obj/" in path or "/bin/" in path or path.startswith(NATIVE_IN):
            continue
        for number, line in enumerate(source.read_text().split("\n"), 1):
            if NATIVE.search(line):
                problems.append(f"{path}:{number}: native calls belong in {' and '.join(NATIVE_IN)}")
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(bool(problems))
