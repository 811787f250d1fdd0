"""A server that misbehaves, and what comes through all the same."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from augsynth_endpoint import client
from augsynth_endpoint.client import BudgetSpentError, EndpointError
from augsynth_endpoint.generator import Endpoint

import augsynth
from augsynth.testing import checks

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning")
DATA = [(f"{word} number {i} of the {name}", name) for i, word in enumerate(["red", "blue", "old"]) for name in "ab"]


class Server:
    """Answers with words that follow from the request, after the failures that it was told to have."""

    def __init__(self):
        self.failures, self.requests, self.says = [], [], None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append((body, dict(self.headers)))
                failure = outer.failures.pop(0) if outer.failures else None
                if failure == "hang":
                    time.sleep(1.0)
                if isinstance(failure, int):
                    self.send_response(failure)
                    self.send_header("Retry-After", "0")
                    self.end_headers()
                    self.wfile.write(b"busy")
                    return
                seed, hot = body["seed"], body["temperature"]
                text = outer.says or f"text {seed % 997} about {seed % 13 if hot else 0} things"
                said = {
                    "choices": [{"message": {"content": "" if failure == "empty" else text}}],
                    "usage": {"prompt_tokens": 90, "completion_tokens": 10},
                }
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{broken" if failure == "broken" else json.dumps(said).encode())

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"


@pytest.fixture(scope="module")
def shared():
    made = Server()
    yield made
    made.http.shutdown()


@pytest.fixture(autouse=True)
def server(shared, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)
    shared.failures, shared.requests, shared.says = [], [], None
    Stubbed.url = shared.url
    return shared


class Stubbed(Endpoint):
    url = ""

    @classmethod
    def settings_from(cls, data, config):
        return {"url": cls.url, "model": "stub", **super().settings_from(data, config)}


@pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
def test_it_keeps_what_generators_promise(check):
    check(Stubbed)


def fitted(server, **config):
    return augsynth.fit("endpoint", DATA, url=server.url, model="stub", progress=False, **config)


def test_it_is_found_and_nothing_is_asked_before_someone_asks(server, tmp_path):
    gen = fitted(server)
    assert gen.plugin == "augsynth-endpoint/endpoint"
    gen.save(tmp_path / "gen")
    assert not server.requests
    assert not list((tmp_path / "gen").glob("preview.*"))
    assert "holds real samples" in (tmp_path / "gen" / "README.md").read_text()


@pytest.mark.parametrize("failure", [429, 503, "broken", "empty", "hang"])
def test_what_fails_is_asked_again(server, failure):
    server.failures = [failure, failure]
    gen = fitted(server, timeout=0.3, parallel=1)
    assert all(gen.sample(2, labels="a", seed=0).x)
    assert len(server.requests) == 4


def test_a_server_that_never_answers_is_said(server):
    server.failures = ["hang"] * 20
    with pytest.raises(EndpointError, match=r"no answer within 0.1 s, 2 times in a row; 0 of 1"):
        fitted(server, timeout=0.1, tries=2).sample(1, labels="a", seed=0)
    server.failures = [401]
    with pytest.raises(EndpointError, match=r"refused: status 401, 'busy'"):
        fitted(server).sample(1, labels="a", seed=1)


def test_what_was_paid_for_is_kept(server):
    gen = fitted(server, parallel=1, budget=300, price=(1.0, 10.0))
    with pytest.raises(BudgetSpentError, match=r"budget of 300 tokens is spent \(300\); 3 of 5 answers are kept"):
        gen.sample(labels=["a"] * 5, seed=0)
    assert gen.spent["requests"] == 3 and gen.spent["cost"] == pytest.approx((270 * 1 + 30 * 10) / 1e6)
    again = fitted(server, parallel=1, budget=200)
    assert len(set(again.sample(labels=["a"] * 5, seed=0).x)) == 5
    assert again.spent["from the cache"] == 3 and len(server.requests) == 5


def test_a_recording_goes_on_where_the_budget_ended(server, tmp_path):
    with pytest.raises(BudgetSpentError):
        augsynth.record(fitted(server, parallel=1, budget=500), 12, tmp_path / "out", shard_size=4, progress=False)
    folder = augsynth.record(fitted(server), 12, tmp_path / "out", shard_size=4, progress=False)
    assert len(server.requests) == 12 and len(augsynth.recorded(folder)) == 12


def test_what_is_sent_and_what_is_not(server, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_KEY", "secret-1234")
    gen = fitted(server, key_env="MY_KEY", examples=2, descriptions={"a": "about the letter a"})
    gen.sample(1, labels="a", seed=0)
    body, headers = server.requests[0]
    asked = body["messages"][1]["content"]
    assert headers["Authorization"] == "Bearer secret-1234" and "about the letter a" in asked
    shown = [json.loads(line) for line in asked.splitlines()[1:3]]
    assert {text for text, _ in DATA} >= set(shown) and all(text.endswith("of the a") for text in shown)
    gen.save(tmp_path / "gen")
    kept = "".join(file.read_text("utf-8", "ignore") for file in tmp_path.rglob("*.json"))
    assert "secret-1234" not in kept
    with pytest.warns(augsynth.FitWarning, match=r"6 of 6 real texts will be sent to api.example.org"):
        augsynth.fit("endpoint", DATA, url="https://api.example.org/v1", model="m", progress=False)


def test_copies_are_no_samples(server):
    server.says = '"red number 0 of the a"'
    with pytest.raises(EndpointError, match="that nearly are real ones, 3 times"):
        fitted(server).sample(1, labels="a", seed=0)
    server.says = '"something else altogether"'
    assert list(fitted(server).sample(1, labels="b", seed=0).x) == ["something else altogether"]


def test_a_blend_says_what_it_costs(server):
    with pytest.warns(augsynth.CostWarning, match="augsynth-endpoint/endpoint costs money or a wait"):
        augsynth.SyntheticDataset(DATA, fitted(server), ratio=0.5, seed=0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"url": "localhost"}, "url='localhost'"),
        ({"model": ""}, "model=''"),
        ({"tries": 0}, "tries=0"),
        ({"price": [1.0]}, "price="),
    ],
)
def test_bad_settings(server, config, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.fit("endpoint", DATA, progress=False, **{"url": server.url, "model": "m", **config})
