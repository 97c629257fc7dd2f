# FileSystemConfigs: directories of this host that stand for access points, mounted below /mnt.
import os
import subprocess

import pytest

from conftest import error_of, new_directory, package, program, wait_until

ARN = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0"
OTHER = ARN[:-1] + "1"
S3 = "arn:aws:s3files:us-east-1:000000000000:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
OWNER = 12345
CODE = """
import os
def handler(event, context):
    return eval(event['run'])
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users' directories are root's to give away")


def configs(path="/mnt/data", arn=ARN):
    return [{"Arn": arn, "LocalMountPath": path}]


@pytest.fixture
def shared():
    """A directory of somebody's, with a file in it."""
    directory = new_directory()
    with open(f"{directory}/there", "w") as file:
        file.write("from the host")
    if os.geteuid() == 0:
        for path in (directory, f"{directory}/there"):
            os.chown(path, OWNER, OWNER + 1)
    os.chmod(directory, 0o700)
    return directory


@as_root
def test_a_directory_is_mounted(own_server, name, shared):
    server = own_server("--file-system", f"{ARN}={shared}")
    created = server.create(name, CODE, FileSystemConfigs=configs())
    assert created["FileSystemConfigs"] == configs()
    def run(expression, function=name):
        return server.invoke(function, {"run": expression}).succeeded()
    assert run("open('/mnt/data/there').read()") == "from the host"
    assert run("[os.stat('/mnt/data').st_uid, os.stat('/mnt/data/there').st_gid]") == [993, 990]
    assert run("[os.makedirs('/mnt/data/a/b'), open('/mnt/data/a/b/c', 'w').write('abc')]") == [None, 3]
    assert open(f"{shared}/a/b/c").read() == "abc"
    assert (os.stat(f"{shared}/a/b/c").st_uid, os.stat(f"{shared}/a/b/c").st_gid) == (OWNER, OWNER + 1)
    # Another function, another environment: the same files, and the same right to change them.
    server.create(name + "-b", CODE, FileSystemConfigs=configs("/mnt/else"))
    assert run("open('/mnt/else/a/b/c', 'a').write('d')", name + "-b") == 1
    assert run("open('/mnt/data/a/b/c').read()") == "abcd"
    # It outlives functions.
    assert run("os.listdir('/mnt')") == ["data"]
    server.client.delete_function(FunctionName=name)
    assert open(f"{shared}/a/b/c").read() == "abcd"


@as_root
def test_what_is_others_stays_theirs(own_server, name, shared):
    with open(f"{shared}/roots", "w") as file:
        file.write("secret")
    os.chmod(f"{shared}/roots", 0o600)
    os.symlink("/etc/shadow", f"{shared}/link")
    server = own_server("--file-system", f"{ARN}={shared}")
    server.create(name, CODE, FileSystemConfigs=configs())
    for expression in ("open('/mnt/data/roots').read()", "open('/mnt/data/link').read()", "os.chown('/mnt/data/there', 0, 0)",
                       "os.mknod('/mnt/data/device', 0o20666, os.makedev(1, 3))", "os.listdir('/mnt/data/../../home')"):
        assert server.invoke(name, {"run": expression}).error, expression
    assert server.invoke(name, {"run": "os.chmod('/mnt/data/there', 0o4755)"}).succeeded() is None
    assert os.stat(f"{shared}/there").st_uid == OWNER
    flags = "[l.split()[5].split(',') for l in open('/proc/self/mountinfo') if l.split()[4] == '/mnt/data']"
    assert {"rw", "nosuid", "nodev"} <= set(server.invoke(name, {"run": flags}).succeeded()[0])


@pytest.mark.parametrize("arn, code", [(OTHER, "EFSMountFailureException"), (S3, "S3FilesMountFailureException")])
def test_an_access_point_that_nothing_stands_for(server, name, arn, code):
    server.create(name, CODE, FileSystemConfigs=configs(arn=arn))
    assert error_of(server.client.invoke, FunctionName=name) == (
        403, code,
        f"The function could not mount the file system with access point {arn}: start martlet with --file-system {arn}=DIRECTORY.")


def test_names_that_are_none(own_server, name, shared):
    server = own_server("--file-system", f"{ARN}={shared}")
    server.create(name, CODE, FileSystemConfigs=configs("/mnt/.."))
    status, code, text = error_of(server.client.invoke, FunctionName=name)
    assert (status, code) == (403, "EFSMountFailureException") and "/mnt/.." in text


@pytest.mark.parametrize("flag, says", [
    ("x=/tmp", "ARN of an access point"), (f"{ARN}=relative", "absolute path"), (f"{ARN}=/nowhere", "No such file"),
    (f"{ARN}=/etc/passwd", "not a directory"), (f"{ARN}=/", "not the root")])
def test_directories_that_cannot_stand_for_anything(flag, says):
    answer = subprocess.run(
        [program(), "serve", "--port", "0", "--state", f"{new_directory()}/state", "--file-system", flag],
        capture_output=True, text=True, timeout=30)
    assert answer.returncode != 0 and says in answer.stderr, answer


@as_root
def test_a_directory_of_roots_is_refused():
    answer = subprocess.run(
        [program(), "serve", "--port", "0", "--state", f"{new_directory()}/state", "--file-system", f"{ARN}={new_directory()}"],
        capture_output=True, text=True, timeout=30)
    assert answer.returncode != 0 and "chown" in answer.stderr, answer


def test_without_a_root_of_its_own(own_server, name, shared):
    server = own_server("--isolation", "none", "--file-system", f"{ARN}={shared}")
    server.create(name, CODE, FileSystemConfigs=configs())
    status, code, text = error_of(server.client.invoke, FunctionName=name)
    assert (status, code) == (403, "EFSMountFailureException") and "--isolation none" in text


@as_root
def test_without_root(own_server, name, shared):
    user = 65534
    for path in (shared, f"{shared}/there"):
        os.chown(path, user, user)
    server = own_server("--file-system", f"{ARN}={shared}", user=user)
    server.create(name, CODE, FileSystemConfigs=configs())
    assert server.invoke(name, {"run": "open('/mnt/data/new', 'w').write(open('/mnt/data/there').read())"}).succeeded() == 13
    assert os.stat(f"{shared}/new").st_uid == user
