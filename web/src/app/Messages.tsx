import { Notifications } from "@mantine/notifications";
import { useEffect, useState } from "react";

const LATER_MS = 1_000;

/** Where pages say what came of a deed. It is drawn after the page; what is said sooner waits for it. */
export function Messages() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), LATER_MS);
    return () => clearTimeout(timer);
  }, []);
  return late ? <Notifications position="bottom-right" /> : null;
}
