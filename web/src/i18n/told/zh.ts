/**
 * What the gate says, in Chinese: templates by the room that says them. `python -m tests.structure.told` reads from the
 * sources which there are. `{0|input=输入}` has a word of its own for a value.
 */
import alerts from "./zh/alerts.json";
import calls from "./zh/calls.json";
import config from "./zh/config.json";
import control from "./zh/control.json";
import drills from "./zh/drills.json";
import dryrun from "./zh/dryrun.json";
import type { Templates } from "./match";

export const ROOMS: Readonly<Record<string, Templates>> = { alerts, calls, config, control, drills, dryrun };
export const TEMPLATES: Templates = Object.assign({}, ...Object.values(ROOMS)) as Templates;
