"""A sender for frames encoded and sent elsewhere; aiortc's own encoders are never used."""

import asyncio
import random
import time

from aiortc import RTCRtpSender, codecs, rtp
from aiortc.codecs import is_rtx
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpSendParameters,
)

from farhand.media.aiortc_ import private
from farhand.media.aiortc_.outlet import Outlet
from farhand.media.aiortc_.uplink import Uplink
from farhand.media.rtp import RtpStream, StreamParameters

PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
_IDS = {PLAYOUT_DELAY: 9, TRANSPORT_CC: 5}
"""Of our offers. Ids are shared in a bundle: no other extension of aiortc has one of these (1 to 3
are taken)."""
_FEEDBACK = RTCRtcpFeedback(type="transport-cc")


def install() -> None:
    """Let aiortc offer playout-delay and transport-wide feedback. Idempotent."""
    offered = codecs.HEADER_EXTENSIONS["video"]
    for uri, number in _IDS.items():
        if all(extension.uri != uri for extension in offered):
            offered.append(RTCRtpHeaderExtensionParameters(id=number, uri=uri))
    for codec in codecs.CODECS["video"]:
        if not is_rtx(codec) and _FEEDBACK not in codec.rtcpFeedback:
            codec.rtcpFeedback.append(_FEEDBACK)


class FrameSender(RTCRtpSender):
    """aiortc's end of one camera: the negotiated numbers, RTCP in, sender reports out.

    Args:
        transport: Of the media section.
        outlet: What is sent.
        uplink: Who sends it.

    """

    def __init__(self, transport: RTCDtlsTransport, *, outlet: Outlet, uplink: Uplink) -> None:
        super().__init__("video", transport)
        self.remb_bps: int | None = None
        self.outlet = outlet
        self._uplink = uplink
        self._stream: RtpStream | None = None

    @property
    def rtt_s(self) -> float | None:
        """Round trip by RTCP, smoothed."""
        rtt: float | None = private.read(self, RTCRtpSender, "rtt")
        return rtt

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Start with what was negotiated. aiortc calls this, possibly twice."""
        if self._stream is None:
            # First numbers below 2**15, as aiortc does: a wrap right at the start breaks SRTP's
            # count.
            self._stream = RtpStream(
                _stream_parameters(self, parameters),
                first_seq=random.getrandbits(15),
                first_rtx_seq=random.getrandbits(15),
                origin=random.getrandbits(32),
            )
        await super().send(parameters)

    def count(self) -> None:
        """Tell aiortc's sender reports what left."""
        if self._stream is not None:
            private.write(self, RTCRtpSender, "ntp_timestamp", _ntp_now())
            private.write(self, RTCRtpSender, "rtp_timestamp", self._stream.last_timestamp)
            private.write(self, RTCRtpSender, "packet_count", self._stream.packets)
            private.write(self, RTCRtpSender, "octet_count", self._stream.octets)

    async def _run_rtp(self, codec: RTCRtpCodecParameters) -> None:
        private.read(self, RTCRtpSender, "rtp_started").set()
        try:
            if self._stream is not None:
                self._uplink.attach(self.outlet, self._stream)
                await asyncio.get_running_loop().create_future()  # until stop() cancels it
        except asyncio.CancelledError:
            pass
        finally:
            self._uplink.detach(self.outlet)
            # aiortc's stop() waits for this.
            private.read(self, RTCRtpSender, "rtp_exited").set()

    async def _handle_rtcp_packet(self, packet: rtp.AnyRtcpPacket) -> None:
        if isinstance(packet, rtp.RtcpRtpfbPacket):
            if packet.fmt == rtp.RTCP_RTPFB_NACK:
                self._uplink.repair(self.outlet, packet.lost, self._rtt_us)
        elif isinstance(packet, rtp.RtcpPsfbPacket):
            if packet.fmt == rtp.RTCP_PSFB_APP:
                self._take_remb(packet.fci)
            elif packet.fmt in (rtp.RTCP_PSFB_PLI, rtp.RTCP_PSFB_FIR):
                self.outlet.want_key_frame()
        else:
            await super()._handle_rtcp_packet(packet)
            if isinstance(packet, (rtp.RtcpRrPacket, rtp.RtcpSrPacket)):
                self._take_reports(packet.reports)

    def _take_reports(self, reports: list[rtp.RtcpReceiverInfo]) -> None:
        for report in reports:
            if report.ssrc == self._ssrc:
                self.outlet.loss = report.fraction_lost / 256
                self._uplink.take_report(self._rtt_us)

    def _take_remb(self, fci: bytes) -> None:
        try:
            bitrate_bps, ssrcs = rtp.unpack_remb_fci(fci)
        except ValueError:
            return
        if self._ssrc in ssrcs:
            self.remb_bps = int(bitrate_bps)
            self._uplink.take_remb(self.remb_bps)

    @property
    def _rtt_us(self) -> int | None:
        return int(self.rtt_s * 1e6) if self.rtt_s is not None else None


def _ntp_now() -> int:
    seconds_1900_to_1970 = 2_208_988_800
    return int((time.time() + seconds_1900_to_1970) * (1 << 32))


def _known(payload_type: int | None) -> int:
    if payload_type is None:
        raise ConnectionError("The codec was negotiated without a payload type.")
    return payload_type


def _stream_parameters(sender: RTCRtpSender, parameters: RTCRtpSendParameters) -> StreamParameters:
    codec = parameters.codecs[0]
    rtx = [
        c for c in parameters.codecs if is_rtx(c) and c.parameters.get("apt") == codec.payloadType
    ]
    ids = {extension.uri: extension.id for extension in parameters.headerExtensions}
    return StreamParameters(
        ssrc=sender._ssrc,
        payload_type=_known(codec.payloadType),
        rtx_ssrc=sender._rtx_ssrc,
        rtx_payload_type=rtx[0].payloadType if rtx else None,
        mid=parameters.muxId,
        mid_id=ids.get(MID, 0),
        abs_send_time_id=ids.get(ABS_SEND_TIME, 0),
        playout_delay_id=ids.get(PLAYOUT_DELAY, 0),
        transport_cc_id=ids.get(TRANSPORT_CC, 0) if _FEEDBACK in codec.rtcpFeedback else 0,
    )
