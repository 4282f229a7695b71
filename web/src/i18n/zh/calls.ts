import type en from "../en/calls";
import type { Same } from "../words";

export default {
  title: "调用",
  lead: "每一次调用，以及它经历的全部环节。",
} as const satisfies Same<typeof en>;
