"""`weights: timm` against a hub on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import timm
import torch
from safetensors.torch import save

from adharness_timm import TIMM, TimmParams

MODEL = "test_resnet.r160_in1k"
FILE = f"/timm/{MODEL}/resolve/main/model.safetensors"
FIELDS = {"model": MODEL, "layers": [1, 3], "resize": 64}
SCRIPT = f"""
from adharness_timm import TIMM, TimmParams
for _ in range(2):
    print(TIMM.make(TimmParams(**{FIELDS}, weights="timm")).fingerprint())
"""


class Hub(BaseHTTPRequestHandler):
    """One file of one commit; anything else is not found."""

    server: Server

    def log_message(self, *arguments):
        """Say nothing."""

    def do_HEAD(self):
        found = self.path == FILE
        self.send_response(200 if found else 404)
        if found:
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("ETag", '"one"')
            self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()

    def do_GET(self):
        self.server.asked.append(self.path)
        self.do_HEAD()
        self.wfile.write(self.server.body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, body):
        super().__init__(("127.0.0.1", 0), Hub)
        self.body, self.asked = body, []


@contextmanager
def serving(body):
    server = Server(body)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def trained():
    """A state dict that no seed of ours makes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(12345)
        return timm.create_model("test_resnet").state_dict()


@pytest.mark.slow
@pytest.mark.timeout(180)  # another process: the hub's address is read when its client is imported
def test_weights_are_downloaded_once_and_are_those_of_the_file(tmp_path, trained):
    own = tmp_path / "own.safetensors"
    own.write_bytes(save(trained))
    expected = TIMM.make(TimmParams(**FIELDS, weights=str(own))).fingerprint()
    with serving(own.read_bytes()) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        hub = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, **hub, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.split() == [expected, expected], done.stderr
    assert server.asked.count(FILE) == 1
