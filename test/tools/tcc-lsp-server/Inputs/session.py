#!/usr/bin/env python3
"""Talks to a language server as an editor does, and prints what it says.

Usage: session.py SERVER
"""

import json
import subprocess
import sys

TEXT = """\
module {
transformer.weight @norm tensor("norm") : tensor<4xf32>
func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = transformer.get_weight [@norm] : tensor<4xf32>
  %y = transformer.rms_norm %x, %w epsilon(EPSILON) : tensor<?x4xf32>, tensor<4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}
"""


class Server:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.requests = 0

    def send(self, method, **params):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if not method.startswith(("textDocument/did", "initialized", "exit")):
            self.requests += 1
            message["id"] = self.requests
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self, wanted):
        """The next message for which `wanted` is true."""
        while True:
            length = 0
            while line := self.process.stdout.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            message = json.loads(self.process.stdout.read(length))
            if wanted(message):
                return message

    def ask(self, method, **params):
        self.send(method, **params)
        return self.receive(lambda m: m.get("id") == self.requests)["result"]


def open_file(server, uri, epsilon):
    """Opens the text with `epsilon`; returns the diagnostics that follow."""
    server.send("textDocument/didOpen", textDocument={
        "uri": uri, "languageId": "mlir", "version": 1,
        "text": TEXT.replace("EPSILON", epsilon)})
    published = server.receive(
        lambda m: m.get("method") == "textDocument/publishDiagnostics" and
        m["params"]["uri"] == uri)
    return published["params"]["diagnostics"]


def main(path):
    server = Server(path)
    server.ask("initialize", processId=None, rootUri=None, capabilities={})
    server.send("initialized")
    for diagnostic in open_file(server, "test:///wrong.mlir", "-1.0"):
        print(f"diagnostic {diagnostic['range']['start']['line']}: {diagnostic['message']}")
    assert open_file(server, "test:///right.mlir", "1.0e-5") == []
    document = {"uri": "test:///right.mlir"}
    hover = server.ask("textDocument/hover", textDocument=document,
                       position={"line": 4, "character": 10})
    print("hover:", json.dumps(hover["contents"]))
    places = server.ask("textDocument/definition", textDocument=document,
                        position={"line": 3, "character": 33})
    print("definition: line", places[0]["range"]["start"]["line"])
    server.ask("shutdown")
    server.send("exit")
    print("exit code", server.process.wait(timeout=60))


if __name__ == "__main__":
    main(sys.argv[1])
