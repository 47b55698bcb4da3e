/* Search from a folder: browsers start no worker from file://, so there the search runs in a hidden frame instead.
   The theme knows this arrangement and looks for `IFrameWorker`; without it, it would ask a foreign host for one. */
(() => {
  "use strict";
  if (location.protocol !== "file:") return;

  class IFrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "Search";
      this.waiting = [];
      const begin = () => {
        document.body.append(this.frame);
        this.open(new URL(url, document.baseURI).href);
      };
      if (document.body) begin();
      else document.addEventListener("DOMContentLoaded", begin);
    }

    open(url) {
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => this.answer(data);
      inside.importScripts = (...urls) => urls.reduce((before, next) => before.then(() => this.load(next)), Promise.resolve());
      this.load(url).then(() => {
        this.ready = true;
        this.waiting.splice(0).forEach((data) => this.postMessage(data));
      });
    }

    load(url) {
      const page = this.frame.contentDocument;
      return new Promise((loaded, failed) => {
        const element = page.createElement("script");
        element.src = url;
        element.onload = loaded;
        element.onerror = () => failed(new Error(`${url} could not be loaded`));
        page.head.append(element);
      });
    }

    postMessage(data) {
      if (!this.ready) this.waiting.push(data);
      else this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    answer(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }

    terminate() {
      this.frame.remove();
    }
  }

  window.IFrameWorker = IFrameWorker;
  window.Worker = IFrameWorker;
})();
