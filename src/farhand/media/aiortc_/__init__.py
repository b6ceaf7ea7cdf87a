"""WebRTC by aiortc: the only package that may import aiortc or aioice.

It touches private parts of both (versions are pinned in ``pyproject.toml``); each of them has a
contract test in ``tests/media/aiortc_``, so that an upgrade fails there and not on a robot:

=============  =====================================================================================
module         private parts
=============  =====================================================================================
``channels``   ``RTCSctpTransport._data_channel_queue _data_channel_receive``
``guard``      ``StunProtocol.datagram_received``, ``Connection._nominated _check_list`` and
               ``_early_checks``
``ice``        ``Connection.get_component_candidates _check_list _check_periodic``
``jitter``     ``RTCRtpReceiver.__jitter_buffer``, ``JitterBuffer._origin``, ``RtpPacket._data``
``late``       ``StunProtocol.connection_made datagram_received``
``peer``       ``RTCRtpTransceiver.__sender _codecs``, ``RTCRtpSender._stream_id _ssrc``
``reporter``   ``RTCDtlsTransport._handle_rtp_data _send_rtp _rtp_header_extensions_map``
``sctp``       ``RTCSctpTransport._send _send_chunk _outbound_queue _sent_queue _flight_size``,
               ``_cwnd _fast_recovery_exit _local_tsn _last_sacked_tsn _t3_start``,
               ``DataChunk._abandoned _book_size``
``sctp_guard`` ``RTCSctpTransport._handle_data _receive_chunk _send_chunk _sack_misordered``
``sender``     ``codecs.HEADER_EXTENSIONS CODECS``, ``RTCRtpSender._run_rtp _handle_rtcp_packet``,
               the counters of its reports
``viewer``     ``RTCRtpReceiver.__timestamp_mapper``, ``RTCPeerConnection.__certificates``
``wire``       ``RTCDtlsTransport._tx_srtp _state _handle_rtcp_data _handle_rtp_data``,
               ``Connection._nominated``, ``TurnTransport.__inner_protocol``
=============  =====================================================================================
"""

from farhand.media.aiortc_.backend import AiortcBackend

__all__ = ["AiortcBackend"]
