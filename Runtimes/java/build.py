"""Compiles the Java bootstrap into bootstrap.jar: for Java 8 and later, the same bytes each time. Needs a JDK of version 17.

    build.py [--check]    --check: only compare, exit code 1 if bootstrap.jar is not what the sources give
"""

import glob
import io
import os
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def javac():
    for path in sorted(glob.glob("/usr/lib/jvm/*17*/bin/javac")) + ["javac"]:
        try:
            told = subprocess.run([path, "-version"], capture_output=True, text=True)
        except FileNotFoundError:
            continue
        if (told.stdout + told.stderr).startswith("javac 17."):
            return path
    return None


def compiled(compiler):
    sources = sorted(glob.glob(HERE + "/source/**/*.java", recursive=True))
    with tempfile.TemporaryDirectory() as classes:
        subprocess.run(
            [compiler, "--release", "8", "-g:source,lines", "-Xlint:all,-options", "-Werror", "-encoding", "UTF-8", "-d", classes, *sources],
            check=True)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as jar:
            for path in sorted(glob.glob(classes + "/**/*.class", recursive=True)):
                with open(path, "rb") as file:
                    jar.writestr(zipfile.ZipInfo(os.path.relpath(path, classes)), file.read())
    return content.getvalue()


def main():
    compiler = javac()
    if compiler is None:
        sys.exit("no JDK 17 on this host: apt-get install openjdk-17-jdk-headless")
    jar = compiled(compiler)
    path = HERE + "/bootstrap.jar"
    if "--check" in sys.argv[1:]:
        with open(path, "rb") as file:
            sys.exit(0 if file.read() == jar else "bootstrap.jar is not what the sources give: run Runtimes/java/build.py")
    with open(path, "wb") as file:
        file.write(jar)
    print("%s: %d bytes" % (path, len(jar)))


if __name__ == "__main__":
    main()
