"""Packs a folder as a function's zip: `pack.py FOLDER ZIP`. The same files give the same bytes: sorted names, one fixed date."""

import os
import sys
import zipfile

folder, archive = sys.argv[1:]
names = []
for parent, folders, files in os.walk(folder):
    folders[:] = [name for name in folders if name != "__pycache__"]
    names += [os.path.relpath(os.path.join(parent, name), folder) for name in files]
with zipfile.ZipFile(archive, "w") as packed:
    for name in sorted(names):
        path = os.path.join(folder, name)
        entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix: the modes below count
        entry.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
        with open(path, "rb") as file:
            packed.writestr(entry, file.read())
print("%s: %d files, %d bytes" % (archive, len(names), os.path.getsize(archive)))
