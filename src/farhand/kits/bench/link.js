"use strict";
// Added to page.html: everything that a bad link does to a picture and to control, with its time.
// All times are the machine's monotonic clock in µs, the same that the bench reads.
const LINK_FRAME_BYTES = 46; // a control frame with four axes
const machineUs = () => Math.round(nowUs() + offsetUs);
let watching = null;

/** Watch the connection from now on; control frames go at `hz`, with a lease where one is needed. */
async function startWatch(hz, needsLease) {
  const watch = { frames: [], control: [], rates: [], reasons: {}, states: [], isOn: true };
  watching = watch;
  if (needsLease) {
    listen(watch);
    await takeLease();
  } else await waitFor(() => channel?.readyState === "open");
  const timers = [setInterval(() => sampleRate(watch), 100), sendControl(watch, hz, needsLease)];
  watch.stop = () => timers.forEach(clearInterval);
  watchFrames(watch);
}

/** Stop, and return what was seen. */
async function stopWatch() {
  const { frames, control, rates, reasons, states } = watching;
  watching.isOn = false;
  watching.stop();
  watching = null;
  return { frames, control, rates, reasons, states };
}

async function watchFrames(watch) {
  const track = video.srcObject.getVideoTracks()[0];
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  while (watch.isOn) {
    const { value, done } = await reader.read();
    if (done) break;
    const at = machineUs(), width = value.displayWidth, stamp = await readStampOfFrame(value);
    value.close();
    watch.frames.push([at, width, stamp === null ? null : at - stamp]);
  }
  await reader.cancel();
}

/** What arrived for the first time: repairs and probes are the price of the picture, not the picture. */
async function sampleRate(watch) {
  for (const s of (await pc.getStats()).values()) {
    if (s.type === "inbound-rtp" && s.kind === "video") {
      watch.rates.push([machineUs(), s.bytesReceived - (s.retransmittedBytesReceived ?? 0)]);
    }
  }
}

/** What farhand says of the link: to explain figures, no figure is made of it. */
function listen(watch) {
  const telemetry = pc.createDataChannel("telemetry", { negotiated: true, id: 4, ordered: false, maxRetransmits: 0 });
  telemetry.onmessage = (e) => {
    const m = JSON.parse(e.data);
    if (m.type === "video-state") watch.states.push([machineUs(), m]);
  };
}

async function takeLease() {
  await waitFor(() => channel?.readyState === "open" && safety?.readyState === "open" && canAsk());
  // The connection before this one may still have it, for its time to live.
  for (let i = 0; i < 20 && !window.epoch; i++) {
    ask({ type: "lease-request", steerBy: "blind" });
    for (let j = 0; j < 25 && !window.epoch; j++) await sleep(10);
  }
  if (!window.epoch) throw new Error("no lease");
  await waitFor(() => heard > 0);
}

/** The gate's verdict and a peer's echo both carry `sentUs` where the frame has it. */
function sendControl(watch, hz, needsLease) {
  const frame = new DataView(new ArrayBuffer(LINK_FRAME_BYTES)), pending = new Map();
  let seq = 0, asked = performance.now(), reason = 0;
  channel.onmessage = (e) => {
    const view = new DataView(e.data), entry = pending.get(view.getBigUint64(8));
    if (needsLease) {
      reason = view.getUint16(18);
      watch.reasons[reason] = (watch.reasons[reason] || 0) + 1;
    }
    if (entry) entry[1] = machineUs() - entry[0];
  };
  return setInterval(() => {
    const at = machineUs(), key = BigInt(nowUs());
    const entry = [at, null];
    watch.control.push(entry);
    pending.set(key, entry);
    frame.setUint32(0, window.epoch || 0);
    frame.setUint32(4, ++seq);
    frame.setBigUint64(8, key);
    frame.setUint32(16, heard);
    if (channel?.readyState === "open") channel.send(frame.buffer);
    // An outage ends the lease: whoever drives takes it again.
    if (needsLease && reason !== 0 && performance.now() - asked > 1000 && canAsk()) {
      asked = performance.now();
      ask({ type: "lease-request", steerBy: "blind" });
    }
  }, 1000 / hz);
}
