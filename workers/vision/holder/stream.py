"""One held stream: a thread that owns the only connection and decodes only what is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from workers.vision.errors import SourceError, SourceFault
from workers.vision.frames import Frame
from workers.vision.holder.backoff import Backoff
from workers.vision.holder.counters import Counters
from workers.vision.holder.dispatcher import Mailbox
from workers.vision.holder.due import DueGate
from workers.vision.holder.following import Following
from workers.vision.holder.pictures import PictureDesk
from workers.vision.holder.states import StateChange, StateMachine, StreamState
from workers.vision.holder.turns import Turns
from workers.vision.holder.watch import PictureWatch
from workers.vision.holder.wishes import Demand, StreamWish
from workers.vision.keyframes import ASSUMED_GOP
from workers.vision.live import LiveRemuxer
from workers.vision.sources import AddressPolicy, VideoPacket, VideoSource, mask_url, open_source

logger = logging.getLogger(__name__)

OnState = Callable[[str, StateChange], None]
HEALTHY_AFTER = 30.0
"""Seconds of packets after which a connection counts as held and the backoff starts small again."""
JUDGE_EVERY = 1.0
NAP_EACH, NAP, MOST_GATHERED = 0.5, 0.84, 256 * 1024
"""While nobody wants every frame, a stream is read each 0.5 s and then takes what TCP has gathered in one go; less
where more than 256 KiB would gather, which a receive buffer may not hold. A hundred threads that wake for every
packet cost more than their decoding; twice as many packets in one go made them a fifth cheaper. Where the source does
not sleep between its own reads the thread does, for this share of the time."""
PATIENCE = 2 * ASSUMED_GOP
"""Packets; a stream that shows no keyframe for so many has none worth waiting for."""
HEALTH_EVERY = 5.0
"""Seconds between keyframes converted only to look after the picture's health (full decode)."""


class HeldStream:
    """Started at once; update() changes what is wished; stop() ends it without waiting."""

    def __init__(
        self,
        stream_id: str,
        wish: StreamWish,
        *,
        policy: AddressPolicy,
        mailbox: Mailbox,
        turns: Turns,
        on_state: OnState,
        backoff: Backoff | None = None,
    ) -> None:
        self.stream_id, self.wish = stream_id, wish
        self.counters, self.machine = Counters(), StateMachine()
        self.watch = PictureWatch()
        self.remuxer = LiveRemuxer()
        self.pictures = PictureDesk()
        self._policy, self._mailbox, self._turns, self._on_state = policy, mailbox, turns, on_state
        self._backoff = backoff or Backoff()
        self._gate = DueGate()
        self._gate.update(wish.demands)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._source: VideoSource | None = None
        self._force_tcp = False
        self._following = Following(stream_id, turns)
        self._thread = threading.Thread(target=self._run, name=f"stream-{stream_id}", daemon=True)
        self._thread.start()

    def update(self, wish: StreamWish) -> None:
        """A new wish: another address reconnects at once, other demands take effect with the next packet."""
        with self._lock:
            before, self.wish = self.wish, wish
            self._gate.update(wish.demands)
        if (before.url, before.options, before.enabled) != (wish.url, wish.options, wish.enabled):
            self._interrupt()

    def due_now(self) -> None:
        """All demands are due at once."""
        with self._lock:
            self._gate = DueGate()
            self._gate.update(self.wish.demands)

    def stop(self) -> None:
        """Close the connection as soon as the thread can; returns at once."""
        self._stopped = True
        self._mailbox.close()
        self.remuxer.close()
        self._interrupt()

    @property
    def takes_turns(self) -> bool:
        """Is every picture wanted, but not decoded while it is the turn of others?"""
        return self._gate.needs_all and self._turns.is_put_off(self.stream_id)

    def join(self, timeout: float) -> bool:
        """Wait for the thread; True if it ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _interrupt(self) -> None:
        source = self._source
        self._wake.set()
        if source is not None:
            source.abort()

    def _move(self, state: StreamState, cause: str, message: str = "") -> None:
        change = self.machine.move(state, cause, message)
        if change is None:
            return
        logger.info(
            "stream %s is %s: %s", self.stream_id, state.value, cause, extra={"stream": self.stream_id}
        )
        try:
            self._on_state(self.stream_id, change)
        except Exception:
            logger.exception("state consumer failed", extra={"stream": self.stream_id})

    def _run(self) -> None:
        first = True
        while not self._stopped:
            self._wake.clear()
            wish = self.wish
            if not wish.enabled:
                self._move(StreamState.DISABLED, "disabled")
                self._wake.wait()
                continue
            self.counters.reconnects += not first
            first = False
            delay = self._connect(wish)
            if not self._stopped and wish is self.wish:
                self._wake.wait(delay)
        self._move(StreamState.DISABLED, "released")

    def _connect(self, wish: StreamWish) -> float:
        """One connection from opening to its end; the seconds to wait before the next."""
        self._move(StreamState.CONNECTING, "starting")
        try:
            options = replace(wish.options, transport="tcp") if self._force_tcp else wish.options
            with open_source(wish.url, policy=self._policy, options=options) as source:
                self._source = source
                self._consume(source, wish)
            fault = SourceError(SourceFault.ENDED, "The stream ended.")
        except SourceError as error:
            fault = error
        except Exception as error:  # a defect here must not take the other streams along
            logger.exception("stream failed", extra={"stream": self.stream_id})
            fault = SourceError(SourceFault.UNREACHABLE, "The stream failed unexpectedly.", detail=str(error))
        finally:
            self._source = None
            self.remuxer.end()
            self.pictures.clear()
            self._following.leave()
        if self._stopped:
            return 0.0
        if fault.fault is SourceFault.CLOSED or wish is not self.wish:
            self._backoff.reset()
            self._move(StreamState.OFFLINE, "changed")
            return 0.0
        self.counters.last_error = mask_url(str(fault))
        self._move(StreamState.OFFLINE, fault.fault.value, mask_url(fault.message))
        return self._backoff.next()

    def _consume(self, source: VideoSource, wish: StreamWish) -> None:
        if self._stopped or self._must_reopen(wish):
            return
        self.watch.reopened(source.info.fps if source.info.live else 0.0)
        self.remuxer.begin(source)
        self._following.reopened()
        begun: float | None = None
        judged = rested = float("-inf")
        counted = self.counters.bytes
        last_key: tuple[int, float] | None = None
        for packet in source:
            moment = packet.time.timestamp()
            if last_key is None and packet.index >= PATIENCE:
                raise SourceError(SourceFault.NO_KEYFRAME, "No keyframe came in two groups of pictures.")
            begun = moment if begun is None else begun
            if self._backoff.failures and moment - begun > HEALTHY_AFTER:
                self._backoff.reset()
            self._count(packet, moment)
            if packet.is_keyframe:
                if last_key is not None:
                    self.counters.gop = packet.index - last_key[0]
                    self.counters.gop_seconds = moment - last_key[1]
                last_key = (packet.index, moment)
                self.pictures.keep(packet)
            if self.pictures.is_wanted:
                self.pictures.serve(source)
            if self.wish.live:
                self.remuxer.feed(packet)
            self._decode_due(source, packet, moment)
            if packet.is_keyframe or moment - judged > JUDGE_EVERY:
                self._judge()
                judged = moment
            if last_key is not None and moment - rested > NAP_EACH:
                gathered = self.counters.bytes - counted
                rested, counted = moment, self.counters.bytes
                self._rest(source, gathered / NAP_EACH)

    def _rest(self, source: VideoSource, bytes_a_second: float) -> None:
        options = self.wish.options
        buffered = (source.info.live and options.transport == "tcp") or options.realtime
        naps = buffered and not self._gate.needs_all and not self.remuxer.viewers
        gather = min(NAP_EACH, MOST_GATHERED / max(bytes_a_second, 1.0))
        if not source.set_gather(gather if naps else None) and naps:
            # Not the event: waiting on it costs three times as much, a few hundred times a second.
            time.sleep(gather * NAP)

    def _must_reopen(self, wish: StreamWish) -> bool:
        now = self.wish
        return (now.url, now.options, now.enabled) != (wish.url, wish.options, wish.enabled)

    def _count(self, packet: VideoPacket, moment: float) -> None:
        counters = self.counters
        counters.packets += 1
        counters.bytes += packet.size
        counters.keyframes += packet.is_keyframe
        counters.last_packet_at = packet.time
        counters.fps = self.watch.packet(moment) or counters.fps

    def _decode_due(self, source: VideoSource, packet: VideoPacket, moment: float) -> None:
        if not packet.is_keyframe and not self._gate.needs_all:
            self._following.pause()
            return  # nearly all packets
        with self._lock:
            needs_all = self._gate.needs_all
            due = self._gate.due(moment, keyframe=packet.is_keyframe)
        if packet.is_keyframe and not needs_all:
            self._following.leave()
        if needs_all and self._following.allows(packet, live=source.info.live):
            frame = self._decode_all(source, packet, moment, bool(due))
        elif packet.is_keyframe and due:
            frame = source.decode_keyframe(packet)
            self._tally(moment, damaged=frame is None)
        else:
            self.counters.skipped += needs_all
            return
        if frame is None:
            return
        if not frame.corrupt:
            if frame.keyframe or not needs_all:
                self.watch.frame(frame, moment)
            if due:
                self._send(frame, due, moment)

    def _decode_all(self, source: VideoSource, packet: VideoPacket, moment: float, due: bool) -> Frame | None:
        """Everything goes through the decoder, from a keyframe on; only wanted pictures are converted."""
        if self._following.begins:
            source.forget()  # with B pictures the decoder would show one of before the gap as one of now
        look = packet.is_keyframe and self.watch.is_due(moment, HEALTH_EVERY)
        frame = source.decode(packet, want=due or look)
        if self._following.is_settled or not source.damaged:
            self._tally(moment, damaged=source.damaged)
        return frame

    def _tally(self, moment: float, *, damaged: bool) -> None:
        self.counters.decoded += not damaged
        self.counters.corrupt += damaged
        self.watch.decode(moment, damaged)
        if self.watch.too_damaged:
            self._force_tcp = True
            self.watch.damage.clear()
            raise SourceError(
                SourceFault.CORRUPT, "More than a fifth of the last minute was damaged; connecting again."
            )

    def _send(self, frame: Frame, due: tuple[Demand, ...], moment: float) -> None:
        with self._lock:
            self._gate.serve(due, moment)
        self.counters.last_frame_at = frame.time
        self._mailbox.put(frame, due)
        self.counters.dropped = self._mailbox.dropped
        self.counters.delivered = self._mailbox.delivered
        self.counters.deepest_queue = self._mailbox.deepest

    def _judge(self) -> None:
        cause = self.watch.cause
        if self.machine.state is StreamState.CONNECTING:
            self._move(StreamState.ONLINE, "receiving")
        self._move(StreamState.DEGRADED if cause else StreamState.ONLINE, cause or "receiving")
