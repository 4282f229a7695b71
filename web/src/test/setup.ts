/** What jsdom lacks and Mantine asks for. */
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(cleanup);
configure({ asyncUtilTimeout: 20_000 }); // on a machine that is busy

const media = (query: string) => ({
  matches: false,
  media: query,
  onchange: null,
  addEventListener: vi.fn(),
  removeEventListener: vi.fn(),
  addListener: vi.fn(),
  removeListener: vi.fn(),
  dispatchEvent: vi.fn(),
});
Object.defineProperty(window, "matchMedia", { writable: true, value: media });
window.scrollTo = () => undefined;

class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
window.ResizeObserver = Observer;
Object.defineProperty(document, "fonts", { value: new EventTarget() });
HTMLElement.prototype.scrollIntoView = () => undefined;
