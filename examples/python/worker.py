#!/usr/bin/env python3
"""A complete worker for runhost in one file, and a replayer of the protocol's fixtures.

    RUNHOST_URL=ws://127.0.0.1:7420/rpc RUNHOST_TOKEN=rh_… python3 worker.py
    HOST_URL=ws://127.0.0.1:7420/rpc HOST_ADMIN_TOKEN=… python3 worker.py --replay ../../protocol

The worker serves one runner, `word_count`: it counts the words of `input.text` line by line. For a
worker of your own, replace the function word_count; everything else can stay as it is.

It needs Python 3.9 and nothing else. The package `websockets` (Debian: python3-websockets) is used
where it is installed; otherwise a WebSocket client of this file does the same.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import re
import signal
import socket as sockets
import ssl
import struct
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

try:
    import websockets
except ImportError:
    websockets = None

MAX_MESSAGE_BYTES = 16 * 1024 * 1024  # an answer of run_claim holds up to 8 MiB of requests
CALL_SECONDS = 30
CLAIM_WAIT_SECONDS = 20
HEARTBEAT_TTL_SECONDS = 30


# ------------------------------------------------------------------------------------------------
# The runner: what a worker is for. `run` is a HeldRun.


async def word_count(run):
    text = (run.work["input"] or {}).get("text")
    if not isinstance(text, str):
        raise BadInput("input.text has to be a string")
    pause = run.work["binding"]["runner_config"].get("seconds_per_line", 0)
    lines, words, done = text.splitlines(), Counter(), 0
    while True:
        # What was added to the conversation since; asked before each line that a hint came before,
        # and always before the end, as what is not confirmed then is treated as not seen.
        if run.steering_hinted or done == len(lines):
            items = await run.steering()
            for item in items:
                lines += ((item.get("input") or {}).get("text") or "").splitlines()
            await run.confirm(items)
        if done == len(lines):
            break
        found = re.findall(r"\w+", lines[done].lower())
        words.update(found)
        done += 1
        chunk = {"role": "assistant", "content": f"line {done}: {len(found)} words\n"}
        await run.emit("message.delta", {"chunk": chunk})
        await asyncio.sleep(pause)
    frequent = ", ".join(f"{word} ({n})" for word, n in words.most_common(3))
    content = f"{sum(words.values())} words: {frequent}"
    await run.emit("message.completed", {"message": {"role": "assistant", "content": content}})
    await run.emit("run.completed", {"finish_reason": "stop"})


RUNNER = "word_count"
HANDLER = word_count
DESCRIPTOR = {
    "label": {"en": "Word count"},
    "description": {"en": "Counts the words of a text, line by line."},
    "capabilities": {"steering": True, "interactions": False},
}


# ------------------------------------------------------------------------------------------------
# What can go wrong.


class BadInput(Exception):
    """The request itself is wrong: trying again would not help."""


class HostError(Exception):
    """The host's refusal: `code` as in error.data.code, `data` with everything else."""

    def __init__(self, error):
        super().__init__(f"{error.get('message')}")
        self.data = error.get("data") or {}
        self.code = self.data.get("code", str(error.get("code")))
        self.reason = self.data.get("reason")
        self.retryable = self.data.get("retryable") is True


class ConnectionLost(Exception):
    def __init__(self, code):
        super().__init__(f"the connection is gone ({code})")
        self.code = code


class UpgradeRefused(Exception):
    def __init__(self, status):
        super().__init__(f"the upgrade was refused with {status}")
        self.status = status


class RunLost(Exception):
    """The run is somebody else's now, or has ended: nothing more may be done for it."""


# ------------------------------------------------------------------------------------------------
# WebSockets: send(text), receive() -> text, close(). Both kinds raise ConnectionLost.


class PlainSocket:
    """The client side of RFC 6455, text messages only, on asyncio streams."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.close_code = 1006
        self.sending = asyncio.Lock()

    @classmethod
    async def open(cls, url, bearer=None):
        parts = urlsplit(url)
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        reader, writer = await asyncio.open_connection(
            parts.hostname, port, ssl=context, limit=MAX_MESSAGE_BYTES
        )
        try:
            await cls.shake_hands(reader, writer, parts, bearer)
        except BaseException:
            writer.close()
            raise
        return cls(reader, writer)

    @staticmethod
    async def shake_hands(reader, writer, parts, bearer):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if bearer is not None:
            lines.append(f"Authorization: Bearer {bearer}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        if status != 101:
            raise UpgradeRefused(status)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if headers.get("sec-websocket-accept") != base64.b64encode(proof).decode():
            raise ConnectionLost(1002)

    async def send(self, text):
        await self.send_frame(0x1, text.encode())

    async def send_frame(self, opcode, payload):
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)
        # One exclusive or over the whole payload as a number: a loop would take seconds for 1 MiB.
        pattern = (mask * (length // 4 + 1))[:length]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
        try:
            async with self.sending:
                self.writer.write(head + mask + masked.to_bytes(length, "big"))
                await self.writer.drain()
        except (OSError, RuntimeError) as cause:
            raise ConnectionLost(self.close_code) from cause

    async def receive(self):
        message = b""
        while True:
            try:
                final, opcode, payload = await self.read_frame()
            except (OSError, EOFError, asyncio.IncompleteReadError) as cause:
                raise ConnectionLost(self.close_code) from cause
            if opcode == 0x8:
                self.close_code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                await self.send_frame(0x8, payload[:2])
                self.writer.close()
                raise ConnectionLost(self.close_code)
            if opcode == 0x9:
                await self.send_frame(0xA, payload)
            elif opcode in (0x0, 0x1):
                message += payload
                if final:
                    return message.decode()

    async def read_frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", await self.reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", await self.reader.readexactly(8))[0]
        if length > MAX_MESSAGE_BYTES or second & 0x80:
            self.writer.close()
            raise EOFError("a frame that a host does not send")
        return first & 0x80, first & 0x0F, await self.reader.readexactly(length)

    async def close(self):
        try:
            await self.send_frame(0x8, struct.pack("!H", 1000))
        except ConnectionLost:
            pass
        self.writer.close()


class LibrarySocket:
    """The same over the package `websockets`, from version 10 on."""

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    async def open(cls, url):
        try:
            return cls(await websockets.connect(url, max_size=MAX_MESSAGE_BYTES))
        except websockets.exceptions.InvalidHandshake as cause:
            raise ConnectionLost(1006) from cause

    async def send(self, text):
        try:
            await self.inner.send(text)
        except websockets.exceptions.ConnectionClosed as cause:
            raise ConnectionLost(self.code_of(cause)) from cause

    async def receive(self):
        try:
            return await self.inner.recv()
        except websockets.exceptions.ConnectionClosed as cause:
            raise ConnectionLost(self.code_of(cause)) from cause

    @staticmethod
    def code_of(cause):
        return cause.rcvd.code if cause.rcvd else 1006

    async def close(self):
        await self.inner.close()


# ------------------------------------------------------------------------------------------------
# The host: JSON-RPC 2.0 over one connection that is made again whenever it is lost.


class Host:
    def __init__(self, url, token, socket_kind):
        self.url, self.token, self.socket_kind = url, token, socket_kind
        self.identity = None
        self.on_notification = lambda method, params: None
        self.on_open = lambda: None
        self.socket = None
        self.opened = asyncio.Event()
        self.waiting = {}
        self.next_id = 0
        self.failed = None
        self.keeper = None

    async def start(self):
        self.keeper = asyncio.ensure_future(self.keep_connected())
        await self.until_open()

    async def keep_connected(self):
        """Connects, reads until the connection is lost, waits a little, connects again."""
        pause = 0.1
        while True:
            try:
                self.socket = await self.socket_kind.open(self.url)
                reader = asyncio.ensure_future(self.read())
                try:
                    login = {"token": self.token, "client": {"name": "python example"}}
                    me = await self.exchange("plugin_connect", login, CALL_SECONDS)
                    self.identity = me["plugin_identity"]
                    pause = 0.1
                    self.opened.set()
                    self.on_open()
                    await reader
                finally:
                    reader.cancel()
                    await self.socket.close()
            except HostError as refused:
                if not refused.retryable:
                    self.failed = refused  # a token that is not accepted will not be accepted later
                    self.opened.set()
                    return
            except (OSError, EOFError, ConnectionLost, UpgradeRefused) as cause:
                say(f"{cause}; trying again")
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, 5)

    async def read(self):
        try:
            while True:
                frame = json.loads(await self.socket.receive())
                if "method" in frame:
                    self.on_notification(frame["method"], frame["params"])
                elif frame.get("id") in self.waiting:
                    answer = self.waiting.pop(frame["id"])
                    if not answer.done():
                        answer.set_result(frame)
        except ConnectionLost as lost:
            self.opened.clear()
            waiting, self.waiting = self.waiting, {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(lost)
            raise

    async def until_open(self):
        await self.opened.wait()
        if self.failed:
            raise self.failed

    async def exchange(self, method, params, seconds):
        self.next_id += 1
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}
        answer = asyncio.get_running_loop().create_future()
        self.waiting[request["id"]] = answer
        try:
            await self.socket.send(json.dumps(request))
            frame = await asyncio.wait_for(answer, seconds)
        except asyncio.TimeoutError:
            # A host that is this late is gone, or the way to it is.
            await self.socket.close()
            raise ConnectionLost(1006) from None
        finally:
            self.waiting.pop(request["id"], None)
        if "error" in frame:
            raise HostError(frame["error"])
        return frame["result"]

    async def call(self, method, params, seconds=CALL_SECONDS):
        """The result. Where the answer was lost, or the host asks for patience, the very same call
        is sent again: every write of the protocol says what a repeat does."""
        pause = 0.1
        while True:
            await self.until_open()
            try:
                return await self.exchange(method, params, seconds)
            except ConnectionLost:
                pass
            except HostError as refused:
                if refused.code not in ("UNAVAILABLE", "OVERLOADED", "RATE_LIMITED"):
                    raise
                pause = refused.data.get("retry_after_ms", pause * 1000) / 1000
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, 5)

    async def stop(self):
        self.keeper.cancel()
        await asyncio.gather(self.keeper, return_exceptions=True)


# ------------------------------------------------------------------------------------------------
# One claimed run: numbered events, the lease, steering, and the ways in which it ends.


class HeldRun:
    def __init__(self, host, work, lease_seconds):
        self.host, self.work, self.lease_seconds = host, work, lease_seconds
        self.run_id = work["run_id"]
        self.claim = {
            "runtime_id": work["claimed_by_runtime_id"],
            "claim_token": work["claim_token"],
            "claim_epoch": work["claim_epoch"],
        }
        # Whoever takes a run over goes on behind what is stored.
        self.sequence = work["last_sequence"] + 1
        self.has_written = False
        self.steering_hinted = True
        self.handler = None
        self.stopped_by = None  # "cancel", "lost" or "drain"

    async def emit(self, type, data, **more):
        params = {"sequence": self.sequence, "type": type, "data": data, **more}
        self.has_written = True
        stored = await self.call("run_emit_result", target_run_id=self.run_id, **params)
        self.sequence += 1
        return stored

    async def steering(self):
        """What came in for the run since the last call; confirm() it once it is taken in."""
        self.steering_hinted = False
        return (await self.call("steering_pull", run_id=self.run_id))["items"]

    async def confirm(self, items):
        if items:
            ids = [item["steering_id"] for item in items]
            await self.call("steering_ack", run_id=self.run_id, steering_ids=ids)

    async def call(self, method, **params):
        try:
            return await self.host.call(method, {**params, **self.claim})
        except HostError as refused:
            if refused.code in ("LEASE_LOST", "RUN_TERMINAL", "SESSION_EXPIRED"):
                raise RunLost(refused.code) from refused
            raise

    def stop(self, why):
        """Ends the handler where it waits; the first reason stands."""
        if self.stopped_by is None:
            self.stopped_by = why
            if self.handler:
                self.handler.cancel()

    async def keep_lease(self):
        """At a third of the lease: two renewals may be lost before somebody else takes the run."""
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            try:
                run = await self.call(
                    "run_renew_claim", target_run_id=self.run_id, lease_seconds=self.lease_seconds
                )
            except RunLost:
                self.stop("lost")
                return
            if run["cancel_requested_at"] is not None:
                self.stop("cancel")

    async def serve(self, handle):
        self.handler = asyncio.ensure_future(handle(self))
        renewal = asyncio.ensure_future(self.keep_lease())
        if self.stopped_by:
            self.handler.cancel()
        try:
            return await self.finish()
        except RunLost as lost:
            return f"lost: {lost}"
        except HostError as refused:
            # The last event was stored before the cancel came: the run has ended already.
            return f"ended before: {refused.code} {refused.reason}"
        finally:
            renewal.cancel()

    async def finish(self):
        """Waits for the handler and tells the host how it went, where the handler has not."""
        target = {"target_run_id": self.run_id}
        try:
            await self.handler
            return "done"
        except asyncio.CancelledError:
            if self.stopped_by == "cancel":
                await self.call("run_finalize", status="cancelled", **target)
                return "cancelled"
            if self.stopped_by == "lost":
                return "lost"
            # A claim under which nothing was written does not count as an attempt.
            back = {"reason": "worker stops", "refund_attempt": not self.has_written, **target}
            await self.call("run_release_claim", **back)
            return "handed back"
        except RunLost:
            raise
        except Exception as cause:
            # Retryable failures come back to a queue, until the run's attempts are used up.
            retryable = not isinstance(cause, BadInput)
            error = f"{cause}" or type(cause).__name__
            await self.emit("run.failed", {"error": error, "retryable": retryable})
            return f"failed: {error}"


# ------------------------------------------------------------------------------------------------
# The worker: one runtime that claims as many runs as it has room for.


class Worker:
    def __init__(self, host, options):
        self.host, self.options = host, options
        made_up = f"python-{sockets.gethostname()}-{uuid.uuid4().hex[:8]}"
        self.runtime_id = options.runtime or made_up
        self.held = {}
        self.tasks = set()
        self.stopping = asyncio.Event()
        self.beat_now = asyncio.Event()

    async def work(self):
        host = self.host
        host.on_notification = self.hear
        await host.start()
        # A hint may have been sent while nobody listened.
        host.on_open = self.look_again
        runner_id = f"plugin:{host.identity}/{RUNNER}"
        await host.call("runner_register", {"runners": [{"id": runner_id, **DESCRIPTOR}]})
        await self.register()
        say(f"ready {runner_id} {self.runtime_id} over {host.socket_kind.__name__}")
        heartbeat = asyncio.ensure_future(self.send_heartbeats())
        stopping = asyncio.ensure_future(self.stopping.wait())
        claiming = asyncio.ensure_future(self.claim_runs(runner_id, stopping))
        working = {heartbeat, claiming, stopping}
        await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        self.stopping.set()
        await self.drain(claiming)
        heartbeat.cancel()
        for failed in await asyncio.gather(heartbeat, claiming, return_exceptions=True):
            if isinstance(failed, Exception):
                raise failed
        await host.call("runtime_deregister", {"runtime_id": self.runtime_id})
        await host.stop()
        say("stopped")

    async def register(self):
        description = {
            "display_name": "Python example",
            "heartbeat_ttl_seconds": HEARTBEAT_TTL_SECONDS,
        }
        await self.host.call("runtime_register", {"runtime_id": self.runtime_id, **description})

    def hear(self, method, params):
        run = self.held.get(params.get("run_id"))
        if run and method == "run_cancel_requested":
            run.stop("cancel")
        if run and method == "steering_available":
            run.steering_hinted = True

    def look_again(self):
        self.beat_now.set()
        for run in self.held.values():
            run.steering_hinted = True

    async def send_heartbeats(self):
        while True:
            try:
                await asyncio.wait_for(self.beat_now.wait(), HEARTBEAT_TTL_SECONDS / 3)
            except asyncio.TimeoutError:
                pass
            self.beat_now.clear()
            beat = {"runtime_id": self.runtime_id, "heartbeat_ttl_seconds": HEARTBEAT_TTL_SECONDS}
            try:
                await self.host.call("runtime_heartbeat", beat)
            except HostError as refused:
                if refused.code != "NOT_FOUND":
                    raise
                await self.register()

    async def claim_runs(self, runner_id, stopping):
        asked = {
            "runtime_id": self.runtime_id,
            "runner_ids": [runner_id],
            "lease_seconds": self.options.lease_seconds,
            "wait_seconds": CLAIM_WAIT_SECONDS,
        }
        while not self.stopping.is_set():
            room = self.options.concurrency - len(self.tasks)
            if room == 0:
                freed = {*self.tasks, stopping}
                await asyncio.wait(freed, return_when=asyncio.FIRST_COMPLETED)
                continue
            try:
                # A claim whose answer was lost ends with its lease; claiming again takes others.
                seconds = CLAIM_WAIT_SECONDS + CALL_SECONDS
                claimed = await self.host.call("run_claim", {**asked, "max_runs": room}, seconds)
            except HostError as refused:
                if refused.reason == "runtime_not_online":
                    # This worker drains, an administrator holds it, or it was away for too long.
                    self.beat_now.set()
                    await asyncio.wait({stopping}, timeout=1)
                elif refused.code != "NO_RUN_AVAILABLE":
                    raise
                continue
            for work in claimed["runs"]:
                self.serve(work)

    def serve(self, work):
        run = HeldRun(self.host, work, self.options.lease_seconds)
        self.held[run.run_id] = run
        task = asyncio.ensure_future(run.serve(HANDLER))
        self.tasks.add(task)
        # What is claimed while this worker drains goes straight back.
        if self.stopping.is_set():
            run.stop("drain")

        def done(task):
            self.tasks.discard(task)
            del self.held[run.run_id]
            say(f"run {run.run_id}: {task.exception() or task.result()}")

        task.add_done_callback(done)
        say(f"run {run.run_id}: claimed, epoch {work['claim_epoch']}")

    async def drain(self, claiming):
        """No new runs; the present ones have a while to end and are handed back after it."""
        say(f"draining, {len(self.tasks)} runs at work")
        draining = {"runtime_id": self.runtime_id, "status": "draining"}
        await self.host.call("runtime_heartbeat", draining)
        # A waiting run_claim is answered now: its runtime is not online any more.
        await asyncio.wait({claiming})
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=self.options.drain_seconds)
        for run in list(self.held.values()):
            run.stop("drain")
        if self.tasks:
            await asyncio.wait(self.tasks)


async def run_worker(options):
    token = os.environ.get("RUNHOST_TOKEN")
    if not token:
        raise SystemExit("worker: RUNHOST_TOKEN has to hold the token of a plugin")
    url = os.environ.get("RUNHOST_URL", "ws://127.0.0.1:7420/rpc")
    library = websockets is not None and not options.plain_socket
    worker = Worker(Host(url, token, LibrarySocket if library else PlainSocket), options)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, worker.stopping.set)
    try:
        await worker.work()
    except HostError as refused:
        raise SystemExit(f"worker: {refused.code}: {refused}") from None


def say(words):
    print(f"worker: {words}", flush=True)


# ------------------------------------------------------------------------------------------------
# The fixtures of protocol/, replayed as its README says, with nothing known of any host's code.

STEP_SECONDS = 20
PUBLISHED_LIMITS = {"max_message_bytes": 1114112, "max_batch": 100, "max_in_flight": 256}
ABSENT = object()


class Mismatch(Exception):
    pass


class Link:
    """One connection of a replay; notifications are kept apart from answers."""

    def __init__(self, socket):
        self.socket = socket
        self.notes, self.strays = [], []
        self.answer = None
        self.news = asyncio.Event()
        self.close_code = asyncio.get_running_loop().create_future()
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        try:
            while True:
                frame = json.loads(await self.socket.receive())
                if isinstance(frame, dict) and "method" in frame:
                    self.notes.append({"method": frame["method"], "params": frame["params"]})
                elif self.answer and not self.answer.done():
                    self.answer.set_result(frame)
                else:
                    self.strays.append(frame)
                self.news.set()
        except ConnectionLost as lost:
            if not self.close_code.done():
                self.close_code.set_result(lost.code)

    async def exchange(self, text):
        """Sends one frame; the next frame that is no notification is its answer."""
        self.answer = asyncio.get_running_loop().create_future()
        await self.socket.send(text)
        await asyncio.wait(
            {self.answer, self.close_code}, timeout=STEP_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self.answer.done():
            return self.answer.result()
        closed = self.close_code.result() if self.close_code.done() else "no"
        raise Mismatch(f"no answer came; closed: {closed}")

    async def until(self, look):
        end = time.monotonic() + STEP_SECONDS
        while True:
            self.news.clear()
            found = look()
            if found is not None:
                return found
            try:
                await asyncio.wait_for(self.news.wait(), max(0, end - time.monotonic()))
            except asyncio.TimeoutError:
                raise Mismatch(f"no such notification came; heard {short(self.notes)}") from None

    async def close(self):
        await self.socket.close()
        self.reader.cancel()


class Replay:
    replays = 0

    def __init__(self, folder, url, admin_token):
        Replay.replays += 1
        self.folder, self.url = folder, url
        suffix = f"{int(time.time()):x}{os.getpid():x}p{Replay.replays:x}"
        self.variables = {"suffix": suffix, "admin": "runhost/admin", "admin.token": admin_token}
        self.links = {}

    async def play_fixture(self, fixture):
        try:
            self.variables["now"] = (await self.ask("ping", {}))["time"]
            await self.build_world(fixture["world"])
            self.define(fixture.get("let", {}))
            for at, step in enumerate(fixture["steps"], 1):
                await self.play(f"step {at}", fixture["as"], step)
            for name, link in self.links.items():
                if link.strays:
                    raise Mismatch(f"{name} got answers to nothing: {short(link.strays)}")
        finally:
            await asyncio.gather(*(link.close() for link in self.links.values()))

    async def build_world(self, name):
        world = read_json(self.folder / "worlds" / f"{name}.json")
        if "after" in world:
            await self.build_world(world["after"])
        for who, described in world.get("identities", {}).items():
            identity = described.get("identity", f"fx-{self.variables['suffix']}/{who}")
            named = {"plugin_identity": identity}
            if "tenant_id" in described:
                named["tenant_id"] = self.fill(described["tenant_id"])
            permissions = described["permissions"]
            made = await self.ask("plugin_register", {**named, "permissions": permissions})
            if "token" not in made:
                made = await self.ask("plugin_rotate_token", named)
            self.variables[who] = identity
            self.variables[f"{who}.token"] = made["token"]
        self.define(world.get("let", {}))
        for at, step in enumerate(world.get("steps", []), 1):
            await self.play(f"world {name} step {at}", "admin", step)

    def define(self, values):
        for name, value in values.items():
            self.variables[name] = self.fill(value)

    async def ask(self, method, params):
        link = await self.link_of("admin", "admin")
        answer = await link.exchange(write_request(method, params))
        if "result" not in answer:
            raise Mismatch(f"{method}: {short(answer)}")
        return answer["result"]

    async def link_of(self, key, identity):
        if key not in self.links:
            bearer = None if identity == "nobody" else self.variables[f"{identity}.token"]
            self.links[key] = Link(await PlainSocket.open(self.url, bearer))
        return self.links[key]

    async def play(self, label, acting, step):
        try:
            answer = await self.perform(step.get("as", acting), step)
            for name, path in step.get("save", {}).items():
                self.variables[name] = read_path(answer, path)
        except (Mismatch, ConnectionLost, UpgradeRefused, OSError) as cause:
            raise Mismatch(f"{label}: {cause}") from cause

    async def perform(self, identity, step):
        expected = self.fill(step.get("expect", {}))
        if "upgrade" in step:
            return demand({"status": await self.upgrade(self.fill(step["upgrade"]))}, expected)
        link = await self.link_of(step.get("on", identity), identity)
        if "closed" in step:
            await asyncio.wait({link.close_code}, timeout=STEP_SECONDS)
            code = link.close_code.result() if link.close_code.done() else "still open"
            return demand({"closed": code}, {"closed": step["closed"]})
        if "unheard" in step:
            unwanted = self.fill(step["unheard"])
            heard = [note for note in link.notes if not differences(note, unwanted)]
            return demand({"heard": heard}, {"heard": []})
        if "notify" in step:
            return await self.await_notified(link, self.fill(step["notify"]))
        text = self.write_frame(step["send"])
        if expected.get("silence"):
            try:
                return await link.socket.send(text)
            except ConnectionLost:
                return None  # a step `closed` judges that
        frame = await link.exchange(text)
        if "frame" in expected:
            return demand({"frame": frame}, expected)
        return demand(frame, expected)

    async def upgrade(self, upgrade):
        url = urlsplit(self.url)._replace(path=upgrade.get("path", urlsplit(self.url).path))
        try:
            socket = await PlainSocket.open(url.geturl(), upgrade.get("token"))
        except UpgradeRefused as refused:
            return refused.status
        await socket.close()
        return 101

    async def await_notified(self, link, wanted):
        if isinstance(wanted, list):
            taken = []

            def take():
                while link.notes and len(taken) < len(wanted):
                    note = link.notes.pop(0)
                    if note not in taken:
                        taken.append(note)
                return taken if len(taken) == len(wanted) else None

            return demand(await link.until(take), wanted)

        def find():
            for at, note in enumerate(link.notes):
                if not differences(note, wanted):
                    return link.notes.pop(at)
            return None

        return await link.until(find)

    def write_frame(self, send):
        if "raw" in send:
            return send["raw"]
        if "frame" in send:
            return json.dumps(self.fill(send["frame"]))
        filled = self.fill(send)
        return write_request(
            filled["method"], filled.get("params"), id=None if filled.get("notification") else 1
        )

    def fill(self, value, more=None):
        variables = {**self.variables, **(more or {})}

        def read(name):
            if name not in variables:
                raise Mismatch(f"the variable {name} is not set")
            return variables[name]

        def fill_text(text):
            whole = re.fullmatch(r"\$\{([\w.]+)\}", text)
            if whole:
                return read(whole[1])
            return re.sub(r"\$\{([\w.]+)\}", lambda found: str(read(found[1])), text)

        if isinstance(value, str):
            return fill_text(value)
        if isinstance(value, list):
            return [self.fill(member, more) for member in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), = value.items()
            if name == "$list":
                return [self.fill(argument[1], {"index": at}) for at in range(argument[0])]
            if name == "$repeat":
                return self.fill(argument[0], more) * argument[1]
            if name == "$deep":
                return json.loads('{"d":' * (argument - 1) + "{}" + "}" * (argument - 1))
            if name == "$now":
                return read("now") + argument
        return {str(fill_text(key)): self.fill(member, more) for key, member in value.items()}


def write_request(method, params, id=1):
    request = {"jsonrpc": "2.0", "method": method}
    if id is not None:
        request["id"] = id
    if params is not None:
        request["params"] = params
    return json.dumps(request)


def read_path(value, path):
    for part in path.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Mismatch(f"the answer has nothing at {path}") from None
    return value


def demand(answer, expected):
    found = differences(answer, expected)
    if found:
        raise Mismatch("; ".join(found) + f"; got {short(answer)}")
    return answer


def differences(actual, expected, path="answer"):
    """What keeps `actual` from matching; objects match in part, lists element by element."""
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{path}: is no list of {len(expected)}: {short(actual)}"]
        pairs = enumerate(zip(actual, expected))
        return [line for at, (a, b) in pairs for line in differences(a, b, f"{path}.{at}")]
    if not isinstance(expected, dict):
        wrong = f"{path}: is {short(actual)}, not {short(expected)}"
        return [] if same(actual, expected) else [wrong]
    if len(expected) == 1:
        (name, argument), = expected.items()
        if name.startswith("$"):
            return [] if matches(name, actual, argument) else [
                f"{path}: does not match {short(expected)}: {short(actual)}"
            ]
    if not isinstance(actual, dict):
        return [f"{path}: is no object: {short(actual)}"]
    return [
        line
        for key, wanted in expected.items()
        for line in differences(actual.get(key, ABSENT), wanted, f"{path}.{key}")
    ]


def matches(name, actual, argument):
    if name == "$absent":
        return actual is ABSENT
    if name == "$not":
        return bool(differences(actual, argument))
    if name == "$type":
        return argument in type_names(actual)
    if name == "$match":
        return isinstance(actual, str) and re.search(argument, actual) is not None
    if name == "$length":
        return isinstance(actual, (str, list)) and len(actual) == argument
    if name == "$between":
        return "number" in type_names(actual) and argument[0] <= actual <= argument[1]
    if name == "$has":
        return isinstance(actual, list) and all(
            any(not differences(item, wanted) for item in actual) for wanted in argument
        )
    if name == "$exact":
        return same(actual, argument)
    raise Mismatch(f"there is no matcher {name}")


def type_names(value):
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["boolean"]
    if isinstance(value, (int, float)):
        return ["number", "integer"] if value == int(value) else ["number"]
    kinds = {str: "string", list: "array", dict: "object"}
    return [kinds[type(value)]] if type(value) in kinds else []


def same(a, b):
    """Equality of JSON: true is not 1, and 1.0 is 1."""
    if type_names(a)[:1] != type_names(b)[:1]:
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def short(value):
    text = "absent" if value is ABSENT else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 600 else f"{text[:600]}…"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


async def read_abilities(url, admin_token):
    """What fixtures may need and this host has."""
    link = Link(await PlainSocket.open(url, admin_token))
    answer = await link.exchange(write_request("plugin_connect", {}))
    await link.close()
    limits = answer["result"]["limits"]
    has = {"default_limits"} if not differences(limits, PUBLISHED_LIMITS) else set()
    if os.environ.get("HOST_HAS_CONFIG"):
        has.add("config")
    if os.environ.get("HOST_SWEEPS_BY_HAND"):
        has.add("manual_sweeps")
    return has


async def replay_fixtures(options):
    folder = Path(options.replay)
    folder = folder.parent if folder.name == "fixtures" else folder
    url, admin_token = os.environ.get("HOST_URL"), os.environ.get("HOST_ADMIN_TOKEN")
    if not url or not admin_token:
        raise SystemExit("replay: HOST_URL and HOST_ADMIN_TOKEN have to name a host")
    files = sorted((folder / "fixtures").glob("*/*.json"))
    wanted = [(path, read_json(path)) for path in files if options.only in f"{path}"]
    has = await read_abilities(url, admin_token)
    failures, left_out, passed = [], [], 0
    gate = asyncio.Semaphore(options.at_once)
    # Identities of the configuration file have fixed names: their fixtures go one by one.
    alone = asyncio.Lock()

    async def replay(path, fixture):
        nonlocal passed
        name = f"{path.parent.name}/{path.stem}"
        needs = fixture.get("needs", [])
        if not has.issuperset(needs):
            return left_out.append(f"{name} needs {', '.join(needs)}")
        async with alone if "config" in needs else gate:
            try:
                await Replay(folder, url, admin_token).play_fixture(fixture)
                passed += 1
            except (Mismatch, ConnectionLost, UpgradeRefused, OSError) as cause:
                failures.append(f"{name}: {cause}")

    await asyncio.gather(*(replay(path, fixture) for path, fixture in wanted))
    for line in sorted(left_out):
        print(f"left out: {line}")
    for line in sorted(failures):
        print(f"failed: {line}")
    print(f"{passed} passed, {len(failures)} failed, {len(left_out)} left out")
    return 1 if failures or passed == 0 else 0


def main():
    options = argparse.ArgumentParser(
        description="A worker for runhost, or with --replay a check of a host by its fixtures."
    )
    options.add_argument("--runtime", help="name of the runtime (default: made up)")
    options.add_argument("--concurrency", type=int, default=4, help="runs at once (4)")
    options.add_argument("--lease-seconds", type=int, default=30, help="lease of a claim (30)")
    options.add_argument("--drain-seconds", type=float, default=20,
                         help="how long runs may take to end after SIGTERM (20)")
    options.add_argument("--plain-socket", action="store_true",
                         help="do not use the package websockets, even where it is installed")
    options.add_argument("--replay", metavar="FOLDER", help="protocol/, or its fixtures/")
    options.add_argument("--only", default="", metavar="TEXT",
                         help="fixtures with TEXT in their path")
    options.add_argument("--at-once", type=int, default=8, help="fixtures at once (8)")
    chosen = options.parse_args()
    if chosen.replay:
        sys.exit(asyncio.run(replay_fixtures(chosen)))
    asyncio.run(run_worker(chosen))


if __name__ == "__main__":
    main()
