"""Cameras, encoders and transports behind the seams in ``media.base``.

A picture's way: ``sources`` -> ``feed`` (one camera, open while somebody watches) ->
``encoder_set`` -> ``rung_encoder`` (``scaler``, ``encoder``) -> ``rung_subscription`` (one viewer
of it) -> ``aiortc_.outlet`` (``frame_queue``, ``h264``, ``rtp``) -> ``aiortc_.uplink`` (one
connection, paced) -> ``aiortc_.wire``.

The way back: feedback -> ``aiortc_.uplink`` -> ``congestion`` (what the link carries) -> ``shares``
(each camera's part) -> ``rung_subscription`` -> ``ladder`` (which size, at which rate).
"""
