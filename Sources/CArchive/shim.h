// libarchive, of which only the zip reader is used (MartletSandbox/CodeArchive.swift).
#include <archive.h>
#include <archive_entry.h>
