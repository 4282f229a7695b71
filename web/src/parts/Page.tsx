import { Box, Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import classes from "./Page.module.css";

interface Props {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page's frame. Its heading gets the focus when one comes from elsewhere, so that a screen reader says where one is. */
export function Page({ title, lead, actions, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Tidegate`;
  }, [title]);
  // before curves change what was laid out: to give the focus it has to be
  useLayoutEffect(() => {
    const active = document.activeElement;
    if (active && active !== document.body && !active.closest("nav")) return; // a field that asked for it
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <Box className={classes.page}>
      <Group justify="space-between" align="flex-end" gap="md" className={classes.head}>
        <div className={classes.names}>
          <Title order={1} ref={heading} tabIndex={-1} className={classes.title}>
            {title}
          </Title>
          {lead ? (
            <Text component="div" className="tg-soft">
              {lead}
            </Text>
          ) : null}
        </div>
        {actions ? <Group gap="xs">{actions}</Group> : null}
      </Group>
      {children}
    </Box>
  );
}
