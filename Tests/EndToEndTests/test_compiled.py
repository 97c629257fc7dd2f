# Programs in compiled languages on the OS-only runtimes, with nothing but their standard libraries.
import os
import shutil
import subprocess

import pytest

from conftest import ROLE, error_of, package

GO = r"""
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	for runs := 1; ; runs++ {
		next, err := http.Get(base + "invocation/next")
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(next.Body)
		next.Body.Close()
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		var event map[string]any
		kind, answer := "response", []byte{}
		if err := json.Unmarshal(body, &event); err != nil {
			kind, answer = "error", []byte(`{"errorMessage":"`+"not an object"+`","errorType":"UnmarshalTypeError"}`)
		} else {
			fmt.Println("from go")
			answer, _ = json.Marshal(map[string]any{"event": event, "runs": runs, "handler": os.Getenv("_HANDLER"), "id": id})
		}
		if event["panic"] != nil {
			panic("asked for")
		}
		done, err := http.Post(base+"invocation/"+id+"/"+kind, "application/json", bytes.NewReader(answer))
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, done.Body)
		done.Body.Close()
	}
}
"""

RUST = r"""
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn receive(reader: &mut BufReader<TcpStream>) -> (String, Vec<u8>) {
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the Runtime API is gone");
        let line = line.trim_end();
        if line.is_empty() { break; }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "lambda-runtime-aws-request-id" => id = value.trim().to_string(),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (id, body)
}

fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut stream = TcpStream::connect(&api).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut runs = 0;
    loop {
        stream.write_all(format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {api}\r\n\r\n").as_bytes()).unwrap();
        let (id, event) = receive(&mut reader);
        runs += 1;
        println!("from rust");
        let event = String::from_utf8(event).unwrap();
        if event.contains("panic") { panic!("asked for"); }
        let handler = std::env::var("_HANDLER").unwrap();
        let answer = format!("{{\"event\":{event},\"runs\":{runs},\"handler\":\"{handler}\",\"id\":\"{id}\"}}");
        let post = format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: {api}\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len());
        stream.write_all(post.as_bytes()).unwrap();
        receive(&mut reader);
    }
}
"""


def compiled(folder, compiler, source, *command, **variables):
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} on this host")
    (folder / source[0]).write_text(source[1])
    subprocess.run([compiler, *command], cwd=folder, check=True, env={**os.environ, "HOME": os.environ.get("HOME", str(folder)), **variables})
    return (folder / "bootstrap").read_bytes()


@pytest.fixture(scope="module")
def go_program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("go")
    return compiled(folder, "go", ("main.go", GO), "build", "-o", "bootstrap", "main.go",
                    CGO_ENABLED="0", GOCACHE=str(folder / "cache"), GOFLAGS="", GO111MODULE="off")


@pytest.fixture(scope="module")
def rust_program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("rust"), "rustc", ("main.rs", RUST), "-O", "--edition", "2021", "-o", "bootstrap", "main.rs")


@pytest.mark.parametrize("language", ["go", "rust"])
@pytest.mark.parametrize("runtime", ["provided.al2023", "provided.al2"])
def test_a_program(server, name, request, language, runtime):
    binary = request.getfixturevalue(f"{language}_program")
    server.create(name, {"bootstrap": (binary, 0o755)}, runtime=runtime, handler="any.name", Timeout=10)
    for runs in (1, 2):
        answer = server.invoke(name, {"number": runs})
        assert answer.succeeded() == {"event": {"number": runs}, "runs": runs, "handler": "any.name", "id": answer.request_id}
        assert f"from {language}\n" in answer.log
    died = server.invoke(name, {"panic": 1})
    status = {"go": "exit status 2", "rust": "exit status 101"}[language]
    assert died.json["errorType"] == "Runtime.ExitError" and died.json["errorMessage"].endswith(status)
    assert "asked for" in died.log
    assert server.invoke(name, {"number": 1}).succeeded()["runs"] == 1, "a new process"


def test_an_error_that_a_go_program_reports(server, name, go_program):
    server.create(name, {"bootstrap": (go_program, 0o755)}, runtime="provided.al2023", Timeout=10)
    failed = server.invoke(name, [1])
    assert failed.error == "Unhandled" and failed.json == {"errorMessage": "not an object", "errorType": "UnmarshalTypeError"}


def test_what_aws_has_retired_for_go(server, name):
    status, code, message = error_of(
        server.client.create_function, FunctionName=name, Runtime="go1.x", Handler="main", Role=ROLE, Code={"ZipFile": package({"main": b"x"})})
    assert (status, code) == (400, "InvalidParameterValueException") and "go1.x is no longer supported" in message
