// libarchive, of which the readers of zip and tar are used (MartletSandbox/CodeArchive.swift, ImageTreeBuilder.swift).
#include <archive.h>
#include <archive_entry.h>
