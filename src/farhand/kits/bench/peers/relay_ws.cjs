// The peer of `farhand bench relay`: a relay of the same messages on npm `ws`, as one would write it.
// Reads the receiver from `to`, sets `from`, forwards. Prints its port.
"use strict";
const { WebSocketServer } = require("ws");

const sockets = new Map();
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  backlog: 4096,
  perMessageDeflate: false,
  maxPayload: 128 * 1024,
});

server.on("connection", (socket, request) => {
  const id = request.url.slice(1);
  sockets.set(id, socket);
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    const target = sockets.get(message.to);
    if (target === undefined) return;
    message.to = undefined;
    message.from = id;
    target.send(JSON.stringify(message));
  });
  socket.on("close", () => sockets.delete(id));
});
server.on("listening", () => console.log(server.address().port));
