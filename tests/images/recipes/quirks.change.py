"""The layer that deletes and replaces: run on the mounted tree, so that the kernel's overlayfs writes what it means."""
import os
import shutil
import sys

root = os.path.join(os.fsencode(sys.argv[1]), b"")
change = root + b"quirks/change/"
links = root + b"quirks/links/"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text)


# Gone.
os.unlink(change + b"deleted-file")
os.unlink(change + b"deleted-link")
shutil.rmtree(change + b"deleted-folder")
for name in (b"1", b"2"):
    os.unlink(change + b"emptied/" + name)
os.unlink(change + b"half/drop")
os.unlink(change + b"comes-back")
shutil.rmtree(change + b"comes-back-folder")
os.unlink(root + b"quirks/names/caf\xe9")
os.unlink(root + b"quirks/names/length/" + b"n" * 101)
for i in range(0, 3000, 7):
    os.unlink(root + b"quirks/crowd/file-%04d" % i)

# Another type under the same name.
os.unlink(change + b"becomes-folder")
write(change + b"becomes-folder/inside", b"was a file\n")
os.unlink(change + b"becomes-link")
os.symlink(b"untouched/deep/file", change + b"becomes-link")
shutil.rmtree(change + b"folder-becomes-file")
write(change + b"folder-becomes-file", b"was a folder\n")
shutil.rmtree(change + b"folder-becomes-link")
os.symlink(b"untouched", change + b"folder-becomes-link")
os.unlink(change + b"link-becomes-folder")
write(change + b"link-becomes-folder/inside", b"was a link\n")
os.unlink(change + b"fifo-becomes-file")
write(change + b"fifo-becomes-file", b"was a fifo\n")
os.unlink(change + b"link-retargeted")
os.symlink(b"half", change + b"link-retargeted")

# Recreated folders hide what lay below them.
shutil.rmtree(change + b"opaque")
write(change + b"opaque/new", b"new\n")
write(change + b"opaque/kept-name", b"same name, new file\n")
write(change + b"opaque/inner/new", b"new\n")
shutil.rmtree(change + b"twice-opaque")
write(change + b"twice-opaque/generation-2", b"2\n")
# Renaming a lower folder is EXDEV without redirect_dir: everybody copies and deletes (shutil.move fails on bytes).
shutil.copytree(change + b"renamed", change + b"renamed-to")
shutil.rmtree(change + b"renamed")

# Only metadata: the layer carries the whole file again.
os.chmod(change + b"chmodded", 0o4711)
os.chown(change + b"chowned", 1234, 5678)
os.utime(change + b"touched", ns=(0, 1500000000 * 10**9))
os.chmod(root + b"quirks/modes/sticky", 0o755)
with open(change + b"appended", "ab") as file:
    file.write(b"and appended\n")
write(change + b"replaced.new", b"replaced by rename\n")
os.rename(change + b"replaced.new", change + b"replaced")

# One name of a hard-linked file changes; overlayfs breaks the link, and so does the layer.
write(links + b"break/1", b"no longer the same file as 2\n")
os.link(links + b"break/1", links + b"break/new-name-of-1")
