// Plays the server's side of the sockets; what the page sends is kept in `window.sent`, and `window.push` speaks.
window.sent = [];
window.sockets = [];
window.WebSocket = class {
  static OPEN = 1;
  constructor(url) {
    this.url = url;
    this.readyState = 1;
    window.sockets.push(this);
    setTimeout(() => this.begin(), 20);
  }
  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  begin() {
    this.onopen?.();
    const { cluster, items } = window.script ?? {};
    if (this.url.includes("/ws/cluster/") && cluster) this.say({ f: "cluster", ...cluster });
    if (this.url.includes("/ws/sandbox/") && items) this.say({ f: "snapshot", epoch: 1, seq: 50, at: Date.now() / 1000, items });
    if (this.url.includes("/ws/terminal/")) {
      this.say({ f: "opened", from: 0 });
      this.onmessage?.({ data: new TextEncoder().encode("\x1b[32m$\x1b[0m kubectl get pods\r\n").buffer });
    }
  }
  send(data) {
    window.sent.push([this.url, typeof data === "string" ? JSON.parse(data) : new TextDecoder().decode(data)]);
  }
  close() {
    this.readyState = 3;
  }
};
window.push = (part, frame) => {
  for (const one of window.sockets) if (one.url.includes(part) && one.readyState === 1) one.say(frame);
};
