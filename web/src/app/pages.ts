/** Which pages there are, in the order of the navigation. A new one is a line here, a word in `shell`, and a folder. */
import type { ComponentType } from "react";
import type { Right } from "~/api/contract";
import {
  IconActivity,
  IconBell,
  IconGauge,
  IconKey,
  IconListSearch,
  IconRoute,
  IconSettings,
  IconStack2,
  IconTerminal2,
  IconUsers,
} from "~/parts/icons";

interface PageModule {
  default: ComponentType;
}

export const PAGES = {
  overview: {
    path: "/",
    icon: IconGauge,
    group: "now",
    right: "self",
    load: () => import("~/pages/overview"),
  },
  calls: {
    path: "/calls",
    icon: IconListSearch,
    group: "now",
    right: "see_spend",
    load: () => import("~/pages/calls"),
  },
  alerts: { path: "/alerts", icon: IconBell, group: "now", right: "status", load: () => import("~/pages/alerts") },
  policies: {
    path: "/policies",
    icon: IconRoute,
    group: "shape",
    right: "see_policy",
    load: () => import("~/pages/policies"),
  },
  accounts: {
    path: "/accounts",
    icon: IconKey,
    group: "shape",
    right: "status",
    load: () => import("~/pages/accounts"),
  },
  tenants: {
    path: "/tenants",
    icon: IconUsers,
    group: "shape",
    right: "see_namespaces",
    load: () => import("~/pages/tenants"),
  },
  jobs: { path: "/jobs", icon: IconStack2, group: "work", right: "see_spend", load: () => import("~/pages/jobs") },
  drills: { path: "/drills", icon: IconActivity, group: "work", right: "status", load: () => import("~/pages/drills") },
  playground: {
    path: "/playground",
    icon: IconTerminal2,
    group: "work",
    right: "play",
    load: () => import("~/pages/playground"),
  },
  settings: {
    path: "/settings",
    icon: IconSettings,
    group: "work",
    right: "self",
    load: () => import("~/pages/settings"),
  },
} as const satisfies Record<
  string,
  { path: string; icon: typeof IconKey; group: string; right: Right; load: () => Promise<PageModule> }
>;

export type AnyPage = (typeof PAGES)[keyof typeof PAGES];
/** A page whose code is there. */
export interface Opened {
  page: AnyPage;
  code: PageModule;
}

/** The page that an address belongs to. */
export function pageAt(pathname: string): AnyPage | undefined {
  return Object.values(PAGES).find(
    ({ path }) => path === pathname || (path !== "/" && pathname.startsWith(`${path}/`)),
  );
}

export type PageName = keyof typeof PAGES;
export const GROUPS = ["now", "shape", "work"] as const;
