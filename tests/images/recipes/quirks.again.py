"""A third generation on the same names: whiteouts of what an opaque folder brought, returns of what a whiteout took."""
import os
import shutil
import sys

change = os.path.join(os.fsencode(sys.argv[1]), b"quirks/change/")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text)


write(change + b"comes-back", b"back again\n")
write(change + b"comes-back-folder/new", b"back again\n")
write(change + b"deleted-folder/b/only-this", b"back again\n")
os.unlink(change + b"opaque/kept-name")
write(change + b"opaque/third", b"third generation\n")
shutil.rmtree(change + b"twice-opaque")
write(change + b"twice-opaque/generation-3", b"3\n")
shutil.rmtree(change + b"becomes-folder")
write(change + b"becomes-folder", b"a file once more\n")
os.unlink(change + b"becomes-link")
os.mkdir(change + b"becomes-link", 0o750)
shutil.rmtree(change + b"emptied")
