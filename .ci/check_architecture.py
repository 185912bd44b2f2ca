"""Checks what DESIGN calls "references point down", between projects and between the folders of one project, and the few rules
of style that the compiler does not know.

Run by `make check` and by CI. Whoever needs a new arrow adds it to a table, with a reason for whoever reviews it. An arrow that
nobody uses any more is reported, too.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree

PREFIX = "LazySnapshotter."
LINE_LENGTH_MAX = 140

# What each project may reference.
PROJECTS = {
    "Linux": [],                                                                 # libc, and nothing but libc
    "Oci": [],                                                                   # values; no I/O
    "Fuse": ["Linux"],                                                           # has never heard of containers
    "Codecs": [],                                                                # decoders that stop and start; bytes in, bytes out
    "Layers": ["Linux", "Oci", "Codecs"],                                        # what is in a layer, and its index; no store, no network
    "Blobs": ["Linux", "Oci", "Layers"],                                         # spans on this node; reads blobs through IBlobReader, no HTTP
    "Registry": ["Linux", "Oci"],                                                # no layers, no tar; of Linux, who owns the file with its tokens
    "Artifacts": ["Linux", "Oci", "Layers", "Registry"],                         # indexes as things in a registry: ours and soci's
    "Node": ["Linux", "Oci", "Layers", "Blobs", "Registry", "Artifacts"],        # what this node knows of layers; no FUSE, no gRPC
    "Snapshots": ["Linux", "Oci"],                                               # knows no FUSE, no HTTP: ILayerMounter
    "Mounts": ["Linux", "Oci", "Fuse", "Layers", "Snapshots", "Node"],           # layers as directories: joins Node, Fuse and Snapshots
    "Containerd": ["Linux", "Oci", "Registry", "Artifacts", "Snapshots"],        # containerd's API as a client, and pull
    "Daemon": ["Linux", "Oci", "Fuse", "Snapshots", "Node", "Mounts", "Containerd"],                   # the service, and who puts it together
    "Cli": ["Daemon"],                                                           # what the daemon has, as commands
}

# What each folder of a project may use of the project's other folders, and why. "." is the project's own folder. The order is
# from the bottom to the top: a folder uses only folders above its line, so there is no circle.
FOLDERS = {
    "Codecs": {
        "Inflate": ("", "DEFLATE alone"),
        "Deflate": ("", "an encoder for windows; needs nothing of the decoder"),
        "Gzip": ("Inflate", "gzip is a frame around DEFLATE"),
    },
    "Fuse": {
        "FileSystem": ("", "what a filesystem answers, in its own words"),
        "Protocol": ("FileSystem", "writes node ids and attributes as the kernel reads them"),
        ".": ("FileSystem Protocol", "the session between the kernel and a filesystem"),
    },
    "Layers": {
        "Columns": ("", "numbers in columns, of no meaning"),
        "Spans": ("", "what lies between two checkpoints"),
        "Tar": ("", "the archive's own format"),
        ".": ("", "options and limits that building and reading share"),
        "Toc": ("Columns Tar", "entries come from a tar and lie in columns"),
        "Placement": ("Spans Tar", "checkpoints are placed with an eye to spans and files"),
        "Format": (". Columns Spans Toc", "the index file holds the TOC and the spans"),
        "Build": (". Columns Format Placement Spans Tar Toc", "one pass makes the whole file"),
        "Decoding": ("Format Spans", "inflates a span with the checkpoint that the index has"),
        "Remote": ("Format Spans", "an index whose windows are still in a registry"),
        "Soci/FlatBuffers": ("", "the encoding of a zTOC"),
        "Soci": (". Build Format Placement Soci/FlatBuffers Spans Tar Toc", "a zTOC is read into our index, and written from a build"),
        "Verify": (". Build Decoding Format Spans Tar Toc", "builds and decodes again, and compares"),
        "Files": ("Build Format Remote Soci", "the index files of this node, however they came"),
    },
    "Blobs": {
        "Store": ("", "the files, and which spans are in them"),
        "Fetching": ("Store", "brings missing spans into the store"),
        "Reading": ("Fetching Store", "asks for spans, inflates them and keeps some"),
    },
    "Registry": {
        "Common": ("", "options, limits, errors and counters of all"),
        "Headers": ("Common", "header fields as text; a wrong one is an error of Common"),
        "Memory": ("Common Headers", "what is kept of answers, challenges among them"),
        "Hosts": ("Common Headers Memory", "which endpoints a registry has, and what was learned of them"),
        "Scheduling": ("Common", "whose turn it is at a host; knows no HTTP"),
        "Http/Addresses": ("Common", "where a connection may go"),
        "Http": ("Common Headers Hosts Http/Addresses Scheduling", "one request and its answer, when its turn has come"),
        "Auth": ("Common Headers Hosts Http Memory", "asks hosts and token services, and remembers"),
        "Requests": ("Auth Common Hosts Http", "requests with what the endpoint wants to see, endpoint after endpoint"),
        "Manifests": ("Common Hosts Http Memory Requests", "documents, checked and remembered"),
        "Blobs": ("Common Headers Hosts Http Memory Requests Scheduling", "ranges of a blob from wherever it lies"),
        "Push": ("Blobs Common Hosts Http Requests", "uploads; looks first whether the blob is there"),
        "Referrers": ("Common Hosts", "the list of referrers where a registry keeps none"),
        "Client": ("Auth Blobs Common Hosts Http Manifests Memory Push Referrers Requests Scheduling", "the one door to all of it"),
        "Copy": ("Client Common Hosts Push", "an image from one registry to another"),
        "Inspection": ("Blobs Client Common Headers Hosts Http", "looks beneath the operations, as `registry check` shows it"),
    },
    "Artifacts": {
        ".": ("", "what a source of indexes is"),
        "Native": (".", "our artifact"),
        "Soci": (".", "soci's artifacts"),
        "Discovery": (". Native Soci", "finds both kinds with one question"),
        "Layouts": ("Native Soci", "writes both kinds as an OCI layout"),
        "IndexSources": (". Discovery Native Soci", "a layer's index out of what was found"),
        "Sources": ("", "where images come from: registry, layout, archive"),
        "Transfer": (". Discovery IndexSources Layouts Native Soci", "push, pull, list, copy, remove"),
    },
    "Node": {
        "Catalog": ("", "the layers of this node and how their indexes come"),
        "Pulling": ("Catalog", "how long a pull waits for a layer"),
        "Images": ("Catalog", "several layers as one tree"),
        "Options": ("Catalog Pulling", "what can be configured, by the names and limits of what there is"),
        "Composition": ("Catalog Options", "puts the node's parts together as configured"),
    },
    "Snapshots": {
        "Model": ("", "what a snapshot is, and who mounts layers"),
        "Filters": ("Model", "containerd's filters over snapshots"),
        "Metadata": ("Model", "snapshots in SQLite"),
        "Directories": ("Metadata Model", "the directories of what the metadata names"),
        ".": ("Directories Filters Metadata Model", "the life of a snapshot"),
    },
    "Mounts": {
        "Implicit": ("", "directories that a tar leaves out"),
        "Slots": ("", "which layer lies where under the mount"),
        "FileSystem": ("Implicit", "a layer's entries as the kernel asks for them"),
        "Images": ("FileSystem Implicit", "a whole image as one mount"),
        ".": ("FileSystem Implicit Slots", "what Snapshots asks for, out of all of them"),
    },
    "Containerd": {
        "Client": ("", "containerd's services, a call each"),
        "Pull": ("Client", "an image by those calls"),
    },
    "Daemon": {
        "Hosting": ("", "small web hosts"),
        "Log": ("", "what the daemon says"),
        "Snapshots": ("Hosting Log", "containerd's gRPC service"),
        ".": ("Hosting Log Snapshots", "the composition root"),
    },
    "Cli": {
        "Output": ("", "how something is written to a terminal or a pipe"),
        "Options": ("Output", "options several commands have; a wrong one is said by Output"),
        "Opening": ("Options Output", "opens what the options name"),
        "Inspection": ("Opening Output", "facts about indexes and images"),
        "Indexing": ("Inspection Opening Output", "builds the indexes of an image, and says what came of it"),
        "Doctor": ("Output", "what this machine has"),
        "Commands": ("Doctor Indexing Inspection Opening Options Output", "one class a command"),
        ".": ("Commands Options Output", "the program"),
    },
}

# Native calls are in one place (STYLE, "Native calls are boring"): libc in Linux.
NATIVE = re.compile(r"\[(LibraryImport|DllImport)\b")
NATIVE_IN = ("src/LazySnapshotter.Linux/",)
UNSAFE = {"Linux", "Fuse", "Codecs"}

MODIFIERS = "public |internal |file |sealed |static |abstract |partial |readonly |ref |unsafe "
TYPE = re.compile(rf"^(?:{MODIFIERS})*(?:class|struct|interface|record struct|record|enum|delegate [\w<>?\[\]]+)\s+(\w+)", re.M)
NAMESPACE = re.compile(r"^namespace ([\w.]+);", re.M)
USING = re.compile(r"^using (?:static |\w+ = )?([\w.]+);", re.M)
NOT_CODE = re.compile(r'^(?:using|namespace)[^\n]*|//[^\n]*|"(?:[^"\\\n]|\\.)*"', re.M)
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")

root = pathlib.Path(__file__).resolve().parent.parent
problems = []


def sources(folder):
    return [path for path in sorted(folder.rglob("*.cs")) if not {"obj", "bin"} & set(path.parts)]


def check_references(name, file):
    project = xml.etree.ElementTree.parse(file).getroot()
    for reference in project.iter("ProjectReference"):
        target = pathlib.PurePosixPath(reference.get("Include").replace("\\", "/")).stem.removeprefix(PREFIX)
        if target not in PROJECTS[name]:
            problems.append(f"{file.relative_to(root)}: {name} must not reference {target}")
    if any(element.text == "true" for element in project.iter("AllowUnsafeBlocks")) and name not in UNSAFE:
        problems.append(f"{file.relative_to(root)}: unsafe code belongs in {', '.join(sorted(UNSAFE))}")


def check_folders(name, project):
    """An arrow is a using directive (none is there in vain: IDE0005), or a name of the folder above, which needs none."""
    allowed = FOLDERS.get(name, {})
    types = collections.defaultdict(set)
    files = {}
    for path in sources(project):
        folder = path.parent.relative_to(project).as_posix()
        text = path.read_text()
        files[path] = (folder, text)
        types[folder] |= set(TYPE.findall(text))
    arrows = collections.defaultdict(set)
    for path, (folder, text) in files.items():
        for used in USING.findall(text):
            rest = used.removeprefix(PREFIX + name)
            if used.startswith(PREFIX + name) and (not rest or rest.startswith(".")):
                target = rest[1:].replace(".", "/") or "."
                while target not in types and target != ".":
                    target = target.rpartition("/")[0] or "."
                arrows[folder, target].add(path)
        names = set(NAME.findall(NOT_CODE.sub("", text)))
        above = folder
        while above != ".":
            above = above.rpartition("/")[0] or "."
            if types[above] & names:
                arrows[folder, above].add(path)
    for (folder, target), paths in sorted(arrows.items()):
        if folder != target and target not in allowed.get(folder, ("", ""))[0].split():
            path = sorted(paths)[0].relative_to(root)
            problems.append(f"{path}: {name}/{folder} must not use {name}/{target}, by the table in .ci/check_architecture.py")
    below = set()
    for folder, (targets, reason) in allowed.items():
        if folder not in types:
            problems.append(f".ci/check_architecture.py: {name}/{folder} is no folder")
        if not reason:
            problems.append(f".ci/check_architecture.py: {name}/{folder} has no reason")
        for target in targets.split():
            if target not in below:
                problems.append(f".ci/check_architecture.py: {name}/{folder} uses {target}, which is not above it")
            elif (folder, target) not in arrows:
                problems.append(f".ci/check_architecture.py: {name}/{folder} does not use {target} any more")
        below.add(folder)


def check_lines(path):
    """Length, and native calls. What a raw string literal holds is somebody else's format and may be longer."""
    name = path.relative_to(root).as_posix()
    is_raw = False
    for number, line in enumerate(path.read_text().split("\n"), 1):
        quotes = line.count('"""')
        if len(line) > LINE_LENGTH_MAX and not is_raw and quotes == 0:
            problems.append(f"{name}:{number}: {len(line)} columns, at most {LINE_LENGTH_MAX}")
        is_raw ^= quotes % 2 == 1
        if NATIVE.search(line) and name.startswith("src/") and not name.startswith(NATIVE_IN):
            problems.append(f"{name}:{number}: native calls belong in {' and '.join(NATIVE_IN)}")


def check_name(tree, path):
    """A namespace is a folder. A file has the name of a type in it, or what the names of its types begin with; a part of a type
    is Type.Part.cs."""
    text = path.read_text()
    namespace = NAMESPACE.search(text)
    folder = path.parent.relative_to(tree).as_posix().replace("/", ".")
    if namespace and namespace[1] != folder:
        problems.append(f"{path.relative_to(root)}: namespace {namespace[1]} lies in the folder {folder}")
    types = TYPE.findall(text)
    stem = path.name.split(".")[0]
    if types and not any(name.startswith(stem) for name in types):
        problems.append(f"{path.relative_to(root)}: declares {', '.join(types)}, none of that name")


for project in sorted((root / "src").iterdir()):
    name = project.name.removeprefix(PREFIX)
    file = project / (project.name + ".csproj")
    if not file.exists():
        continue
    if name not in PROJECTS:
        problems.append(f"{file.relative_to(root)}: a project that .ci/check_architecture.py does not know")
        continue
    check_references(name, file)
    check_folders(name, project)
for tree in ("src", "tests"):
    for path in sources(root / tree):
        check_lines(path)
        check_name(root / tree, path)
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(bool(problems))
