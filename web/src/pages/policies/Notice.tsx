import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { IconAlertTriangle, IconExclamationCircle, IconInfoCircle } from "~/parts/icons";
import classes from "./policies.module.css";

interface Props {
  grade?: "info" | "warn" | "crit";
  title?: string;
  role?: "alert" | "status";
  children?: ReactNode;
  /** What can be done about it. */
  action?: ReactNode;
}

const ICONS = { info: IconInfoCircle, warn: IconAlertTriangle, crit: IconExclamationCircle };

/** A word to the reader, above what it is about. */
export function Notice({ grade = "info", title, role, children, action }: Props) {
  const Icon = ICONS[grade];
  return (
    <div className={classes.notice} data-grade={grade} role={role}>
      <Icon size={18} aria-hidden />
      <div className={classes.noticeWords}>
        {title ? <Text fw={600}>{title}</Text> : null}
        <Text size="sm" component="div">
          {children}
        </Text>
      </div>
      {action}
    </div>
  );
}
