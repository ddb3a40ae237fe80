// The stage's line to the page's server. It opens again by itself, and says so if it cannot for a while.

const RETRIES = [200, 500, 1_000, 2_000]; // before the next attempts; the last counts for all that follow [ms]
const SILENCE = 10_000; // while a run goes on, a server that lives says something more often [ms]
const PATIENCE = 3_000; // what is mended sooner is not worth a word [ms]

export class Line {
  // `hears` has opened(), text(said), binary(header, bytes), lost() and found().
  constructor(address, hears) {
    this.address = address;
    this.hears = hears;
    this.tries = 0;
    this.lostAt = performance.now();
    this.missing = false;
    this.lively = false; // whether a run goes on
    this.clock = setInterval(() => this.watch(), 500);
    this.open();
  }

  open() {
    this.heardAt = performance.now();
    this.count = 0; // frames since this socket was opened
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.hears.opened();
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = () => socket === this.socket && this.again();
  }

  receive(data) {
    this.heardAt = performance.now();
    this.lostAt = null;
    this.tries = 0;
    if (this.missing) {
      this.missing = false;
      this.hears.found();
    }
    if (typeof data === "string") this.hears.text(JSON.parse(data));
    else this.hears.binary(...unpacked(data));
    this.count++;
    this.acknowledge();
  }

  // The server sends more once this is on the screen; a page that nobody sees is not drawn at all.
  acknowledge() {
    if (document.hidden) this.say({ kind: "drawn", n: this.count });
    else this.frame ??= requestAnimationFrame(() => setTimeout(() => {
      this.frame = null;
      this.say({ kind: "drawn", n: this.count });
    }));
  }

  again() {
    this.lostAt ??= performance.now();
    const wait = RETRIES[Math.min(this.tries++, RETRIES.length - 1)];
    this.retry = setTimeout(() => this.open(), wait);
  }

  watch() {
    const now = performance.now();
    if (this.lively && this.socket.readyState <= WebSocket.OPEN && now - this.heardAt > SILENCE) this.drop();
    if (this.lostAt !== null && now - this.lostAt > PATIENCE && !this.missing) {
      this.missing = true;
      this.hears.lost();
    }
  }

  // A server that is silent is as good as gone: its socket may never say so.
  drop() {
    const { socket } = this;
    this.socket = { readyState: WebSocket.CLOSED, close() {} };
    socket.close();
    this.again();
  }

  say(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  close() {
    clearInterval(this.clock);
    clearTimeout(this.retry);
    cancelAnimationFrame(this.frame);
    const { socket } = this;
    this.socket = { readyState: WebSocket.CLOSED, close() {} };
    socket.close();
  }
}

// A frame of numbers: how long its header is, the header, and from the next multiple of eight on the numbers.
function unpacked(frame) {
  const length = new DataView(frame).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length)));
  return [header, frame.slice(Math.ceil((4 + length) / 8) * 8)];
}
